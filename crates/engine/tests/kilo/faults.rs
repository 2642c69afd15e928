//! A bad link to Kilo: streams are cut, answers are lost, pages come where JSON was due.

use std::time::Duration;

use domain::{
    Access, Decision, ErrorCode, ItemContent, ItemStatus, ProviderProblemKind, ProviderState,
    ProviderStatus, RequestState, ThreadStatus, TurnState,
};
use providers::Provider;
use providers::kilo::Bounds;
use serde_json::json;
use testkit::faults::Fault;
use testkit::model::Script;
use testkit::wait::{PATIENT, until_true};

use crate::harness::{Bench, item, said};

/// A text in which any loss or repetition shows, with characters of every width.
fn text(words: std::ops::Range<u32>) -> String {
    words.map(|n| format!("{n} wörd 👍 aaaa | ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_over_and_over_loses_no_word_and_fails_no_turn() {
    let (bench, proxy) = Bench::behind_faults().await;
    let thread = bench.thread_with(Access::Full).await;
    let slowly = |script: Script, text: String| script.stream(text, 4, Duration::from_millis(4));
    let script = slowly(Script::new().reasoning("Let me see."), text(0..40)).wait("first");
    let script = slowly(script, text(40..80)).bash("echo one; echo two").step();
    let script = slowly(script, text(80..120)).wait("second").text("The end.");
    let turn = bench.send(&thread, &script).await;
    // Amid the text, at bytes that fall anywhere, a rune's middle included.
    for bytes in [1, 700, 2_223, 5_001] {
        let opened = proxy.streams_opened();
        proxy.cut_streams_after(bytes);
        until_true(PATIENT, || proxy.streams_opened() > opened).await;
    }
    bench.reached("first").await;
    // While nothing is said: what the model says next comes while the link is down.
    proxy.cut_streams();
    proxy.next("GET", "/global/event", 2, Fault::Page(502));
    bench.sandbox.model.release("first");
    bench.reached("second").await;
    proxy.cut_streams();
    bench.sandbox.model.release("second");
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), [text(0..80), text(80..120) + "The end."]);
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!((command.status, command.body.head.as_str()), (ItemStatus::Done, "one\ntwo\n"));
    let thought = item(&window, |c| *c == ItemContent::Reasoning);
    assert_eq!(thought.body.head, "Let me see.");
    assert_eq!(bench.row(&thread).await.status, ThreadStatus::Idle);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_was_wrong_when_its_turn_ended_is_put_right_before_the_next() {
    let (bench, proxy) = Bench::behind_faults().await;
    let thread = bench.thread_with(Access::Full).await;
    let script = Script::new().reasoning("Let me").wait("first").reasoning(" see.");
    let script = script.text("One ").wait("second").text("two.");
    let turn = bench.send(&thread, &script).await;
    let thought = |w: &domain::Window| {
        let of = |i: &&domain::Item| i.content == ItemContent::Reasoning && !i.body.is_empty();
        w.items.iter().find(of).cloned()
    };
    bench.reached("first").await;
    bench.see(&thread, thought).await;
    // What is thought to the end while the link is down cannot be read until the turn is over.
    proxy.next("GET", "/message", u32::MAX, Fault::Page(502));
    proxy.next("GET", "/global/event", u32::MAX, Fault::Page(502));
    proxy.cut_streams();
    bench.sandbox.model.release("first");
    bench.reached("second").await;
    proxy.mend("GET", "/global/event");
    let unread = || {
        let failed = |s: &testkit::faults::Seen| s.path.ends_with("/message") && s.fault.is_some();
        proxy.seen().iter().any(failed)
    };
    until_true(PATIENT, unread).await;
    bench.sandbox.model.release("second");
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let before = bench.window(&thread).await;
    assert_eq!(item(&before, |c| *c == ItemContent::Reasoning).body.head, "Let me");

    proxy.mend("GET", "/message");
    bench.run(&thread, &Script::new().text("Three.")).await;
    let window = bench.window(&thread).await;
    assert_eq!(item(&window, |c| *c == ItemContent::Reasoning).body.head, "Let me see.");
    assert_eq!(said(&window), ["One two.", "Three."]);
    assert_eq!(window.turns[0], turn, "the turn stays as it ended");
    let ids = |w: &domain::Window| -> Vec<_> {
        w.items.iter().filter(|i| i.turn_id == turn.id).map(|i| i.id.clone()).collect()
    };
    assert_eq!(ids(&window), ids(&before));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_nothing_while_its_heart_beats_holds_up_neither_stop_nor_turn() {
    let bounds = Bounds {
        check_every: Duration::from_millis(500),
        answer_within: Duration::from_secs(2),
        silent_for: Duration::from_secs(30),
        hung_for: Duration::from_secs(30),
        ..Bounds::default()
    };
    let (bench, proxy) = Bench::behind_faults_bounded(bounds).await;
    let (stopped, left) = (bench.thread().await, bench.thread().await);
    let mut turns = Vec::new();
    for thread in [&stopped, &left] {
        let turn = bench.send(thread, &Script::new().text("Half").wait("never").text("!")).await;
        bench.see(thread, |w| said(w).contains(&"Half").then_some(())).await;
        turns.push(turn);
    }
    let (streams, pid) = (proxy.streams_opened(), bench.kilo.server_pid().await);
    // No request is answered any more; the event stream that is open goes on.
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        proxy.next(method, "", u32::MAX, Fault::Hang);
    }
    bench.engine.stop(&stopped).await.expect("a stop");
    let turn = bench.ended(&stopped, &turns[0]).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Interrupted, &None));
    let other = bench.window(&left).await.turns[0].clone();
    assert_eq!(other.state, TurnState::Running, "the stop did not wait for the server's end");
    assert_eq!((proxy.streams_opened(), bench.kilo.server_pid().await), (streams, pid));

    // Nobody stops the other one: the server is ended, and with it what it cannot finish.
    let turn = bench.ended(&left, &turns[1]).await;
    assert_eq!(turn.error.map(|e| e.code), Some(ErrorCode::AgentDied));
    assert_eq!(said(&bench.window(&left).await), ["Half"]);
    for method in ["GET", "POST", "PATCH", "DELETE"] {
        proxy.mend(method, "");
    }
    for thread in [&stopped, &left] {
        let turn = bench.run(thread, &Script::new().text("Going on.")).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    }
    assert_ne!(bench.kilo.server_pid().await, pid);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_sending_was_cut_is_never_sent_twice() {
    let (bench, proxy) = Bench::behind_faults().await;
    let lost = bench.thread().await;
    proxy.next("POST", "/prompt_async", 1, Fault::Lose);
    let turn = bench.run(&lost, &Script::new().text("Once only.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(said(&bench.window(&lost).await), ["Once only."]);
    assert_eq!(proxy.arrived("POST", "/prompt_async"), 1);

    // One that never got there is said to have not been taken, and can be sent again.
    let refused = bench.thread().await;
    proxy.next("POST", "/prompt_async", 1, Fault::Refuse);
    let turn = bench.run(&refused, &Script::new().text("Not heard.")).await;
    assert_eq!(turn.state, TurnState::Failed);
    assert_eq!(turn.error.map(|e| (e.code, e.retryable)), Some((ErrorCode::NotAccepted, true)));
    let turn = bench.run(&refused, &Script::new().text("Heard.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(said(&bench.window(&refused).await), ["Heard."]);
    assert_eq!(proxy.arrived("POST", "/prompt_async"), 2);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_cut_is_given_again_or_found_given() {
    let (bench, proxy) = Bench::behind_faults().await;
    let thread = bench.thread().await;
    let script = |name: &str| {
        let command = format!("touch {name}");
        Script::new().bash(command).step().text("Done that.")
    };
    // Kilo has it, though nobody says so.
    let turn = bench.send(&thread, &script("one")).await;
    let request = bench.asked(&thread).await;
    proxy.next("POST", "/reply", 1, Fault::Lose);
    bench.decide(&request, Decision::Once).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert!(bench.file("one").is_some());

    // Kilo never had it: it is asked again, with what went wrong, and answered.
    let turn = bench.send(&thread, &script("two")).await;
    let request = bench.asked(&thread).await;
    proxy.next("POST", "/reply", 1, Fault::Page(502));
    bench.decide(&request, Decision::Once).await;
    let again = bench
        .see(&thread, |w| {
            let failed =
                |r: &&domain::Request| matches!(&r.state, RequestState::Open { problem: Some(_) });
            w.requests.iter().find(failed).cloned()
        })
        .await;
    assert_eq!(again.id, request.id);
    assert!(bench.file("two").is_none(), "it ran unasked");
    bench.decide(&again, Decision::Once).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert!(bench.file("two").is_some());
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_where_json_was_due_is_said_and_the_thread_goes_on() {
    let (bench, proxy) = Bench::behind_faults().await;
    let thread = bench.thread().await;
    for fault in [Fault::Page(200), Fault::PageInstead(500)] {
        proxy.next("POST", "/session", 1, fault);
        let turn = bench.run(&thread, &Script::new().text("no")).await;
        assert_eq!(turn.state, TurnState::Failed);
        let error = turn.error.expect("why");
        assert_eq!(error.code, ErrorCode::AgentUnavailable);
        assert!(error.retryable && error.message.contains("not JSON"), "{error:?}");
    }
    let turn = bench.run(&thread, &Script::new().text("Here I am.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(said(&bench.window(&thread).await), ["Here I am."]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_not_known_is_named_and_ends_nothing() {
    let (bench, proxy) = Bench::behind_faults().await;
    let thread = bench.thread().await;
    let script = Script::new().text("One ").wait("gate").text("two.");
    let turn = bench.send(&thread, &script).await;
    bench.reached("gate").await;
    let session = bench.row(&thread).await.session;
    let tell = |kind: &str| {
        let payload =
            json!({ "id": "evt_1", "type": kind, "properties": { "sessionID": session } });
        proxy.tell(&json!({ "directory": bench.sandbox.project, "payload": payload }));
    };
    // This one is known and left aside.
    tell("file.watcher.updated");
    for kind in ["tea.served", "session.tea"] {
        tell(kind);
        let named = |status: &ProviderStatus| {
            let mut told = status.problems.iter();
            told.any(|p| p.kind == ProviderProblemKind::UnknownEvents && p.message.contains(kind))
        };
        let mut status = bench.kilo.status();
        tokio::time::timeout(PATIENT, status.wait_for(named)).await.expect("named").unwrap();
    }
    bench.sandbox.model.release("gate");
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, turn.error), (TurnState::Completed, None));
    assert_eq!(said(&bench.window(&thread).await), ["One two."]);
    let status = bench.kilo.status().borrow().clone();
    let [problem] = status.problems.as_slice() else { panic!("{:?}", status.problems) };
    assert!(problem.message.starts_with("Kilo tells of `session.tea`, `tea.served`, which"));
    assert_eq!(status.state, ProviderState::Ready);
    bench.engine.shutdown().await;
}
