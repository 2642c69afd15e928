//! What Kilo asks: permissions, questions, plans.

use domain::{
    Access, Answer, ApprovalKind, Decision, Input, ItemStatus, RequestBody, RequestState,
};
use kilo_sdk::{MessageId, SessionId};
use serde_json::json;

use super::super::MAX_ASKS;
use super::frames::{
    ANSWER, PROMPT, ROOT, answering, asked, assistant, close, frame, part, replied, status, tool,
    user,
};
use super::play::Play;
use super::recorded::Server;

#[test]
fn every_permission_is_shown_with_what_it_covers() {
    let cases = [
        ("bash", ApprovalKind::Command),
        ("edit", ApprovalKind::Edit),
        ("read", ApprovalKind::Read),
        ("grep", ApprovalKind::Read),
        ("glob", ApprovalKind::Read),
        ("external_directory", ApprovalKind::OutsideWorkspace),
        ("webfetch", ApprovalKind::Web),
        ("websearch", ApprovalKind::Web),
        ("task", ApprovalKind::SubAgent),
        ("doom_loop", ApprovalKind::Loop),
        ("skill", ApprovalKind::Other),
        ("notes_add_note", ApprovalKind::Mcp),
        ("board_post", ApprovalKind::Other),
        ("hologram", ApprovalKind::Other),
    ];
    for (permission, what) in cases {
        let mut play = answering();
        let more = json!({ "patterns": ["the pattern"], "always": ["a *"],
            "metadata": { "strange": "fact" } });
        play.event(&asked("per_1", ROOT, permission, &more));
        let request = play.requests.values().next().expect("it is shown");
        let RequestBody::Approval(approval) = &request.body else { panic!("{permission}") };
        assert_eq!((approval.what, approval.permission.as_str()), (what, permission));
        assert!(approval.details.contains(&("strange".to_owned(), "fact".to_owned())));
        let shown = format!("{approval:?}");
        assert!(shown.contains("the pattern"), "{permission}: what it is about is said: {shown}");
        let decisions: Vec<Decision> = approval.choices.iter().map(|c| c.decision).collect();
        assert_eq!(
            decisions,
            [Decision::Once, Decision::Session, Decision::Reject, Decision::Always]
        );
        let covering = approval.choices.iter().filter(|c| !c.covers.is_empty());
        assert!(covering.into_iter().all(|c| c.covers[0].contains("a *")), "{permission}");
    }
    let mut play = answering();
    play.event(&asked("per_1", ROOT, "bash", &json!({})));
    let request = play.requests.values().next().unwrap();
    let RequestBody::Approval(approval) = &request.body else { panic!() };
    assert_eq!(approval.choices.len(), 2, "what covers nothing more is not offered");
}

#[test]
fn what_is_asked_is_bounded_and_says_what_is_missing() {
    let mut play = answering();
    let long = "x".repeat(300_000);
    let more = json!({ "patterns": [long], "always": vec!["a *"; 300],
        "metadata": { "command": format!("{long}; rm -rf /"), "strange": long } });
    play.event(&asked("per_1", ROOT, "bash", &more));
    let request = play.requests.values().next().unwrap();
    let RequestBody::Approval(approval) = &request.body else { panic!() };
    let command = approval.command.as_ref().unwrap();
    assert!(command.len() < 70_000 && command.ends_with("x; rm -rf /"));
    assert!(command.contains("more characters"));
    assert_eq!(approval.choices[1].covers.last().unwrap(), "… 100 more");
    assert!(approval.details.iter().all(|(_, value)| value.len() < 20_000));
}

#[test]
fn asks_beyond_the_bound_are_found_when_there_is_room_again() {
    let mut play = answering();
    for n in 0..=MAX_ASKS {
        play.event(&asked(&format!("per_{n}"), ROOT, "bash", &json!({})));
    }
    assert_eq!((play.open_requests(), play.resync), (MAX_ASKS, false));
    play.event(&replied("per_7", "once"));
    assert!(play.resync, "the session says which wait");
}

