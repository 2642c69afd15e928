//! Each answer to an approval, and what it covers.

use domain::{
    Access, Answer, Decision, ItemContent, ItemStatus, RequestState, ThreadPatch, ThreadStatus,
    TurnState, Window,
};
use serde_json::Value;
use testkit::faults::Fault;
use testkit::model::Script;
use testkit::wait::{PATIENT, until_true};

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
    let turn = bench.send(&thread, &Script::new().bash("touch two").step().text("ok")).await;
    let ask = bench.asked(&thread).await;
    assert_eq!(approval(&ask).command.as_deref(), Some("touch two"), "it was not covered");
    bench.decide(&ask, Decision::Reject).await;
    bench.ended(&thread, &turn).await;

    let other = bench.thread().await;
    let turn = bench.send(&other, &Script::new().bash("echo three").step().text("ok")).await;
    let ask = bench.asked(&other).await;
    bench.decide(&ask, Decision::Reject).await;
    bench.ended(&other, &turn).await;
    assert_eq!(kept(&bench), Value::Null, "the user's own configuration was written to");
    bench.engine.shutdown().await;
}

/// The permissions in the user's own configuration, whichever of Kilo's two files has them.
fn kept(bench: &Bench) -> Value {
    let dir = bench.sandbox.home.path().join(".config/kilo");
    let read = |name| {
        let text = std::fs::read_to_string(dir.join(name)).ok()?;
        let config: Value = serde_json::from_str(&text).ok()?;
        config.get("permission").cloned()
    };
    read("kilo.jsonc").or_else(|| read("kilo.json")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn always_holds_where_and_for_as_long_as_its_card_says() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    let echo = |words: &str| Script::new().bash(format!("echo {words}")).step().text("ok");
    let turn = bench.send(&thread, &echo("one")).await;
    let ask = bench.asked(&thread).await;
    let always = approval(&ask).choices.iter().find(|c| c.decision == Decision::Always);
    let always = always.expect("offered").clone();
    assert_eq!(always.covers, ["echo *"]);
    for said in ["in this project until Kilo is started anew", "Kilo's own configuration"] {
        assert!(always.scope.contains(said), "{always:?}");
    }
    bench.decide(&ask, Decision::Always).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);

    // It is written where it says, and holds in other threads of the project at once.
    until_true(PATIENT, || kept(&bench)["bash"]["echo *"] == "allow").await;
    let beside = bench.thread().await;
    let turn = bench.run(&beside, &echo("two")).await;
    assert_eq!(turn.state, TurnState::Completed, "asked in the same project");
    // Another project is under supervision as before: what Baton injects asks.
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().canonicalize().unwrap();
    let other = bench.thread_in(&path, Access::Supervised).await;
    let turn = bench.send(&other, &echo("three")).await;
    let ask = bench.asked(&other).await;
    bench.decide(&ask, Decision::Reject).await;
    bench.ended(&other, &turn).await;

    // Once Kilo is started anew, supervision asks again.
    bench.restart().await;
    let turn = bench.send(&thread, &echo("four")).await;
    let ask = bench.asked(&thread).await;
    bench.decide(&ask, Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
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
async fn ten_at_once_from_several_agents_outlive_a_broken_link_and_are_answered() {
    let (bench, proxy) = Bench::behind_faults().await;
    let thread = bench.thread().await;
    let touch = |script: Script, names: &[&str]| {
        names.iter().fold(script, |script, name| script.bash(format!("touch {name}")))
    };
    let first = touch(Script::new(), &["a0", "a1", "a2"]).step().text("The first is done.");
    let late = touch(Script::new().wait("late"), &["b0", "b1", "b2"]).step().text("And this.");
    let script = touch(Script::new(), &["r0", "r1", "r2", "r3", "r4"])
        .task("general", "Go first", &first)
        .task("general", "Go late", &late);
    let turn = bench.send(&thread, &script.step().text("All done.")).await;
    let open = |w: &Window, wanted: usize| {
        let open = w.requests.iter().filter(|r| matches!(r.state, RequestState::Open { .. }));
        let open: Vec<_> = open.cloned().collect();
        (open.len() == wanted).then_some(open)
    };
    let early = bench.see(&thread, |w| open(w, 8)).await;
    bench.reached("late").await;
    // While the link is down one is answered, and three more are asked.
    let opened = proxy.streams_opened();
    proxy.next("GET", "/global/event", 3, Fault::Page(502));
    proxy.cut_streams();
    let answered = early.iter().find(|r| r.from.is_none()).expect("the root asks");
    bench.decide(answered, Decision::Once).await;
    bench.sandbox.model.release("late");
    let asks = bench.see(&thread, |w| open(w, 10)).await;
    assert!(proxy.streams_opened() > opened);
    assert_eq!(asks.iter().filter(|r| r.from.is_none()).count(), 4);
    assert_eq!(bench.row(&thread).await.open_requests, 10);
    let agents = |w: &Window| -> Vec<(u32, u64, bool, ItemStatus)> {
        let agents = w.items.iter().filter_map(|i| match &i.content {
            ItemContent::SubAgent { steps, usage, waiting, .. } => {
                Some((*steps, usage.tokens(), *waiting, i.status))
            }
            _ => None,
        });
        agents.collect()
    };
    let window = bench.window(&thread).await;
    assert!(agents(&window).iter().all(|(_, _, waiting, _)| *waiting), "{:?}", agents(&window));
    for ask in &asks {
        bench.decide(ask, Decision::Once).await;
    }
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    for name in ["r0", "r1", "r2", "r3", "r4", "a0", "a1", "a2", "b0", "b1", "b2"] {
        assert!(bench.file(name).is_some(), "{name}");
    }
    let window = bench.window(&thread).await;
    let agents = agents(&window);
    assert_eq!(agents.len(), 2, "{agents:?}");
    for (steps, tokens, waiting, status) in &agents {
        assert_eq!((*steps, *waiting, *status), (2, false, ItemStatus::Done), "{agents:?}");
        assert!(*tokens > 0, "{agents:?}");
    }
    let below: u64 = agents.iter().map(|(_, tokens, _, _)| tokens).sum();
    assert!(turn.usage.tokens() > below, "the root's own steps count too");
    assert_eq!(bench.row(&thread).await.open_requests, 0);
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
