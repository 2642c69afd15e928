//! Slash commands of Kilo: run under our message, held against the access, stopped, refused.

use std::path::Path;

use domain::{
    Access, Decision, Delivery, ErrorCode, ItemContent, ThreadId, Turn, TurnId, TurnState,
};
use testkit::model::Script;

use crate::harness::{Bench, approval, message};

const OUTSIDE: &str = "words from outside";

/// Gives the project commands; nothing of it is trusted yet.
fn configure(bench: &Bench, outside: &Path) {
    let shell = format!("!`touch {}`", outside.join("ran").display());
    let file = outside.join("file.txt");
    std::fs::write(&file, OUTSIDE).unwrap();
    let commands = bench.sandbox.project.join(".kilo/command");
    std::fs::create_dir_all(&commands).unwrap();
    for (name, text) in [
        // The last number takes all that is left, without quotation marks (Kilo 7.7.7).
        ("greet", "Do this: $ARGUMENTS\nGreet $1".to_owned()),
        ("own", "---\nmodel: mock/m2\n---\nOn its own model: $ARGUMENTS".to_owned()),
        ("broken", "---\nmodel: mock/nosuch\n---\nSay $ARGUMENTS".to_owned()),
        ("shell", format!("It said {shell}: $ARGUMENTS")),
        ("outside", format!("Read @{} and $ARGUMENTS", file.display())),
    ] {
        std::fs::write(commands.join(format!("{name}.md")), text).unwrap();
    }
}

async fn call(bench: &Bench, thread: &ThreadId, typed: &str, script: &Script) -> TurnId {
    bench.say(thread, &script.prompt(typed)).await
}

async fn run(bench: &Bench, thread: &ThreadId, typed: &str, script: &Script) -> Turn {
    let turn = call(bench, thread, typed, script).await;
    bench.ended(thread, &turn).await
}

/// How often the model was asked something with these words.
fn asked_for(bench: &Bench, words: &str) -> usize {
    bench.sandbox.model.calls_with(words).len()
}

