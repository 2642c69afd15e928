//! Who answers what is asked, and how often.

use codex_sdk::RequestId;
use domain::{Access, Answer, Decision, Mode, RequestOutcome, TurnEvent};
use serde_json::{Value, json};

use super::super::{Automatic, answer};
use super::Player;

/// A turn that runs, with an item of a change to a file.
fn running(access: Access, mode: Mode) -> Player {
    let mut player = Player::open("t", "/w", access);
    player.begin("k", mode);
    player.frame(&json!({"method": "turn/started",
        "params": {"threadId": "t", "turn": {"id": "u"}}}));
    for (id, path) in [("inside", "/w/a"), ("outside", "/etc/a")] {
        let changes = json!([{"path": path, "kind": {"type": "add"}, "diff": "x\n"}]);
        player.frame(&json!({"method": "item/started", "params": {"threadId": "t",
            "turnId": "u", "item": {"type": "fileChange", "id": id, "changes": changes,
            "status": "inProgress"}}}));
    }
    player.told.clear();
    player
}

fn asks(id: u64, method: &str, more: &Value) -> Value {
    let mut params = json!({"threadId": "t", "turnId": "u"});
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    json!({"id": id, "method": method, "params": params})
}

fn command(id: u64) -> Value {
    asks(id, "item/commandExecution/requestApproval", &json!({"itemId": "c", "command": "ls"}))
}

fn file(id: u64, item: &str) -> Value {
    asks(id, "item/fileChange/requestApproval", &json!({"itemId": item}))
}

fn tool(id: u64) -> Value {
    asks(
        id,
        "mcpServer/elicitation/request",
        &json!({"serverName": "notes", "mode": "form",
        "message": "may it?", "_meta": {"codex_approval_kind": "mcp_tool_call",
        "tool_name": "add", "persist": ["session"]}}),
    )
}

fn question(id: u64) -> Value {
    asks(
        id,
        "item/tool/requestUserInput",
        &json!({"itemId": "q", "questions": [
        {"id": "one", "header": "H", "question": "Which?", "options": [{"label": "This"}]}]}),
    )
}

/// Whether a person is asked.
fn is_asked(player: &mut Player, frame: &Value) -> bool {
    let mapped = player.frame(frame);
    let asked = mapped
        .events
        .iter()
        .any(|event| matches!(event, domain::AgentEvent::Turn { event: TurnEvent::Asked(_), .. }));
    assert_ne!(asked, !mapped.replies.is_empty(), "it is answered once: {mapped:?}");
    asked
}

#[test]
fn each_access_asks_what_it_says() {
    let asked = |access, mode, frame: &Value| is_asked(&mut running(access, mode), frame);
    let every = [command(0), file(1, "inside"), file(2, "outside"), tool(3), question(4)];
    let row = |access, mode| every.clone().map(|frame| asked(access, mode, &frame));
    assert_eq!(row(Access::Supervised, Mode::Build), [true, true, true, true, true]);
    assert_eq!(row(Access::AutoEdit, Mode::Build), [true, false, true, true, true]);
    assert_eq!(row(Access::Full, Mode::Build), [false, false, false, false, true]);
    // Files are refused in a plan turn, and the rest is a person's.
    for access in [Access::Supervised, Access::AutoEdit, Access::Full] {
        assert_eq!(row(access, Mode::Plan), [true, false, false, true, true]);
        let refused = running(access, Mode::Plan).frame(&file(1, "inside"));
        let decline = Automatic::Answer(json!({"decision": "decline"}));
        assert_eq!(refused.replies[0].answer, decline);
    }
}

#[test]
fn an_edit_that_may_lead_out_by_a_link_is_looked_at_before_it_is_allowed() {
    let mut player = running(Access::AutoEdit, Mode::Build);
    let mapped = player.frame(&file(1, "inside"));
    let Automatic::IfInside { paths, key, .. } = &mapped.replies[0].answer else {
        panic!("{mapped:?}")
    };
    assert_eq!(paths, &["/w/a"]);
    let asked = player.mapper.ask_person(key);
    assert_eq!(asked.events.len(), 1);
    assert!(player.mapper.take_ask(key).is_some());
}