#[test]
fn asks_are_closed_by_their_reply_and_by_the_end() {
    let mut play = answering();
    play.event(&asked("per_1", ROOT, "bash", &json!({})));
    play.event(&asked("per_2", ROOT, "bash", &json!({})));
    play.event(&asked("per_1", ROOT, "bash", &json!({})));
    assert_eq!(play.open_requests(), 2);
    play.event(&replied("per_1", "once"));
    play.event(&replied("per_1", "once"));
    assert_eq!(play.open_requests(), 1);
    play.event(&close("interrupted"));
    assert_eq!(play.open_requests(), 0);
}

#[test]
fn asks_are_those_of_the_session_after_it_was_read() {
    let mut play = answering();
    let events = vec![
        user(ROOT, PROMPT),
        status(&json!({ "type": "busy" })),
        asked("per_2", ROOT, "bash", &json!({})),
        asked("per_3", "ses_of_another_thread", "bash", &json!({})),
    ];
    play.event(&asked("per_1", ROOT, "bash", &json!({})));
    play.merge(&Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT)));
    let state = |key: &str| play.requests.values().find(|r| r.key == key).map(|r| r.state.clone());
    assert!(matches!(state("per_1"), Some(RequestState::Withdrawn { .. })));
    assert!(matches!(state("per_2"), Some(RequestState::Open { .. })));
    assert_eq!(state("per_3"), None);
}

#[test]
fn what_the_access_implies_is_not_asked() {
    let asks = |access: Access, permission: &str| {
        let mut play = answering();
        play.mapper.set_access(access);
        play.event(&asked("per_1", ROOT, permission, &json!({ "patterns": ["x"] })));
        (play.open_requests(), play.implied)
    };
    assert_eq!(asks(Access::Supervised, "edit"), (1, 0));
    assert_eq!(asks(Access::AutoEdit, "edit"), (0, 1));
    assert_eq!(asks(Access::AutoEdit, "bash"), (1, 0));
    assert_eq!(asks(Access::Full, "bash"), (0, 1));
}

#[test]
fn a_refused_call_is_declined_and_no_other_with_the_same_name() {
    // Some models count their calls from one in every answer.
    let mut play = answering();
    let running = json!({ "status": "running", "input": { "command": "a" } });
    let failed = json!({ "status": "error", "error": "no", "input": { "command": "a" } });
    let ask = |id: &str, message: &str| {
        let of = json!({ "tool": { "messageID": message, "callID": "call_1" } });
        asked(id, ROOT, "bash", &of)
    };
    play.event(&tool("prt_1", "bash", "call_1", &running));
    play.event(&ask("per_1", ANSWER));
    play.event(&replied("per_1", "reject"));
    play.event(&tool("prt_1", "bash", "call_1", &failed));
    play.event(&assistant(ROOT, "msg_3", PROMPT, &json!({})));
    let body = json!({ "type": "tool", "tool": "bash", "callID": "call_1", "state": failed });
    play.event(&part(ROOT, "msg_3", "prt_2", &body));
    play.event(&ask("per_2", ANSWER));
    let item = |key| play.item(key).unwrap();
    assert_eq!(item("prt_1").status, ItemStatus::Declined);
    assert_eq!(item("prt_2").status, ItemStatus::Failed);
    let about = play.requests.values().find(|r| r.key == "per_2").unwrap().item_id.clone();
    assert_eq!(about, Some(item("prt_1").id.clone()));
}

#[test]
fn kilos_own_question_about_snapshots_is_answered_for_the_person() {
    let mut play = answering();
    let question = json!({ "question": "Slow", "questionKey": "snapshot.slowRepo.question",
        "options": [{ "label": "Continue with snapshots" }] });
    let ask = json!({ "id": "que_1", "sessionID": ROOT, "questions": [question] });
    let mapped = play.mapper.apply(frame("question.asked", &ask));
    assert_eq!(mapped.housekeeping.unwrap().1, "Continue with snapshots");
    assert_eq!(mapped.events, []);
}

