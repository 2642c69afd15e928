//! Rows, their budgets, and where they are written.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use bench::document::{self, number};
use serde::{Deserialize, Serialize};

use bench::machine::{self, Machine};

/// One thing that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    bench: String,
    what: String,
    /// Nothing where it could not be measured; the detail says why.
    value: Option<f64>,
    unit: String,
    detail: String,
    budget: Option<Budget>,
    /// How busy the machine was with everything together.
    load: Option<f64>,
}

/// What was promised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Budget {
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &str) -> Self {
        Self {
            bench: String::new(),
            what: what.into(),
            value: Some(value),
            unit: unit.to_owned(),
            detail: String::new(),
            budget: None,
            load: machine::load(),
        }
    }

    /// A row that could not be measured here.
    pub(crate) fn skipped(what: impl Into<String>, why: &str) -> Self {
        Self {
            value: None,
            load: None,
            ..Self::new(what, 0.0, "").detail(format!("not measured: {why}"))
        }
    }

    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Whether it is about memory rather than time.
    pub(crate) fn is_memory(&self) -> bool {
        self.unit == "MB"
    }

    fn line(&self) -> String {
        let Self { what, unit, detail, .. } = self;
        let Some(value) = self.value else {
            return format!("| {what} | – | {detail} |  |  |");
        };
        let (budget, met) = match self.budget {
            None => (String::new(), ""),
            Some(Budget::AtMost(most)) => {
                (format!("≤ {} {unit}", number(most)), mark(value <= most))
            }
            Some(Budget::AtLeast(least)) => {
                (format!("≥ {} {unit}", number(least)), mark(value >= least))
            }
        };
        format!("| {what} | {} {unit} | {detail} | {budget} | {met} |", number(value))
    }
}

fn mark(met: bool) -> &'static str {
    if met { "✓" } else { "**missed**" }
}

/// All rows, of this run and of earlier ones.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    machine: Machine,
    rows: Vec<Row>,
}

impl Report {
    /// Takes up what was measured on this machine before, so that one row can be measured again.
    pub(crate) fn load() -> Result<Self> {
        let machine = Machine::this();
        let known = fs::read(path()?).ok().and_then(|json| serde_json::from_slice(&json).ok());
        let known = known.filter(|report: &Self| report.machine == machine);
        Ok(known.unwrap_or(Self { machine, rows: Vec::new() }))
    }

    /// Puts the rows of a bench in the place of its earlier ones.
    pub(crate) fn replace(&mut self, bench: &str, rows: Vec<Row>) {
        let place = self.rows.iter().position(|row| row.bench == bench);
        self.rows.retain(|row| row.bench != bench);
        let place = place.unwrap_or(self.rows.len());
        let named = rows.into_iter().map(|row| Row { bench: bench.to_owned(), ..row });
        self.rows.splice(place..place, named);
    }

    /// Writes `bench/results.json` in the build directory.
    pub(crate) fn save(&self) -> Result<()> {
        let path = path()?;
        fs::create_dir_all(path.parent().context("no directory for the results")?)?;
        fs::write(&path, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    /// The table in Markdown.
    pub(crate) fn table(&self) -> String {
        let Machine { system, cores, memory_gib } = &self.machine;
        let loads = || self.rows.iter().filter_map(|row| row.load);
        let (least, most) = (loads().fold(f64::MAX, f64::min), loads().fold(0.0, f64::max));
        let mut text = format!(
            "Measured on {system}, {cores} cores, {memory_gib} GiB; load average meanwhile \
             {least:.1} to {most:.1}.\n\n\
             | what | measured | more | budget | met |\n|---|---:|---|---:|---|\n"
        );
        for row in &self.rows {
            text.push_str(&row.line());
            text.push('\n');
        }
        text
    }

    /// Writes the table into `docs/performance.md`.
    pub(crate) fn write_document(&self) -> Result<()> {
        document::write("measured", &self.table())
    }
}

/// Where the results lie: beside the release build that this program is part of.
fn path() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let target = program.parent().and_then(Path::parent).context("no build directory")?;
    Ok(target.join("bench/results.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bench_that_is_run_again_keeps_its_place() {
        let machine = Machine::this();
        let mut report = Report { machine, rows: Vec::new() };
        report.replace("a", vec![Row::new("one", 1.0, "ms"), Row::new("two", 2.0, "ms")]);
        report.replace("b", vec![Row::new("three", 3.0, "ms")]);
        report.replace("a", vec![Row::new("four", 4.0, "ms")]);
        let names: Vec<&str> = report.rows.iter().map(|row| &*row.what).collect();
        assert_eq!(names, ["four", "three"]);
    }

    #[test]
    fn budgets_are_marked() {
        let row = |budget| Row::new("x", 5.0, "ms").budget(budget).line();
        assert!(row(Budget::AtMost(5.0)).ends_with("| ≤ 5 ms | ✓ |"));
        assert!(row(Budget::AtLeast(6.0)).ends_with("| **missed** |"));
        let skipped = Row::skipped("x", "there is no Chromium").line();
        assert_eq!(skipped, "| x | – | not measured: there is no Chromium |  |  |");
    }
}
