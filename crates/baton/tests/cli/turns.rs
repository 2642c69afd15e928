//! Turns with the real Kilo and the scripted model.

use process::{Child, Stream};
use serde_json::{Value, json};
use testkit::model::Script;
use testkit::sandbox::Sandbox;

use crate::kit::{DEADLINE, Place, code, text};

#[tokio::test]
async fn a_command_without_a_server_runs_one_and_ends_it() {
    let sandbox = Sandbox::new().await.unwrap();
    let place = Place::with(sandbox.env.clone());
    let dir = text(&sandbox.project);
    let run = async |more: &[&str], prompt: String| {
        let arguments = [&["run", "--dir", &dir], more, &[prompt.as_str()]].concat();
        place.baton(&arguments).await
    };

    let ran = run(&[], Script::new().text("All is well.").prompt("say so")).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "All is well.\n"), "{}", ran.err);
    assert!(ran.err.contains("looking at Kilo"), "seconds of silence are explained: {}", ran.err);

    let ran = run(&["--json"], ask()).await;
    assert_eq!(ran.code, 3, "{}", ran.err);
    let end = last_line(&ran.out);
    assert_eq!((&end["type"], &end["state"]), (&json!("end"), &json!("interrupted")));
    assert_eq!(end["reason"], json!("needs_answer"));

    let script = Script::new().text("On it.").tool("bash", sleeping()).prompt("sleep");
    // As JSON, since a line of text is only one when it ends.
    let arguments = ["run", "--json", "--dir", &dir, "--access", "full", &script];
    let mut child = place.start(&arguments).await;
    wait_for_line(&mut child, "On it.").await;
    place.signal(&child, "INT").await;
    let exit = tokio::time::timeout(DEADLINE, child.wait()).await.unwrap().unwrap();
    assert_eq!(code(exit.status), 130, "{exit:?}");
    assert_eq!(exit.swept, 0, "no agent process is left");
}

#[tokio::test]
async fn a_running_server_is_used_and_keeps_the_thread() {
    let sandbox = Sandbox::new().await.unwrap();
    let place = Place::with(sandbox.env.clone());
    let mut server = place.serve(&["--port", "0"]).await;
    let dir = text(&sandbox.project);
    let script = Script::new().text("First.").then().text("Second.").prompt("go");
    let ran = place.baton(&["run", "--json", "--dir", &dir, &script]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let thread = last_line(&ran.out)["thread"].as_str().unwrap().to_owned();
    let ran = place.baton(&["run", "--thread", &thread, "and then?"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "Second.\n"), "{}", ran.err);
    let run = async |more: &[&str], prompt: String| {
        let arguments = [&["run", "--dir", &dir], more, &[prompt.as_str()]].concat();
        place.baton(&arguments).await
    };
    let ran = run(&["--access", "full", "--model", "mock/m1"], ask()).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "Looking.\n\nDone.\n"), "{}", ran.err);

    let ran = run(&["--model", "mock/none"], "hello".to_owned()).await;
    assert_eq!(ran.code, 2, "{}", ran.err);

    let ran = run(&["--json"], "fail".to_owned()).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    let end = last_line(&ran.out);
    assert_eq!(end["state"], json!("failed"));
    assert!(end["error"]["message"].is_string(), "{end}");
    assert!(ran.out.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));

    // What is asked stands on a line of its own, with where to answer it.
    let asking = ask();
    let mut child = place.start(&["run", "--dir", &dir, &asking]).await;
    let mut lines = child.take_lines().unwrap();
    let both = async {
        let (mut said, mut asked) = (false, false);
        while !(said && asked) {
            let line = lines.next().await.expect("it waits for the answer");
            said |= line.stream == Stream::Stdout && line.text == "Looking.";
            asked |= line.stream == Stream::Stderr && line.text.contains("/#/t/thr_");
        }
    };
    tokio::time::timeout(DEADLINE, both).await.unwrap();
    place.signal(&child, "INT").await;
    let exit = tokio::time::timeout(DEADLINE, child.wait()).await.unwrap().unwrap();
    assert_eq!(code(exit.status), 130, "{exit:?}");

    let ran = run(&["--no-wait"], ask()).await;
    assert_eq!(ran.code, 3, "{}", ran.err);

    let ran = place.baton(&["models", "--json"]).await;
    let models: Value = serde_json::from_str(&ran.out).unwrap();
    let all = models.as_array().unwrap();
    let kilo = all.iter().find(|listed| listed["provider"] == json!("kilo")).unwrap();
    assert!(kilo["models"].as_array().unwrap().iter().any(|m| m["id"] == json!("mock/m1")));
    assert_eq!(server.end().await, 0);
}

/// A message to which the model answers with a command that has to be approved.
fn ask() -> String {
    let command = json!({ "command": "echo asked", "description": "Ask" });
    Script::new().text("Looking.").tool("bash", command).step().text("Done.").prompt("do it")
}

fn sleeping() -> Value {
    json!({ "command": "sleep 600", "description": "Sleep" })
}

fn last_line(out: &str) -> Value {
    serde_json::from_str(out.lines().last().unwrap()).unwrap()
}

async fn wait_for_line(child: &mut Child, wanted: &str) {
    let mut lines = child.take_lines().unwrap();
    let found = async {
        while let Some(line) = lines.next().await {
            if line.stream == Stream::Stdout && line.text.contains(wanted) {
                return;
            }
        }
        panic!("it ended without `{wanted}`: {:?}", child.wait().await)
    };
    tokio::time::timeout(DEADLINE, found).await.unwrap();
}