#[test]
fn a_request_is_answered_by_one_and_by_nobody_after() {
    let mut player = running(Access::Supervised, Mode::Build);
    player.frame(&command(7));
    let ask = player.mapper.take_ask("ask:p:7").unwrap();
    assert_eq!(player.mapper.take_ask("ask:p:7"), None, "two people answer");
    let given = Answer::Approval { decision: Decision::Once, message: None };
    assert_eq!(answer(&ask, &given), Some(json!({"decision": "accept"})));
    // More access comes too late for it.
    player.mapper.set_access(Access::Full);
    assert_eq!(player.mapper.allow_waiting().replies, []);
    assert!(player.mapper.answered("ask:p:7", &given).is_empty());
    let resolved = json!({"method": "serverRequest/resolved",
        "params": {"threadId": "t", "requestId": 7}});
    assert_eq!(player.frame(&resolved).events, []);
}

#[test]
fn what_waits_is_allowed_when_the_access_is_raised_and_questions_stay() {
    let mut player = running(Access::Supervised, Mode::Build);
    player.frame(&command(1));
    player.frame(&question(2));
    player.mapper.set_access(Access::Full);
    let mapped = player.mapper.allow_waiting();
    let ids: Vec<&RequestId> = mapped.replies.iter().map(|reply| &reply.id).collect();
    assert_eq!(ids, [&RequestId::from(json!(1))]);
    let closed =
        TurnEvent::AskClosed { key: "ask:p:1".to_owned(), outcome: RequestOutcome::Answered };
    assert!(mapped.events.iter().any(|event| {
        matches!(event, domain::AgentEvent::Turn { event, .. } if *event == closed)
    }));
    assert!(player.mapper.take_ask("ask:p:2").is_some());
    // Lowered again, what comes next asks.
    player.mapper.set_access(Access::Supervised);
    assert!(is_asked(&mut player, &command(3)));
}

#[test]
fn requests_of_nobody_are_refused_since_codex_waits_for_ever() {
    let mut player = running(Access::Full, Mode::Build);
    let mut stranger = command(1);
    stranger["params"]["turnId"] = json!("another");
    let mut other = command(2);
    other["params"]["threadId"] = json!("another");
    for frame in [stranger, other, asks(3, "item/tool/call", &json!({}))] {
        let mapped = player.frame(&frame);
        assert_eq!(mapped.replies[0].answer, Automatic::Refuse, "{frame}");
    }
    let told = player.told.iter().filter(|event| {
        matches!(event, domain::AgentEvent::Turn { event: TurnEvent::Item(_), .. })
    });
    assert_eq!(told.count(), 1, "what is new is said");
}

