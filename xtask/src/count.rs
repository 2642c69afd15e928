//! Counting tests in what the test runners print.

use std::fmt;
use std::ops::Add;

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Count {
    /// One check that is not a test of a runner's: it passed or it did not.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: usize::from(passed), failed: usize::from(!passed) }
    }

    /// Reads a runner's summary line, if this is one: cargo test's `test result: …`, nextest's
    /// `Summary […] …` or vitest's `Tests  …`.
    pub(crate) fn in_line(line: &str) -> Self {
        let line = without_colours(line);
        // Not indented: so nextest shows what failed tests printed, such a line among it.
        let summary = line.strip_prefix("test result: ");
        let line = line.trim();
        let summary =
            summary.or_else(|| line.strip_prefix("Summary [")?.split_once(']').map(|it| it.1));
        let summary = summary.or_else(|| line.strip_prefix("Tests  "));
        let Some(summary) = summary else {
            return Self::default();
        };
        Self { passed: number_before("passed", summary), failed: number_before("failed", summary) }
    }
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

fn number_before(word: &str, line: &str) -> usize {
    let mut before = 0;
    for part in line.split(|character: char| !character.is_alphanumeric()) {
        if part == word {
            return before;
        }
        if !part.is_empty() {
            before = part.parse().unwrap_or(0);
        }
    }
    0
}

fn without_colours(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, code)) = rest.split_once('\u{1b}') {
        text += before;
        rest = code.split_once('m').map_or("", |(_, after)| after);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_summaries_of_every_runner() {
        #[track_caller]
        fn check(line: &str, passed: usize, failed: usize) {
            assert_eq!(Count::in_line(line), Count { passed, failed }, "{line}");
        }
        check("test result: ok. 20 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out", 20, 0);
        check("test result: FAILED. 3 passed; 2 failed; 0 ignored", 3, 2);
        check(
            "     Summary [   0.412s] 12 tests run: 10 passed (1 slow), 2 failed, 3 skipped",
            10,
            2,
        );
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.4s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m passed, 0 skipped",
            2,
            0,
        );
        check("      Tests  1 failed | 11 passed (12)", 11, 1);
        check(
            "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m12 passed\u{1b}[39m\u{1b}[22m (12)",
            12,
            0,
        );
        check("    test result: FAILED. 0 passed; 1 failed; inside nextest's report", 0, 0);
        check(" Test Files  1 failed | 3 passed (4)", 0, 0);
        check("7 passed is what a test printed", 0, 0);
    }
}
