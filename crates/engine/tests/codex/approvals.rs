//! Approvals and questions: asked once, answered once, and what each answer does.

use domain::{
    Answer, ApprovalKind, Decision, ItemContent, ItemStatus, RequestBody, ThreadStatus, TurnState,
};
use serde_json::json;
use testkit::model::Script;

use crate::harness::{Bench, Tools as _, approval, item, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_when_it_is_allowed_and_not_before() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().run_command("touch made; echo done").step().text("ok");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    let asked = approval(&ask);
    assert_eq!(
        (asked.what, asked.command.as_deref()),
        (ApprovalKind::Command, Some("touch made; echo done"))
    );
    assert_eq!(bench.row(&thread).await.status, ThreadStatus::NeedsYou);
    assert_eq!(bench.file("made"), None);
    let window = bench.window(&thread).await;
    let waits = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!((waits.status, Some(&waits.id)), (ItemStatus::Waiting, ask.item_id.as_ref()));
    bench.decide(&ask, Decision::Once).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert!(bench.file("made").is_some());
    let window = bench.window(&thread).await;
    let ran = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!((ran.status, ran.body.head.as_str()), (ItemStatus::Done, "done\n"));
    assert!(window.requests.iter().all(|request| request.id != ask.id), "it is closed");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_for_the_session_is_not_asked_again_in_it() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let run = Script::new().run_command("echo same").step().run_command("echo same").step();
    let turn = bench.send(&thread, &run.text("ok")).await;
    let ask = bench.asked(&thread).await;
    let session = approval(&ask).choices.iter().find(|c| c.decision == Decision::Session);
    assert_eq!(session.expect("it is offered").covers, ["echo same"]);
    bench.decide(&ask, Decision::Session).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    // Nor in the next turn; another command asks.
    let run = Script::new().run_command("echo same").step().run_command("echo other").step();
    let turn = bench.send(&thread, &run.text("ok")).await;
    let ask = bench.asked(&thread).await;
    assert_eq!(approval(&ask).command.as_deref(), Some("echo other"));
    bench.decide(&ask, Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    // And a session of its own knows nothing of it.
    let other = bench.thread().await;
    let turn = bench.send(&other, &Script::new().run_command("echo same").step().text("ok")).await;
    let ask = bench.asked(&other).await;
    bench.decide(&ask, Decision::Reject).await;
    assert_eq!(bench.ended(&other, &turn).await.state, TurnState::Completed);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_declines_the_item_and_its_reason_gets_to_the_model() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().run_command("touch made").step().text("As you say.");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    // The model may be told at once or at its next step.
    let words = Script::new().text("As you say.").prompt("Use the other directory instead.");
    let message = Some(words.clone());
    bench.answer(&ask, Answer::Approval { decision: Decision::Reject, message }).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(bench.file("made"), None);
    let window = bench.window(&thread).await;
    let declined = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!(declined.status, ItemStatus::Declined);
    let told = item(&window, |c| *c == ItemContent::UserMessage);
    assert_eq!(told.body.head, words);
    assert_eq!(bench.sandbox.model.calls_with("Use the other directory").len(), 1);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_files_is_asked_with_its_diff() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let patch = "*** Add File: made.txt\n+hello";
    for (decision, made) in [(Decision::Reject, None), (Decision::Once, Some("hello\n"))] {
        let turn = bench.send(&thread, &Script::new().patch(patch).step().text("ok")).await;
        let ask = bench.asked(&thread).await;
        let asked = approval(&ask);
        assert_eq!((asked.what, asked.path.as_deref()), (ApprovalKind::Edit, Some("made.txt")));
        assert!(asked.diff.as_deref().is_some_and(|diff| diff.contains("+hello")), "{asked:?}");
        bench.decide(&ask, decision).await;
        assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
        assert_eq!(bench.file("made.txt").as_deref(), made);
    }
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_in_a_plan_turn() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let patch =
        domain::ThreadPatch { mode: Some(domain::Mode::Plan), ..domain::ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let questions = json!({"questions": [{"id": "colour", "header": "Colour",
        "question": "Which colour?", "options": [
            {"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]}]});
    let script = Script::new().tool("request_user_input", questions).step().text("Noted.");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    let RequestBody::Question { questions } = &ask.body else { panic!("{ask:?}") };
    let labels: Vec<_> = questions[0].options.iter().map(|o| o.label.as_str()).collect();
    assert_eq!((questions[0].text.as_str(), labels), ("Which colour?", vec!["Red", "Blue"]));
    bench.answer(&ask, Answer::Question { answers: vec![vec!["Blue".to_owned()]] }).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), ["Noted."]);
    let asked = item(&window, |c| matches!(c, ItemContent::Question { .. }));
    assert_eq!(asked.body.head, "Blue");
    let told = bench.sandbox.model.calls().into_iter().any(|call| call.mentions("Blue"));
    assert!(told, "the model was told the answer");
    bench.engine.shutdown().await;
}
