//! Titles: made of the first message beside its turn, and never in the place of a person's.

use domain::{ThreadId, ThreadPatch, TurnState};
use testkit::model::{Kind, Script};
use testkit::wait::{PATIENT, until};

use crate::harness::Bench;

fn asked(bench: &Bench) -> usize {
    bench.sandbox.model.calls().iter().filter(|call| call.kind == Kind::Title).count()
}

fn title(words: &str) -> String {
    serde_json::json!({ "title": words }).to_string()
}

async fn titled(bench: &Bench, thread: &ThreadId, words: &str) {
    until(PATIENT, || async {
        let title = bench.row(thread).await.title;
        if title == words { Ok(()) } else { Err(title) }
    })
    .await;
}

/// Waits until the agent has kept a title.
async fn kept(bench: &Bench, thread: &ThreadId, words: &str) {
    let session = bench.row(thread).await.session.expect("a session");
    let file = bench.transcript(&session);
    until(PATIENT, || async {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let line = format!("\"aiTitle\":\"{words}\"");
        if text.contains(&line) { Ok(()) } else { Err(text.len()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_gets_the_agent_s_title_of_its_first_message_by_one_request() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.sandbox.model.answer_titles(&Script::new().text(title("Marmalade in jars")));
    bench.run(&thread, &Script::new().text("First.")).await;
    titled(&bench, &thread, "Marmalade in jars").await;
    kept(&bench, &thread, "Marmalade in jars").await;
    bench.sandbox.model.answer_titles(&Script::new().text(title("Something else")));
    bench.run(&thread, &Script::new().text("Second.")).await;
    bench.claude_restart().await;
    bench.run(&thread, &Script::new().text("Third.")).await;
    assert_eq!((asked(&bench), bench.row(&thread).await.title.as_str()), (1, "Marmalade in jars"));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_does_not_wait_for_its_title_and_a_person_s_title_stays() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.sandbox.model.answer_titles(&Script::new().wait("title").text(title("The model's")));
    let turn = bench.run(&thread, &Script::new().text("Done.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    bench.reached("title").await;
    let patch = ThreadPatch { title: Some("Mine".to_owned()), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.expect("a changed thread");
    bench.sandbox.model.release("title");
    kept(&bench, &thread, "The model's").await;
    bench.run(&thread, &Script::new().text("More.")).await;
    assert_eq!(bench.row(&thread).await.title, "Mine");
    assert_eq!(bench.window(&thread).await.turns.len(), 2, "a title is no turn");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_that_cannot_be_made_is_asked_for_a_few_times_and_harms_nothing() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.sandbox.model.answer_titles(&Script::new().status(400, "no titles here"));
    for n in 1..=5 {
        let turn = bench.run(&thread, &Script::new().text("Done.")).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
        let wanted = n.min(3);
        until(PATIENT, || async {
            let asked = asked(&bench);
            if asked == wanted { Ok(()) } else { Err(asked) }
        })
        .await;
    }
    assert!(bench.row(&thread).await.title.starts_with("Please do this"));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_the_agent_from_asking_its_model_on_the_side_is_asked_nothing() {
    let bench = Bench::start_with(|sandbox| {
        let env = serde_json::json!({ "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1" });
        let file = sandbox.home.path().join(".claude/settings.json");
        std::fs::write(file, serde_json::json!({ "env": env }).to_string()).expect("settings");
    })
    .await;
    let thread = bench.thread().await;
    for word in ["One.", "Two."] {
        bench.run(&thread, &Script::new().text(word)).await;
    }
    // What is asked is asked beside turns: after the end nothing is any more.
    bench.engine.shutdown().await;
    assert_eq!(asked(&bench), 0);
}
