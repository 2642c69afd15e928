//! The table a run ends with.

use std::time::Duration;

use bench::document::number;
use bench::machine::{Machine, load};

use crate::checks::{Counted, Ended};
use crate::samples::{Sample, Samples, median};
use crate::sessions::Read;
use crate::{Options, World};

/// What was found, as rows.
pub(crate) struct Report {
    about: String,
    rows: Vec<Row>,
}

struct Row {
    what: &'static str,
    found: String,
    wanted: &'static str,
    fine: bool,
}

/// All that was counted.
pub(crate) struct Found {
    pub(crate) counted: Counted,
    pub(crate) ended: Ended,
    pub(crate) read: Read,
    /// Memory after a rest, in MB.
    pub(crate) rested: f64,
    pub(crate) took: Duration,
}

/// How much more memory the end may take than the beginning, in MB beside a quarter.
const MORE_MB: f64 = 8.0;
/// How many more descriptors.
const MORE_DESCRIPTORS: f64 = 16.0;

impl Report {
    pub(crate) fn new(world: &World, options: &Options, samples: &Samples, found: &Found) -> Self {
        let Found { counted, ended, read, rested, took } = found;
        let Machine { system, cores, memory_gib } = Machine::this();
        let about = format!(
            "{:.0} minutes with {} threads at a time (seed {}), {:.0} with settling; {system}, {cores} \
             cores shared with other work (load average at the end {:.1}), {memory_gib} GiB.",
            options.minutes,
            options.threads,
            world.seed,
            took.as_secs_f64() / 60.0,
            load().unwrap_or(0.0),
        );
        let mut rows = turns(counted, read);
        rows.extend(resources(world, samples, counted, ended));
        rows.push(fact(
            "Baton's memory after a rest",
            format!("{} MB after {} minutes", number(*rested), number(options.rest)),
        ));
        rows.push(trouble(world));
        Self { about, rows }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.rows.iter().all(|row| row.fine)
    }

    /// The table in Markdown.
    pub(crate) fn text(&self) -> String {
        let mut text =
            format!("{}\n\n| what | found | wanted | |\n|---|---:|---|---|\n", self.about);
        for Row { what, found, wanted, fine } in &self.rows {
            let mark = match (*fine, wanted.is_empty()) {
                (true, true) => "",
                (true, false) => "✓",
                (false, _) => "**no**",
            };
            text.push_str(&format!("| {what} | {found} | {wanted} | {mark} |\n"));
        }
        text
    }
}

fn fact(what: &'static str, found: impl Into<String>) -> Row {
    Row { what, found: found.into(), wanted: "", fine: true }
}

fn none(what: &'static str, found: usize) -> Row {
    Row { what, found: count(found), wanted: "0", fine: found == 0 }
}

fn count(found: usize) -> String {
    number(found as f64)
}

fn turns(counted: &Counted, read: &Read) -> Vec<Row> {
    let ended: usize = counted.states.values().sum();
    let states: Vec<String> =
        counted.states.iter().map(|(state, n)| format!("{n} {}", state.to_lowercase())).collect();
    vec![
        Row {
            what: "messages accepted, turns ended",
            found: format!("{}, {} ({})", count(counted.accepted), count(ended), states.join(", ")),
            wanted: "equal, more than none",
            fine: counted.accepted == ended && ended > 0,
        },
        none("accepted and gone, or not ended", counted.missing + counted.unended),
        none("messages the model was given twice", counted.repeated + read.doubled),
        Row {
            what: "completed turns whose texts are Kilo's own",
            found: format!(
                "{} of {} ({} texts)",
                count(read.turns - read.differing),
                count(read.turns),
                count(read.texts)
            ),
            wanted: "all",
            fine: read.differing == 0 && read.turns > 0,
        },
        none("requests left open", counted.open_requests),
        Row {
            what: "threads as clients have them at the end",
            found: format!(
                "{} of {}",
                count(counted.compared - counted.differing),
                count(counted.compared)
            ),
            wanted: "all as the server has them",
            fine: counted.differing == 0 && counted.compared > 0,
        },
        fact(
            "connections of three onlookers; snapshots for the slow one",
            format!("{}; {}", counted.connects, counted.gaps_of_slow),
        ),
    ]
}

fn resources(world: &World, samples: &Samples, counted: &Counted, ended: &Ended) -> Vec<Row> {
    let longest = samples.longest();
    let tenth = (longest.len() / 10).max(1);
    let first: Vec<&Sample> = longest.iter().take(tenth).collect();
    let last: Vec<&Sample> = longest.iter().rev().take(tenth).collect();
    let middle = |of: &[&Sample], what: fn(&Sample) -> f64| {
        median(of.iter().map(|sample| what(sample)).collect())
    };
    let memory = |of: &[&Sample]| middle(of, |sample| sample.memory_mb);
    let files = |of: &[&Sample]| {
        middle(of, |sample| f64::from(u32::try_from(sample.descriptors).unwrap_or(u32::MAX)))
    };
    let (memory_first, memory_last) = (memory(&first), memory(&last));
    let (files_first, files_last) = (files(&first), files(&last));
    let most = longest.iter().map(|sample| sample.memory_mb).fold(0.0, f64::max);
    let span = longest
        .first()
        .zip(longest.last())
        .map_or(0.0, |(first, last)| last.at.saturating_sub(first.at).as_secs_f64() / 60.0);
    let database = longest.last().map_or(0.0, |sample| sample.database_mb);
    vec![
        Row {
            what: "Baton's memory in its longest life, first and last tenth",
            found: format!(
                "{} and {} MB (most {}; {span:.0} minutes)",
                number(memory_first),
                number(memory_last),
                number(most)
            ),
            wanted: "flat: at most a quarter and 8 MB more",
            fine: memory_last <= memory_first * 1.25 + MORE_MB,
        },
        Row {
            what: "its descriptors, first and last tenth",
            found: format!("{} and {}", number(files_first), number(files_last)),
            wanted: "flat: at most 16 more",
            fine: files_last <= files_first + MORE_DESCRIPTORS,
        },
        fact("database at the end", format!("{} MB", number(database))),
        Row {
            what: "servers of Kilo at the end",
            found: count(counted.servers),
            wanted: "at most 2 (trusted and untrusted projects)",
            fine: counted.servers <= 2,
        },
        none("processes left behind", ended.orphans),
        none("zombies", usize::try_from(world.accounts.counted("zombies")).unwrap_or(usize::MAX)),
        fact("Baton's end took", format!("{} s", number(ended.seconds))),
    ]
}

fn trouble(world: &World) -> Row {
    let counted = |what: &str| world.accounts.counted(what);
    fact(
        "trouble made",
        format!(
            "{} kills and {} ends of Baton; Kilo killed {}, halted {} times; streams cut {}, stalled \
             {} times; {} tools killed; {} stops, {} answers, {} taken back, {} steered, {} plans, {} \
             files, {} commands; 0.8 % of requests to Kilo broken",
            counted("Baton killed"),
            counted("Baton ended"),
            counted("Kilo killed"),
            counted("Kilo halted"),
            counted("streams cut") + counted("streams cut later"),
            counted("streams stalled"),
            counted("tool killed"),
            counted("stopped"),
            counted("answered"),
            counted("withdrawn"),
            counted("steered"),
            counted("plans"),
            counted("files"),
            counted("commands"),
        ),
    )
}
