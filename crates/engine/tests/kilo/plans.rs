//! Plan turns: Kilo's checkpoint is the ordinary plan request.

use domain::{
    Access, Answer, ItemContent, Mode, PlanDecision, Request, RequestBody, RequestState,
    ThreadPatch, TurnState,
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
    let RequestBody::Plan { markdown, path, .. } = &ask.body else { unreachable!() };
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

/// A plan that the scripted model builds by doing what its fence says.
fn buildable(words: &str) -> String {
    let build = Script::new().bash("touch built").step().text("Built in a thread of its own.");
    build.prompt(words)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_refined_and_then_built_once_in_a_new_thread() {
    let mut bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let patch = ThreadPatch { mode: Some(Mode::Plan), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let path = bench.sandbox.project.join("plans/greet.md");
    let end = json!({"path": "plans/greet.md"});
    let script = Script::new()
        // Whatever the access, a plan turn writes plans and nothing else.
        .bash("touch by-the-planner")
        .tool("write", json!({"filePath": bench.sandbox.project.join("x.txt"), "content": "x"}))
        .tool("task", json!({"description": "d", "prompt": "p", "subagent_type": "general"}))
        .step()
        .tool("write", json!({"filePath": path, "content": buildable("# Greet\n\nFirst words.")}))
        .step()
        .tool("edit", json!({"filePath": path, "oldString": "First", "newString": "Second"}))
        .step()
        .tool("plan_exit", end.clone())
        .then()
        .tool("edit", json!({"filePath": path, "oldString": "Second", "newString": "Third"}))
        .step()
        .tool("plan_exit", end);
    let turn = bench.send(&thread, &script).await;
    let plan = |words: &'static str| {
        let bench = &bench;
        let thread = &thread;
        async move {
            let open = |r: &&Request| {
                matches!(&r.body, RequestBody::Plan { markdown, .. } if markdown.contains(words))
                    && matches!(r.state, RequestState::Open { .. })
            };
            bench.see(thread, |w| w.requests.iter().find(open).cloned()).await
        }
    };
    // What the agent changed since it wrote the plan is in it.
    let first = plan("Second words").await;
    let message = Some("Third time lucky, please.".to_owned());
    bench.answer(&first, Answer::Plan { decision: PlanDecision::Refine, message }).await;
    let second = plan("Third words").await;
    assert!(!bench.sandbox.model.calls_with("Third time lucky").is_empty());
    for name in ["by-the-planner", "x.txt"] {
        assert!(bench.file(name).is_none(), "{name}: a plan turn changes nothing");
    }

    let accept = Answer::Plan { decision: PlanDecision::AcceptInNewThread, message: None };
    let built = bench.engine.answer(&thread, &second.id, accept.clone()).await.unwrap();
    let built = built.expect("the new thread's id");
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    // The same command again gives the same thread, before and after a restart.
    let again = bench.engine.answer(&thread, &second.id, accept.clone()).await.unwrap();
    assert_eq!(again.as_ref(), Some(&built));
    let done = bench.see(&built, |w| w.turns.iter().find(|t| t.state.is_terminal()).cloned()).await;
    assert_eq!((done.state, &done.error), (TurnState::Completed, &None));
    assert!(bench.file("built").is_some());
    bench.restart().await;
    let again = bench.engine.answer(&thread, &second.id, accept).await.unwrap();
    assert_eq!(again.as_ref(), Some(&built));

    let row = bench.row(&built).await;
    assert_eq!((row.access, row.mode, row.title.as_str()), (Access::Full, Mode::Build, "Greet"));
    let window = bench.window(&built).await;
    assert_eq!(window.turns.len(), 1, "it is built once");
    assert!(window.turns[0].input.text.head.contains("Third words"));
    let (threads, _) = bench
        .engine
        .threads(store::ThreadQuery { archived: false, project: None, before: None, limit: 100 })
        .await
        .unwrap();
    assert_eq!(threads.len(), 2, "Kilo's own new session is never asked for");
    bench.engine.shutdown().await;
}