#[test]
fn a_plan_stays_as_it_was_read_when_the_session_is_read_again() {
    let written = tool(
        "prt_1",
        "write",
        "call_1",
        &json!({ "status": "completed",
            "input": { "filePath": "/repo/.kilo/plans/p.md", "content": "# First" } }),
    );
    let ended = tool(
        "prt_2",
        "plan_exit",
        "call_2",
        &json!({ "status": "completed", "metadata": { "plan": ".kilo/plans/p.md" } }),
    );
    let question = json!({ "question": "Ready?", "questionKey": "plan.followup.question",
        "options": [{ "label": "Continue here" }] });
    let ask = json!({ "id": "que_1", "sessionID": ROOT, "questions": [question] });
    let events = [
        user(ROOT, PROMPT),
        assistant(ROOT, ANSWER, PROMPT, &json!({})),
        status(&json!({ "type": "busy" })),
        written,
        ended,
        frame("question.asked", &ask),
    ];
    let mut play = answering();
    // It was changed by another tool since it was written.
    play.plan = Some("# Second".to_owned());
    for event in &events[2..] {
        play.event(event);
    }
    let plan = |play: &Play| match &play.requests.values().next().unwrap().body {
        RequestBody::Plan { markdown, .. } => markdown.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(play.text("prt_2"), Some("# Second"));
    assert_eq!(plan(&play), "# Second");
    play.merge(&Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT)));
    assert_eq!(play.text("prt_2"), Some("# Second"), "a person is reading it");
}

#[test]
fn an_approval_shows_what_the_tool_that_asks_is_given() {
    let shown =
        |name: &str, input: &serde_json::Value, permission: &str, more: serde_json::Value| {
            let mut play = answering();
            let running = json!({ "status": "running", "input": input });
            play.event(&tool("prt_1", name, "call_1", &running));
            let mut more = more;
            more["tool"] = json!({ "messageID": ANSWER, "callID": "call_1" });
            play.event(&asked("per_1", ROOT, permission, &more));
            match play.requests.into_values().next().unwrap().body {
                RequestBody::Approval(approval) => approval,
                other => panic!("{other:?}"),
            }
        };
    // The event has nothing but a pattern.
    let command = json!({ "command": "cat /etc/passwd", "description": "Look" });
    let bare = json!({ "patterns": ["/etc/*"] });
    let outside = shown("bash", &command, "external_directory", bare.clone());
    assert_eq!(outside.what, ApprovalKind::OutsideWorkspace);
    assert_eq!(outside.command.as_deref(), Some("cat /etc/passwd"));
    assert_eq!(outside.path.as_deref(), Some("/etc/*"));
    assert!(outside.details.contains(&("description".to_owned(), "Look".to_owned())));
    let read = json!({ "filePath": "/etc/passwd" });
    let outside = shown("read", &read, "external_directory", bare);
    assert_eq!(outside.path.as_deref(), Some("/etc/passwd"));
    assert_eq!(outside.details, [("tool".to_owned(), "read".to_owned())]);
    // As Kilo 7.7.7 asks for a command that reaches outside.
    let whole = json!({ "patterns": ["/etc/*"], "metadata": {
        "command": "cat /etc/passwd", "description": "Look", "directories": ["/etc"],
        "patterns": ["/etc/*"], "access": "read" } });
    let outside = shown("bash", &command, "external_directory", whole);
    assert_eq!(outside.command.as_deref(), Some("cat /etc/passwd"));
    let details: Vec<_> = outside.details.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(details, ["access", "description"]);
    // An MCP tool's ask says nothing of its arguments.
    let note = shown(
        "notes_add_note",
        &json!({ "text": "hi" }),
        "notes_add_note",
        json!({
        "patterns": ["*"], "metadata": {} }),
    );
    assert_eq!((note.what, note.details), (ApprovalKind::Mcp, vec![("text".into(), "hi".into())]));
}

#[test]
fn what_kilo_cannot_list_stays_open() {
    let mut play = answering();
    play.event(&asked("per_1", ROOT, "webfetch", &json!({})));
    let events = [user(ROOT, PROMPT), status(&json!({ "type": "busy" }))];
    let mut snapshot =
        Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT));
    snapshot.permissions = None;
    play.merge(&snapshot);
    assert_eq!(play.open_requests(), 1);
}

