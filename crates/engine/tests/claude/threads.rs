//! Several threads at once, each with a process of its own.

use domain::{Access, TurnState};
use serde_json::json;
use testkit::model::Script;

use crate::harness::{Bench, said};

#[tokio::test(flavor = "multi_thread")]
async fn threads_work_at_the_same_time_and_hear_only_what_is_theirs() {
    let bench = Bench::start().await;
    let mut all = Vec::new();
    for n in 0..3 {
        let thread = bench.thread_with(Access::Full).await;
        let command = json!({ "command": format!("touch at-{n}"), "description": "x" });
        let script = Script::new().text(format!("Begun {n}.")).tool("Bash", command).step();
        let script = script.wait(format!("gate-{n}")).text(format!("Ended {n}."));
        let turn = bench.send(&thread, &script).await;
        all.push((n, thread, turn));
    }
    for (n, thread, _) in &all {
        bench.reached(&format!("gate-{n}")).await;
        assert!(bench.file(&format!("at-{n}")).is_some());
        assert_eq!(said(&bench.window(thread).await), [format!("Begun {n}.")]);
    }
    assert_eq!(bench.claude.pids().len(), 3);
    for (n, thread, turn) in all.iter().rev() {
        bench.sandbox.model.release(&format!("gate-{n}"));
        assert_eq!(bench.ended(thread, turn).await.state, TurnState::Completed);
        let wanted = [format!("Begun {n}."), format!("Ended {n}.")];
        assert_eq!(said(&bench.window(thread).await), wanted);
    }
    bench.engine.shutdown().await;
    assert!(bench.claude.pids().is_empty());
}
