//! Plan turns: Codex ends its turn with a plan, and a person decides within the same turn here.

use domain::{
    Access, Answer, Decision, ItemContent, Mode, PlanDecision, Request, RequestBody, ThreadId,
    ThreadPatch, TurnId, TurnState,
};
use testkit::model::Script;

use crate::harness::{Bench, Tools as _, approval, said};

const PLAN: &str = "# Greet\n\n1. Say hello\n";

fn proposing() -> Script {
    Script::new().text(format!("I looked.\n<proposed_plan>\n{PLAN}</proposed_plan>\n"))
}

async fn planned(bench: &Bench, access: Access) -> (ThreadId, TurnId, Request) {
    let thread = bench.thread_with(access).await;
    let patch = ThreadPatch { mode: Some(Mode::Plan), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let turn = bench.send(&thread, &proposing()).await;
    let ask = plan_of(bench, &thread).await;
    (thread, turn, ask)
}

async fn plan_of(bench: &Bench, thread: &ThreadId) -> Request {
    let ask = bench.asked(thread).await;
    let RequestBody::Plan { markdown, .. } = &ask.body else { panic!("{ask:?}") };
    assert_eq!(markdown.trim(), PLAN.trim());
    ask
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_plan_is_built_in_the_same_turn() {
    let bench = Bench::start().await;
    let (thread, turn, ask) = planned(&bench, Access::Full).await;
    let build = Script::new().run_command("touch built").step().text("Built as planned.");
    let message = Some(build.prompt("Implement the plan."));
    bench.answer(&ask, Answer::Plan { decision: PlanDecision::Accept, message }).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert!(bench.file("built").is_some(), "the build is no longer read-only");
    let window = bench.window(&thread).await;
    assert_eq!(window.turns.len(), 1);
    assert_eq!(said(&window).last(), Some(&"Built as planned."));
    let plans = window.items.iter().filter(|i| matches!(i.content, ItemContent::Plan { .. }));
    assert_eq!(plans.count(), 1);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_refined_and_then_left() {
    let bench = Bench::start().await;
    let (thread, turn, ask) = planned(&bench, Access::Supervised).await;
    let message = Some(proposing().prompt("Once more, please."));
    bench.answer(&ask, Answer::Plan { decision: PlanDecision::Refine, message }).await;
    let again = bench.see(&thread, |w| {
        let open =
            |r: &&Request| r.id != ask.id && matches!(r.state, domain::RequestState::Open { .. });
        w.requests.iter().find(open).cloned()
    });
    let again = again.await;
    let dismiss = Answer::Plan { decision: PlanDecision::Dismiss, message: None };
    bench.answer(&again, dismiss).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    assert_eq!(window.turns.len(), 1);
    assert!(window.items.iter().any(|i| i.content == ItemContent::UserMessage));

    // What comes next is an ordinary turn.
    let patch = ThreadPatch { mode: Some(Mode::Build), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let turn = bench.run(&thread, &Script::new().text("Next.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_whose_plan_waits_is_stopped() {
    let bench = Bench::start().await;
    let (thread, turn, _ask) = planned(&bench, Access::Supervised).await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    let patch = ThreadPatch { mode: Some(Mode::Build), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let turn = bench.run(&thread, &Script::new().text("Going on.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_turn_changes_nothing_whatever_the_access() {
    let bench = Bench::start().await;
    for access in [Access::Supervised, Access::AutoEdit, Access::Full] {
        let thread = bench.thread_with(access).await;
        let patch = ThreadPatch { mode: Some(Mode::Plan), ..ThreadPatch::default() };
        bench.engine.patch_thread(&thread, patch).await.unwrap();
        let script = Script::new()
            .run_command("cat README.md > /dev/null && touch by-command")
            .step()
            .patch("*** Add File: by-patch\n+x")
            .step()
            .tool(
                "exec_command",
                serde_json::json!({"cmd": "touch by-escalation", "justification": "wants out",
                    "sandbox_permissions": "require_escalated"}),
            )
            .step()
            .text("ok");
        let turn = bench.send(&thread, &script).await;
        // What would leave the sandbox is a person's, in every access.
        let ask = bench.asked(&thread).await;
        assert_eq!(approval(&ask).command.as_deref(), Some("touch by-escalation"), "{access:?}");
        bench.decide(&ask, Decision::Reject).await;
        assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
        for made in ["by-command", "by-patch", "by-escalation"] {
            assert_eq!(bench.file(made), None, "{access:?}");
        }
    }
    bench.engine.shutdown().await;
}
