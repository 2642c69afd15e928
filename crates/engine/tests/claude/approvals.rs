//! Approvals and questions: each answer, and what comes of it.

use domain::{
    Answer, ApprovalKind, Decision, ItemContent, ItemStatus, RequestBody, RequestState, TurnState,
};
use serde_json::{Value, json};
use testkit::model::Script;

use crate::harness::{Bench, approval, item, said};

fn touch(file: &str) -> Value {
    json!({ "command": format!("touch {file}"), "description": "Make a file" })
}

#[tokio::test(flavor = "multi_thread")]
async fn once_allows_just_this_and_a_session_s_rule_holds_after_the_process_too() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().tool("Bash", touch("n.txt")).step();
    let twice = script.tool("Bash", touch("n.txt")).step().text("Done.");
    let turn = bench.send(&thread, &twice).await;
    let first = bench.asked(&thread).await;
    let asked = approval(&first);
    assert_eq!(
        (asked.what, asked.command.as_deref()),
        (ApprovalKind::Command, Some("touch n.txt"))
    );
    let decisions: Vec<_> = asked.choices.iter().map(|choice| choice.decision).collect();
    assert_eq!(decisions, [Decision::Once, Decision::Session, Decision::Reject]);
    assert!(asked.choices[1].covers.iter().any(|rule| rule.contains("touch n.txt")));
    // The command waits on the item it is about.
    let window = bench.window(&thread).await;
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!((Some(&command.id), command.status), (first.item_id.as_ref(), ItemStatus::Waiting));
    bench.decide(&first, Decision::Once).await;
    let second = bench
        .see(&thread, |w| {
            let open = |r: &&domain::Request| matches!(r.state, RequestState::Open { .. });
            w.requests.iter().filter(|r| r.id != first.id).find(open).cloned()
        })
        .await;
    bench.decide(&second, Decision::Session).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    // Nothing is written into the project's own settings, and another process goes by it as well.
    assert!(!bench.sandbox.project.join(".claude").exists());
    bench.claude_restart().await;
    let again = bench.run(&thread, &Script::new().tool("Bash", touch("n.txt"))).await;
    assert_eq!(again.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    assert!(window.requests.iter().all(|r| r.turn_id != again.id), "{:?}", window.requests);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_files_are_allowed_for_the_session_by_a_rule_and_the_access_stays() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let file = |name: &str| bench.sandbox.project.join(name).display().to_string();
    let write = |name: &str| json!({ "file_path": file(name), "content": "one\ntwo\n" });
    let edit = json!({ "file_path": file("a.txt"), "old_string": "one", "new_string": "ONE" });
    let script = Script::new().tool("Write", write("a.txt")).step();
    let script = script.tool("Write", write("b.txt")).step().tool("Edit", edit).step();
    let script = script.tool("Bash", touch("c.txt")).step().text("Done.");
    let turn = bench.send(&thread, &script).await;
    let request = bench.asked(&thread).await;
    let asked = approval(&request);
    assert_eq!((asked.what, asked.path.as_deref()), (ApprovalKind::Edit, Some("a.txt")));
    assert!(asked.diff.as_deref().is_some_and(|diff| diff.contains("+one\n+two")));
    bench.decide(&request, Decision::Session).await;
    // Neither the next file nor the edit asks; a command does.
    let next = bench
        .see(&thread, |w| {
            let open = |r: &&domain::Request| matches!(r.state, RequestState::Open { .. });
            w.requests.iter().filter(|r| r.id != request.id).find(open).cloned()
        })
        .await;
    assert_eq!(approval(&next).what, ApprovalKind::Command);
    bench.decide(&next, Decision::Reject).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert_eq!(bench.file("a.txt").as_deref(), Some("ONE\ntwo\n"));
    assert_eq!((bench.file("b.txt").is_some(), bench.file("c.txt")), (true, None));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_is_told_to_the_agent_with_its_reason_and_the_turn_goes_on() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().tool("Bash", touch("no.txt")).step().text("Another way then.");
    let turn = bench.send(&thread, &script).await;
    let request = bench.asked(&thread).await;
    let message = Some("use the other directory".to_owned());
    bench.answer(&request, Answer::Approval { decision: Decision::Reject, message }).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert_eq!(bench.file("no.txt"), None);
    let window = bench.window(&thread).await;
    assert_eq!(said(&window), ["Another way then."]);
    let command = item(&window, |c| matches!(c, ItemContent::Command { .. }));
    assert_eq!(command.status, ItemStatus::Declined);
    assert_eq!(command.error.as_deref(), Some("use the other directory"));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_with_labels_and_own_words_or_dismissed() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let option = |label: &str| json!({ "label": label, "description": "d" });
    let questions = json!({ "questions": [
        { "question": "Which one?", "header": "Pick", "multiSelect": false,
          "options": [option("A"), option("B")] },
        { "question": "Which of these?", "header": "More", "multiSelect": true,
          "options": [option("X"), option("Y"), option("Z")] },
        { "question": "What else?", "header": "Words", "multiSelect": false,
          "options": [option("P"), option("Q")] },
    ] });
    let script = Script::new().tool("AskUserQuestion", questions.clone()).step().text("Thanks.");
    let turn = bench.send(&thread, &script).await;
    let request = bench.asked(&thread).await;
    let RequestBody::Question { questions: asked } = &request.body else { panic!("questions") };
    assert_eq!(asked.iter().map(|q| q.multiple).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(asked[0].options[1].label, "B");
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let answers = vec![words(&["B"]), words(&["X", "Z"]), words(&["my own words"])];
    bench.answer(&request, Answer::Question { answers }).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    let asked = item(&window, |c| matches!(c, ItemContent::Question { .. }));
    assert_eq!(asked.status, ItemStatus::Done);
    assert_eq!(asked.body.head, "B\nX, Z\nmy own words");

    let turn = bench.send(&thread, &script).await;
    let request = bench.asked(&thread).await;
    bench.answer(&request, Answer::Dismiss).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let window = bench.window(&thread).await;
    let last =
        window.items.iter().rev().find(|i| matches!(i.content, ItemContent::Question { .. }));
    assert_eq!(last.map(|item| item.status), Some(ItemStatus::Declined));
    bench.engine.shutdown().await;
}
