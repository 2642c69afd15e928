//! Each answer to an approval, and what it covers.

use domain::{
    Access, Answer, Decision, ItemContent, ItemStatus, RequestState, ThreadPatch, ThreadStatus,
    TurnState,
};
use testkit::model::Script;

use crate::harness::{Bench, approval, item, said};

#[tokio::test(flavor = "multi_thread")]
async fn once_allows_just_this() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script =
        Script::new().bash("echo a > a.txt").step().bash("echo b > b.txt").step().text("ok");
    let turn = bench.send(&thread, &script).await;
    let first = bench.asked(&thread).await;
    assert_eq!(approval(&first).command.as_deref(), Some("echo a > a.txt"));
    assert_eq!(bench.row(&thread).await.status, ThreadStatus::NeedsYou);
    assert!(bench.file("a.txt").is_none(), "it ran unasked");
    bench.decide(&first, Decision::Once).await;
    let second = bench.asked(&thread).await;
    assert_ne!(first.id, second.id);
    assert!(bench.file("a.txt").is_some() && bench.file("b.txt").is_none());
    bench.decide(&second, Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert_eq!(bench.row(&thread).await.open_requests, 0);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_this_session_covers_its_patterns_here_and_nowhere_else() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().bash("echo one").step().bash("echo two").step().text("ok");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    let session = approval(&ask).choices.iter().find(|c| c.decision == Decision::Session);
    assert_eq!(session.expect("offered for the session").covers, ["echo *"]);
    bench.decide(&ask, Decision::Session).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed, "asked again");

    // It holds through other accesses and a new start of everything.
    for access in [Access::AutoEdit, Access::Supervised] {
        let patch = ThreadPatch { access: Some(access), ..ThreadPatch::default() };
        bench.engine.patch_thread(&thread, patch).await.unwrap();
        let turn = bench.run(&thread, &Script::new().bash("echo again").step().text("ok")).await;
        assert_eq!(turn.state, TurnState::Completed, "asked again in {access:?}");
    }
    bench.restart().await;
    let turn = bench.run(&thread, &Script::new().bash("echo at last").step().text("ok")).await;
    assert_eq!(turn.state, TurnState::Completed, "asked again after a restart");

    let other = bench.thread().await;
    let turn = bench.send(&other, &Script::new().bash("echo three").step().text("ok")).await;
    let ask = bench.asked(&other).await;
    bench.decide(&ask, Decision::Reject).await;
    bench.ended(&other, &turn).await;
    let kept = bench.sandbox.home.path().join(".config/kilo/kilo.jsonc");
    assert!(!kept.exists(), "the user's own configuration was written to");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_ends_the_turn_and_one_with_a_reason_is_heard() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().bash("rm -rf everything").step().text("I heard you.");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    bench.decide(&ask, Decision::Reject).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!(command.status, ItemStatus::Declined);
    assert!(said(&window).is_empty());

    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    let message = Some("please list the files instead".to_owned());
    bench.answer(&ask, Answer::Approval { decision: Decision::Reject, message }).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert_eq!(said(&bench.window(&thread).await), ["I heard you."]);
    assert!(!bench.sandbox.model.calls_with("please list the files instead").is_empty());
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_once_are_all_there_and_close_with_the_turn() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = (0..5).fold(Script::new(), |s, n| s.bash(format!("touch file-{n}")));
    let turn = bench.send(&thread, &script.step().text("ok")).await;
    let asks = bench.see(&thread, |w| (w.requests.len() == 5).then(|| w.requests.clone())).await;
    assert_eq!(bench.row(&thread).await.open_requests, 5);
    for ask in &asks[..2] {
        bench.decide(ask, Decision::Once).await;
    }
    bench.see(&thread, |w| (w.requests.len() == 3).then_some(())).await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    let window = bench.window(&thread).await;
    assert!(window.requests.iter().all(|r| !matches!(r.state, RequestState::Open { .. })));
    assert_eq!(window.thread.open_requests, 0);
    bench.engine.shutdown().await;
}
