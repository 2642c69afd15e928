//! Sub-agents: shown under the turn that started them, asking for themselves, stopped with it.

use domain::{Access, Decision, ItemContent, ItemStatus, TurnState, Window};
use serde_json::json;
use testkit::model::Script;

use crate::harness::{Bench, Tools as _, approval};

/// Hands a script to a sub-agent: a model finds that tool only when it searches for it (0.169.0).
fn spawning(child: &Script) -> Script {
    Script::new()
        .tool("tool_search", json!({"query": "spawn agent"}))
        .step()
        .tool("spawn_agent", json!({"message": child.prompt("Survey the project.")}))
        .step()
}

fn agent(window: &Window) -> Option<&domain::Item> {
    window.items.iter().find(|i| matches!(i.content, ItemContent::SubAgent { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sub_agent_asks_for_itself_and_is_shown_under_its_turn() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Supervised).await;
    let child = Script::new().run_command("touch by-a-child").step().text("The child is done.");
    let script = spawning(&child).wait("spawned").text("ok");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    assert!(ask.from.is_some(), "{ask:?}");
    assert_eq!(approval(&ask).command.as_deref(), Some("touch by-a-child"));
    assert_eq!(bench.file("by-a-child"), None);
    bench
        .see(&thread, |w| {
            let waits = |c: &ItemContent| matches!(c, ItemContent::SubAgent { waiting: true, .. });
            agent(w).filter(|i| waits(&i.content)).map(|_| ())
        })
        .await;
    bench.decide(&ask, Decision::Once).await;
    bench.see(&thread, |w| agent(w).filter(|i| i.status == ItemStatus::Done).map(|_| ())).await;
    assert!(bench.file("by-a-child").is_some());
    bench.sandbox.model.release("spawned");
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    let shown = agent(&window).expect("the sub-agent");
    assert_eq!(shown.body.head, "The child is done.");
    let ran = window.items.iter().find(|i| matches!(i.content, ItemContent::Command { .. }));
    assert_eq!(ran.expect("its command").parent.as_ref(), Some(&shown.id));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_sub_agents_with_what_they_run() {
    let bench = Bench::start().await;
    let thread = bench.free().await;
    let child = Script::new().run_command("echo $$ > child.txt; sleep 600").step().text("no");
    let turn = bench.send(&thread, &spawning(&child).wait("never").text("no")).await;
    let pid =
        bench.see(&thread, |_| bench.file("child.txt").filter(|pid| !pid.trim().is_empty())).await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    let shell = std::path::PathBuf::from(format!("/proc/{}", pid.trim()));
    testkit::wait::until_true(testkit::wait::PATIENT, || !shell.exists()).await;
    let turn = bench.run(&thread, &Script::new().text("Going on.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    bench.engine.shutdown().await;
}