#[test]
fn rejecting_one_takes_the_others_and_that_is_said() {
    let mut play = answering();
    for id in ["per_1", "per_2"] {
        play.event(&asked(id, ROOT, "bash", &json!({})));
    }
    play.event(&asked("per_3", "ses_other", "bash", &json!({})));
    let id = |play: &Play, key: &str| {
        play.requests.values().find(|r| r.key == key).map(|r| r.id.clone()).unwrap()
    };
    let answer = Answer::Approval { decision: Decision::Reject, message: None };
    let request = id(&play, "per_1");
    play.input(Input::Answer { request, answer: answer.clone() });
    play.event(&replied("per_1", "reject"));
    play.event(&replied("per_2", "reject"));
    let state = |key: &str| play.requests[&id(&play, key)].state.clone();
    assert_eq!(state("per_1"), RequestState::Resolved { answer: Some(answer) });
    let reason = "it was rejected together with another request".to_owned();
    assert_eq!(state("per_2"), RequestState::Withdrawn { reason });
    let elsewhere = || {
        let mut play = answering();
        play.event(&asked("per_1", ROOT, "bash", &json!({})));
        play.event(&replied("per_1", "reject"));
        play.requests.into_values().next().unwrap().state
    };
    assert_eq!(elsewhere(), RequestState::Resolved { answer: None });
}

#[test]
fn full_access_answers_nothing_for_an_agent_that_plans() {
    let asks = |agents: &[&str]| {
        let mut play = Play::new(&SessionId::from(ROOT), &[MessageId::from(PROMPT)]);
        play.mapper.set_access(Access::Full);
        for (n, agent) in agents.iter().enumerate() {
            let info = json!({ "id": format!("msg_{}", n + 1), "sessionID": ROOT, "role": "user",
                "agent": agent });
            play.event(&frame("message.updated", &json!({ "sessionID": ROOT, "info": info })));
        }
        play.event(&asked("per_1", ROOT, "notes_add_note", &json!({ "patterns": ["*"] })));
        (play.open_requests(), play.implied)
    };
    assert_eq!(asks(&["plan"]), (1, 0));
    assert_eq!(asks(&["plan", "code"]), (0, 1), "its plan was accepted");
    assert_eq!(asks(&["code"]), (0, 1));
}

#[test]
fn what_is_asked_in_an_unknown_way_is_looked_for_and_shown_whatever_the_access() {
    let mut play = answering();
    play.mapper.set_access(Access::Full);
    let ask = json!({ "id": "per_1", "sessionID": ROOT, "action": "bash", "resources": ["rm"] });
    play.event(&frame("permission.v2.asked", &ask));
    assert_eq!((play.open_requests(), play.implied, play.resync), (1, 0, true));
    let request = play.requests.values().next().unwrap();
    let RequestBody::Approval(approval) = &request.body else { panic!() };
    assert_eq!(approval.permission, "permission.v2.asked");
    assert!(approval.details.contains(&("action".to_owned(), "bash".to_owned())));
    let decisions: Vec<Decision> = approval.choices.iter().map(|c| c.decision).collect();
    assert_eq!(decisions, [Decision::Once, Decision::Reject]);

    // It is on none of the lists that are read, and waits all the same.
    let events = vec![user(ROOT, PROMPT), status(&json!({ "type": "busy" }))];
    play.merge(&Server::after(&events).read(&SessionId::from(ROOT), &MessageId::from(PROMPT)));
    assert_eq!(play.open_requests(), 1);
    let replied = json!({ "sessionID": ROOT, "requestID": "per_1" });
    play.event(&frame("permission.v2.replied", &replied));
    assert_eq!(play.open_requests(), 0);

    let mut play = answering();
    play.event(&frame("permission.asked", &json!({ "id": 7, "sessionID": ROOT })));
    assert_eq!((play.open_requests(), play.resync), (0, true), "the lists may say which it is");
}
