//! Plans: proposed, refined, accepted, put away.

use domain::{
    Access, Answer, Decision, ItemContent, Mode, PlanDecision, Request, RequestBody, RequestState,
    ThreadId, TurnState,
};
use serde_json::json;
use testkit::model::Script;

use crate::harness::{Bench, item, message, said};

fn plan(text: &str) -> serde_json::Value {
    json!({ "plan": text })
}

async fn begin(bench: &Bench, thread: &ThreadId, script: &Script) -> domain::TurnId {
    let mut new = message(&script.prompt("Please plan this."));
    new.mode = Some(Mode::Plan);
    bench.engine.send(thread, new).await.expect("an accepted message").id
}

fn decision(decision: PlanDecision, message: Option<&str>) -> Answer {
    Answer::Plan { decision, message: message.map(str::to_owned) }
}

fn markdown(request: &Request) -> &str {
    match &request.body {
        RequestBody::Plan { markdown, .. } => markdown,
        other => panic!("not a plan: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_refined_then_accepted_and_built_by_the_thread_s_access() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let build = json!({ "command": "touch built.txt", "description": "Build" });
    let script = Script::new().tool("ExitPlanMode", plan("# One")).step();
    let script = script.tool("ExitPlanMode", plan("# Two\n- more")).step();
    let script = script.tool("Bash", build).step().text("Built.");
    let turn = begin(&bench, &thread, &script).await;
    let first = bench.asked(&thread).await;
    assert_eq!(markdown(&first), "# One");
    bench.answer(&first, decision(PlanDecision::Refine, Some("more of it"))).await;
    let second = bench
        .see(&thread, |w| {
            let open = |r: &&Request| matches!(r.state, RequestState::Open { .. });
            w.requests.iter().filter(|r| r.id != first.id).find(open).cloned()
        })
        .await;
    assert_eq!(markdown(&second), "# Two\n- more");
    assert_eq!(bench.file("built.txt"), None);
    bench.answer(&second, decision(PlanDecision::Accept, None)).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert!(bench.file("built.txt").is_some());
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), ["Built."]);
    let shown = item(&window, |c| matches!(c, ItemContent::Plan { .. }));
    assert_eq!(shown.body.head, "# One");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_put_away_ends_its_turn_and_the_next_one_builds() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let script = Script::new().tool("ExitPlanMode", plan("# One")).step().text("Never said.");
    let turn = begin(&bench, &thread, &script).await;
    let request = bench.asked(&thread).await;
    bench.answer(&request, decision(PlanDecision::Dismiss, None)).await;
    let ended = bench.ended(&thread, &turn).await;
    assert_eq!((ended.state, &ended.error), (TurnState::Completed, &None));
    assert!(said(&bench.window(&thread).await).is_empty());
    let mut next = message(
        &Script::new()
            .tool("Bash", json!({ "command": "touch next.txt", "description": "x" }))
            .prompt("Build."),
    );
    next.mode = Some(Mode::Build);
    let next = bench.engine.send(&thread, next).await.unwrap().id;
    assert_eq!(bench.ended(&thread, &next).await.state, TurnState::Completed);
    assert!(bench.file("next.txt").is_some());
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_the_model_begins_by_itself_is_no_reason_to_plan_the_next_message() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let build = |file: &str| json!({ "command": format!("touch {file}"), "description": "Build" });
    let script = Script::new().tool("EnterPlanMode", json!({})).step();
    let script = script.tool("Bash", build("early.txt")).step().text("Planned.");
    let turn = bench.send(&thread, &script).await;
    // It is planning now, in which nothing happens unasked, whatever the access.
    let early = bench.asked(&thread).await;
    bench.decide(&early, Decision::Reject).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert_eq!(bench.file("early.txt"), None);
    let script = Script::new().tool("Bash", build("built.txt")).step().text("Built.");
    // It ends without anybody being asked.
    let next = bench.run(&thread, &script).await;
    assert_eq!((next.state, &next.error), (TurnState::Completed, &None));
    assert!(bench.file("built.txt").is_some());
    bench.engine.shutdown().await;
}
