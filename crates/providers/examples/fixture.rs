//! Makes a recorded conversation of the tests out of a native log.
//!
//! ```sh
//! cargo run -p providers --example fixture -- ~/.local/share/baton/native-log/thr_….jsonl odd-end "it ends oddly"
//! ```
//!
//! Writes `odd-end.jsonl` into `crates/testkit/fixtures/kilo-7.7.7`, notes it in `scenarios.json`
//! there, and prints what its frames lead to. Look through it before it is committed: it holds all
//! that was said, and the paths of the machine it comes from.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::path::Path;

use providers::kilo::native_log::replay;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: fixture LOG NAME ABOUT";
    let log = arguments.next().ok_or(usage)?;
    let name = arguments.next().ok_or(usage)?;
    let about = arguments.next().ok_or(usage)?;
    let replayed = replay(Path::new(&log))?;
    for event in &replayed.events {
        println!("{event:?}");
    }
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/fixtures/kilo-7.7.7");
    std::fs::write(dir.join(format!("{name}.jsonl")), replayed.frames.join("\n") + "\n")?;
    let index = dir.join("scenarios.json");
    let mut scenarios: Value = serde_json::from_slice(&std::fs::read(&index)?)?;
    scenarios[&name] =
        json!({ "about": about, "session": replayed.session, "prompts": replayed.prompts });
    std::fs::write(index, serde_json::to_string_pretty(&scenarios)? + "\n")?;
    println!("\n{} frames, {} messages", replayed.frames.len(), replayed.prompts.len());
    if replayed.reads > 0 {
        println!(
            "the session was read {} times meanwhile; what was read is not in the log, so the \
             frames alone may show less",
            replayed.reads
        );
    }
    Ok(())
}