#[test]
fn a_question_stays_in_the_history_with_its_answer() {
    let mut player = running(Access::Supervised, Mode::Build);
    player.frame(&question(6));
    player.mapper.take_ask("ask:p:6").unwrap();
    let given = Answer::Question { answers: vec![vec!["This".to_owned(), "that".to_owned()]] };
    let events = player.mapper.answered("ask:p:6", &given);
    let [domain::AgentEvent::Turn { event: TurnEvent::Item(item), .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(matches!(item.content, domain::ItemContent::Question { .. }), "{item:?}");
    assert_eq!(item.status, domain::ItemStatus::Done);
    assert_eq!(item.body.as_ref().map(domain::FullText::as_str), Some("This, that"));

    let mut secret = question(7);
    secret["params"]["questions"][0]["isSecret"] = json!(true);
    player.frame(&secret);
    let events = player.mapper.answered("ask:p:7", &given);
    assert!(format!("{events:?}").contains("(hidden)"), "{events:?}");
    assert!(!format!("{events:?}").contains("that"), "{events:?}");
}

#[test]
fn answers_are_as_codex_takes_them() {
    let mut player = running(Access::Supervised, Mode::Build);
    let mut answered = |frame: Value, given: Answer| {
        player.frame(&frame);
        let ask = player.mapper.take_ask(&format!("ask:p:{}", frame["id"])).unwrap();
        answer(&ask, &given).unwrap()
    };
    let decide = |decision| Answer::Approval { decision, message: None };
    let mut lasting = command(1);
    lasting["params"]["proposedExecpolicyAmendment"] = json!(["ls"]);
    assert_eq!(
        answered(lasting, decide(Decision::Always)),
        json!({"decision": {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["ls"]}}})
    );
    assert_eq!(answered(command(2), decide(Decision::Session))["decision"], "acceptForSession");
    assert_eq!(answered(file(3, "inside"), decide(Decision::Reject))["decision"], "decline");
    let used = answered(tool(4), decide(Decision::Session));
    assert_eq!((&used["action"], &used["_meta"]["persist"]), (&json!("accept"), &json!("session")));
    assert_eq!(answered(tool(5), decide(Decision::Reject))["action"], "decline");
    let chosen = Answer::Question { answers: vec![vec!["This".to_owned()]] };
    assert_eq!(answered(question(6), chosen), json!({"answers": {"one": {"answers": ["This"]}}}));
    assert_eq!(answered(question(7), Answer::Dismiss), json!({"answers": {}}));
    let form = asks(
        8,
        "mcpServer/elicitation/request",
        &json!({"serverName": "notes",
        "mode": "form", "message": "Fill in", "requestedSchema": {"type": "object", "properties":
        {"count": {"type": "integer"}, "name": {"type": "string"}, "sure": {"type": "boolean"}}}}),
    );
    let filled = Answer::Question {
        answers: vec![vec!["3".to_owned()], vec!["x".to_owned()], vec!["true".to_owned()]],
    };
    let wanted = json!({"count": 3, "name": "x", "sure": true});
    assert_eq!(answered(form, filled)["content"], wanted);
}

#[test]
fn a_question_for_a_secret_says_so() {
    let asked = asks(
        0,
        "item/tool/requestUserInput",
        &json!({"itemId": "q", "questions": [
        {"id": "open", "question": "Who?"},
        {"id": "token", "question": "The token?", "isSecret": true, "isOther": true}]}),
    );
    let mapped = running(Access::Supervised, Mode::Build).frame(&asked);
    let domain::AgentEvent::Turn { event: TurnEvent::Asked(asked), .. } = &mapped.events[0] else {
        panic!("{mapped:?}")
    };
    let domain::RequestBody::Question { questions } = &asked.body else { panic!("{asked:?}") };
    assert_eq!(questions.iter().map(|q| q.secret).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_message_that_was_not_taken_when_its_turn_ended_is_an_ordinary_one() {
    let mut player = running(Access::Supervised, Mode::Build);
    let second = super::turn(2);
    assert_eq!(player.mapper.steer(second.clone(), "k2".to_owned()).as_deref(), Some("u"));
    let ended = player.frame(&json!({"method": "turn/completed",
        "params": {"threadId": "t", "turn": {"id": "u", "status": "interrupted"}}}));
    assert!(ended.unsteered);
    player.mapper.begin(second.clone(), "k2".to_owned(), domain::InputKind::Message, Mode::Build);
    player.told.clear();
    player.frame(&json!({"method": "turn/started",
        "params": {"threadId": "t", "turn": {"id": "u2"}}}));
    player.frame(&json!({"method": "item/completed", "params": {"threadId": "t", "turnId": "u2",
        "item": {"type": "userMessage", "id": "m", "clientId": "k2", "content": []}}}));
    let started = domain::AgentEvent::Turn { turn: second, event: TurnEvent::Started };
    assert_eq!(player.told, [started]);
}

#[test]
fn a_turn_that_was_left_before_it_began_is_nobody_s_when_it_begins() {
    let begins = |native: &str| json!({"method": "turn/started", "params": {"threadId": "t", "turn": {"id": native}}});
    let mut player = Player::open("t", "/w", Access::Supervised);
    let left = player.begin("k", Mode::Build);
    assert_eq!(player.mapper.native(&left, "u"), None);
    player.mapper.forget(&left);
    // Nor is it the next one's, of which Codex has not told the name yet.
    player.begin("k2", Mode::Build);
    assert_eq!(player.frame(&begins("u")).stray.as_deref(), Some("u"));
    assert!(player.frame(&begins("u2")).stray.is_none());
    let started = |event: &domain::AgentEvent| {
        matches!(event, domain::AgentEvent::Turn { event: TurnEvent::Started, .. })
    };
    assert_eq!(player.told.iter().filter(|event| started(event)).count(), 1);
    // One that was answered only after it was left is nobody's either, unless it has ended.
    assert_eq!(player.mapper.native(&left, "u3").as_deref(), Some("u3"));
    player.frame(&json!({"method": "turn/completed",
        "params": {"threadId": "t", "turn": {"id": "u4", "status": "completed"}}}));
    assert_eq!(player.mapper.native(&left, "u4"), None);
}
