//! Finding files by a few letters in a project of 100,000.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use workspace::{FileIndex, IndexLimits};

use crate::report::{Budget, Row};
use crate::stats::Samples;

const FILES: usize = 100_000;
const FILES_PER_DIRECTORY: usize = 50;
const RUNS: usize = 20;
/// From what hardly narrows to what names one file, and what is nowhere.
const QUERIES: [&str; 8] =
    ["s", "ser", "server", "srcmod", "handler_42", "src/parser/", "hndlr", "zzqqxx"];
const WORDS: [&str; 10] = [
    "server",
    "client",
    "parser",
    "handler",
    "module",
    "session",
    "storage",
    "window",
    "composer",
    "transport",
];

pub(crate) async fn files() -> Result<Vec<Row>> {
    tokio::task::spawn_blocking(measure).await?
}

fn measure() -> Result<Vec<Row>> {
    let root = tempfile::tempdir()?;
    seed(root.path())?;
    let begun = Instant::now();
    let index = FileIndex::build(root.path(), IndexLimits::default(), &|| false)?;
    let built = begun.elapsed();
    ensure!(index.len() >= FILES && !index.is_cut(), "only {} were found", index.len());
    let mut all = Samples::default();
    let mut slowest = (0.0, "");
    for query in QUERIES {
        let mut one = Samples::default();
        for _ in 0..RUNS {
            let begun = Instant::now();
            std::hint::black_box(index.find(query, 50));
            let took = begun.elapsed();
            all.push_ms(took);
            one.push_ms(took);
        }
        if one.median() > slowest.0 {
            slowest = (one.median(), query);
        }
    }
    Ok(vec![
        Row::new("finding a file among 100,000", slowest.0, "ms")
            .budget(Budget::AtMost(20.0))
            .detail(format!("the slowest query, `{}`; of all: {}", slowest.1, all.spread())),
        Row::new("looking through 100,000 files", built.as_secs_f64() * 1e3, "ms")
            .detail("in the background; what was known before is answered meanwhile"),
    ])
}

fn seed(root: &Path) -> Result<()> {
    let word = |at: usize| WORDS[at % WORDS.len()];
    for directory in 0..FILES / FILES_PER_DIRECTORY {
        let (top, middle) = (directory % 20, directory / 20 % 10);
        let path =
            root.join(format!("package-{top}/src/{}/{}_{directory}", word(middle), word(top)));
        fs::create_dir_all(&path)?;
        for file in 0..FILES_PER_DIRECTORY {
            let extension = if file % 2 == 0 { "ts" } else { "rs" };
            fs::write(path.join(format!("{}_{file}.{extension}", word(file + middle))), "")?;
        }
    }
    Ok(())
}