async fn trust(bench: &Bench) {
    let project = bench.engine.projects().await.unwrap().remove(0);
    bench.engine.decide_trust(&project.id, true, project.fingerprint).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_as_the_turn_of_its_message_and_by_the_rules_of_the_access() {
    let outside = tempfile::tempdir().unwrap();
    let mut bench = Bench::start().await;
    configure(&bench, outside.path());
    let thread = bench.thread().await;

    // Of a project that is not trusted it is no command, as a name that Kilo does not know.
    let turn = run(&bench, &thread, "/greet nobody", &Script::new().text("Plain.")).await;
    assert_eq!(turn.state, TurnState::Completed, "{turn:?}");
    assert_eq!((asked_for(&bench, "/greet nobody"), asked_for(&bench, "Greet nobody")), (1, 0));
    trust(&bench).await;
    let turn = run(&bench, &thread, "/nosuch thing", &Script::new().text("Plain.")).await;
    assert_eq!((turn.state, asked_for(&bench, "/nosuch thing")), (TurnState::Completed, 1));

    // A permission is asked as ever, and a stop ends the turn.
    let script = Script::new().bash("touch made").step().text("never said");
    let turn = call(&bench, &thread, "/greet Sam", &script).await;
    let ask = bench.asked(&thread).await;
    assert_eq!(approval(&ask).permission, "bash");
    bench.engine.stop(&thread).await.unwrap();
    let ended = bench.ended(&thread, &turn).await;
    assert_eq!((ended.state, bench.file("made")), (TurnState::Interrupted, None));
    assert_eq!(asked_for(&bench, "Greet Sam"), 1);
    let typed = bench.engine.turn_text(&thread, &turn).await.unwrap();
    assert!(typed.starts_with("/greet Sam"), "what was typed is shown: {typed}");
    let window = bench.window(&thread).await;
    let echoed = window.items.iter().any(|i| i.content == ItemContent::UserMessage);
    assert!(!echoed, "what Kilo made of it is not: {:?}", window.items);

    // A file outside the project is asked for before the message is there; rejected, it stays out.
    let script = Script::new().text("Without it.");
    let turn = call(&bench, &thread, "/outside go on", &script).await;
    let ask = bench.asked(&thread).await;
    assert_eq!((&ask.turn_id, approval(&ask).permission.as_str()), (&turn, "external_directory"));
    bench.decide(&ask, Decision::Reject).await;
    let ended = bench.ended(&thread, &turn).await;
    assert_eq!(ended.state, TurnState::Completed, "{ended:?}");
    assert_eq!((asked_for(&bench, "go on"), asked_for(&bench, OUTSIDE)), (1, 0));
    // A stop while it is asked ends it; nothing is sent.
    let turn = call(&bench, &thread, "/outside never sent", &script).await;
    bench.asked(&thread).await;
    bench.engine.stop(&thread).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Interrupted);
    assert_eq!(asked_for(&bench, "never sent"), 0);

    // One that Baton's end overtakes there is not run again: it may have done something.
    let turn = call(&bench, &thread, "/outside once", &script).await;
    bench.asked(&thread).await;
    bench.restart().await;
    let ended = bench.ended(&thread, &turn).await;
    assert_ne!(ended.state, TurnState::Completed, "{ended:?}");
    assert_eq!(asked_for(&bench, "once"), 0);

    // What Kilo refuses fails with its reason, and the next message runs.
    let turn = run(&bench, &thread, "/broken", &Script::new().text("never")).await;
    let error = turn.error.clone().expect("a reason");
    assert_eq!((turn.state, error.code), (TurnState::Failed, ErrorCode::Rejected), "{turn:?}");
    assert!(error.message.contains("mock/nosuch"), "{error:?}");

    // Shell commands in its text ask nobody, so they run with full access alone.
    let ran = || outside.path().join("ran").exists();
    let turn = run(&bench, &thread, "/shell now", &Script::new().text("never")).await;
    assert_eq!((turn.state, ran()), (TurnState::Failed, false), "{turn:?}");
    let free = bench.thread_with(Access::Full).await;
    let turn = run(&bench, &free, "/shell now", &Script::new().text("It ran.")).await;
    assert_eq!((turn.state, ran()), (TurnState::Completed, true), "{turn:?}");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_waits_in_the_queue_or_steers_like_any_message() {
    let outside = tempfile::tempdir().unwrap();
    let bench = Bench::start().await;
    configure(&bench, outside.path());
    let thread = bench.thread_with(Access::Full).await;
    trust(&bench).await;
    let script = Script::new().text("One").wait("amid").text(" whole.").bash("echo x").step();
    let first = bench.send(&thread, &script.text("never said")).await;
    bench.reached("amid").await;
    let queued = call(&bench, &thread, "/greet Queue", &Script::new().text("Queued.")).await;
    let typed = Script::new().text("Steered.").prompt("/own words");
    let mut steering = message(&typed);
    steering.delivery = Delivery::Steer;
    let steered = bench.engine.send(&thread, steering).await.unwrap().id;
    let given = |t: &&Turn| t.id == steered && t.prompt_key.is_some();
    bench.see(&thread, |w| w.turns.iter().find(given).map(|_| ())).await;
    bench.sandbox.model.release("amid");
    for turn in [&first, &steered, &queued] {
        let turn = bench.ended(&thread, turn).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    }
    let window = bench.window(&thread).await;
    assert_eq!(crate::harness::said(&window), ["One whole.", "Steered.", "Queued."]);
    let calls = bench.sandbox.model.calls_with("On its own model: words");
    assert_eq!(calls.first().map(|call| call.model.as_str()), Some("m2"), "as its file says");
    let notice = |i: &&domain::Item| matches!(i.content, ItemContent::Notice { .. });
    let notices: Vec<_> = window.items.iter().filter(notice).collect();
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!(notice.turn_id, steered);
    assert!(notice.body.head.contains("mock/m2"), "{notice:?}");

    // Kilo takes longer to make a message of a command than to take one: it comes first all the same.
    let script = Script::new().text("Greeted").wait("greeting").text(".").bash("echo y").step();
    let first = call(&bench, &thread, "/greet First", &script.text("never said")).await;
    let mut steering = message(&Script::new().text("And then.").prompt("then"));
    steering.delivery = Delivery::Steer;
    let second = bench.engine.send(&thread, steering).await.unwrap().id;
    bench.reached("greeting").await;
    let given = |t: &&Turn| t.id == second && t.prompt_key.is_some();
    bench.see(&thread, |w| w.turns.iter().find(given).map(|_| ())).await;
    bench.sandbox.model.release("greeting");
    for turn in [&first, &second] {
        let turn = bench.ended(&thread, turn).await;
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    }
    let window = bench.window(&thread).await;
    let said = crate::harness::said(&window);
    assert!(said.ends_with(&["Greeted.", "And then."]), "{said:?}");
    bench.engine.shutdown().await;
}
