//! Plan turns: Kilo's checkpoint is the ordinary plan request.

use domain::{
    Answer, ItemContent, Mode, PlanDecision, Request, RequestBody, ThreadPatch, TurnState,
};
use serde_json::json;
use testkit::model::Script;

use crate::harness::{Bench, said};

const PLAN: &str = "# Greet\n\n1. Say hello\n";

async fn planned(bench: &Bench) -> (domain::ThreadId, domain::TurnId, Request) {
    let thread = bench.thread().await;
    let patch = ThreadPatch { mode: Some(Mode::Plan), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let path = bench.sandbox.project.join(".kilo/plans/greet.md");
    let script = Script::new()
        .tool("write", json!({"filePath": path, "content": PLAN}))
        .step()
        .tool("plan_exit", json!({"path": ".kilo/plans/greet.md"}))
        .then()
        .text("Built as planned.");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.see(&thread, |w| {
        let plan = |r: &&Request| matches!(r.body, RequestBody::Plan { .. });
        w.requests.iter().find(plan).cloned()
    });
    let ask = ask.await;
    (thread, turn, ask)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_plan_is_built_in_the_same_turn() {
    let bench = Bench::start().await;
    let (thread, turn, ask) = planned(&bench).await;
    let RequestBody::Plan { markdown, path } = &ask.body else { unreachable!() };
    assert_eq!(markdown.trim(), PLAN.trim());
    assert_eq!(path.as_deref(), Some(".kilo/plans/greet.md"));
    let accept = Answer::Plan { decision: PlanDecision::Accept, message: None };
    bench.answer(&ask, accept).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), ["Built as planned."]);
    assert!(window.items.iter().any(|i| matches!(i.content, ItemContent::Plan { .. })));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dismissed_plan_ends_the_turn_with_nothing_built() {
    let bench = Bench::start().await;
    let (thread, turn, ask) = planned(&bench).await;
    let dismiss = Answer::Plan { decision: PlanDecision::Dismiss, message: None };
    bench.answer(&ask, dismiss).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert!(said(&bench.window(&thread).await).is_empty());
    bench.engine.shutdown().await;
}
