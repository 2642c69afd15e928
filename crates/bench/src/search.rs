//! Finding messages among those of a thousand threads, and what it costs to keep them findable.

use std::time::Instant;

use anyhow::{Result, ensure};
use store::{MAX_HITS, SearchQuery, Store};

use crate::report::{Budget, Row};
use crate::stats::Samples;
use bench::history;

const THREADS: u64 = 1_000;
const RUNS: usize = 20;
/// From what is in nearly every message to what is in none.
const QUESTIONS: [&str; 5] = ["t", "to", "parser", "position tok err", "zebra"];

pub(crate) async fn search() -> Result<Vec<Row>> {
    let data = tempfile::tempdir()?;
    let store = Store::open(data.path())?;
    history::seed(&store, THREADS).await?;
    let mut all = Samples::default();
    let mut slowest = (0.0, "");
    for words in QUESTIONS {
        let mut one = Samples::default();
        for _ in 0..RUNS {
            let query =
                SearchQuery { words: words.to_owned(), limit: MAX_HITS, ..SearchQuery::default() };
            let begun = Instant::now();
            let found = store.search(query).await?;
            let took = begun.elapsed();
            ensure!(words != "parser" || !found.hits.is_empty(), "nothing is found");
            all.push_ms(took);
            one.push_ms(took);
        }
        if one.median() > slowest.0 {
            slowest = (one.median(), words);
        }
    }
    store.close().await?;
    let conn = rusqlite::Connection::open(data.path().join("baton.db"))?;
    let count = |sql: &str| conn.query_row::<f64, _, _>(sql, (), |row| row.get(0));
    let messages = count("SELECT count(*) FROM search_rows")?;
    let index = count("SELECT sum(length(block)) FROM search_data")?;
    Ok(vec![
        Row::new("finding messages in 1,000 threads", slowest.0, "ms")
            .budget(Budget::AtMost(50.0))
            .detail(format!("the slowest question, `{}`; of all: {}", slowest.1, all.spread())),
        Row::new("full-text index per message", index / messages, "bytes")
            .detail(format!("{messages} messages; it has no text of its own")),
    ])
}
