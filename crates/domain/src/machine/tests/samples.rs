//! Messages, items, requests and changes to try the machine with.

use uuid::Uuid;

use crate::{
    Access, Answer, Approval, ApprovalKind, Choice, Decision, Delivery, ErrorCode, ItemContent,
    Mode, ModelSelection, NewTurn, NoticeLevel, PlanDecision, ProjectId, ProviderId, Question,
    QuestionOption, RequestBody, Thread, ThreadId, ThreadPatch, TurnError, TurnId, TurnPatch,
};

pub(super) fn thread() -> Thread {
    Thread {
        model: Some(ModelSelection { model: "p/m".to_owned(), option: None }),
        ..Thread::new(
            ThreadId::from_uuid(Uuid::from_u128(1)),
            ProjectId::from_uuid(Uuid::from_u128(2)),
            "/w".to_owned(),
            ProviderId::known("kilo"),
            0,
        )
    }
}

pub(super) fn turn_id(n: u8) -> TurnId {
    TurnId::from_uuid(Uuid::from_u128(100 + u128::from(n)))
}

pub(super) fn message(n: u8) -> NewTurn {
    NewTurn::message(turn_id(n), &format!("message {n}"))
}

pub(super) fn steer(n: u8) -> NewTurn {
    NewTurn { delivery: Delivery::Steer, ..message(n) }
}

pub(super) fn failure() -> TurnError {
    TurnError {
        code: ErrorCode::ProviderError,
        message: "it broke".to_owned(),
        hint: None,
        retryable: true,
    }
}

pub(super) fn item_key(turn: u8, key: u8) -> String {
    format!("item-{turn}-{key}")
}

pub(super) fn request_key(turn: u8, key: u8) -> String {
    format!("ask-{turn}-{key}")
}

/// The text an item has in the end: repeated characters, wide ones, and one long enough to be
/// shortened where it travels.
pub(super) fn source(key: u8, version: u8) -> String {
    let unit = match key {
        0 => "aa",
        1 => "| 1 | 1 |\n",
        2 => "☕👍🏽",
        _ => "e\u{301}x",
    };
    let times = if key == 1 { 1200 } else { 12 };
    format!("{}{}", "≡".repeat(usize::from(version)), unit.repeat(times))
}

pub(super) fn content(key: u8) -> ItemContent {
    match key {
        0 => ItemContent::AgentMessage,
        1 => ItemContent::Command {
            command: "make".to_owned(),
            description: None,
            cwd: None,
            exit_code: None,
        },
        2 => ItemContent::Reasoning,
        _ => ItemContent::Notice { level: NoticeLevel::Info },
    }
}

/// The first `share` 255ths of a text.
pub(super) fn part(text: &str, share: u8) -> String {
    let chars = text.chars().count();
    text.chars().take(chars * usize::from(share) / 255).collect()
}

pub(super) fn body(kind: u8) -> RequestBody {
    match kind {
        0 => RequestBody::Approval(Approval {
            what: ApprovalKind::Command,
            permission: "bash".to_owned(),
            title: "run a command".to_owned(),
            command: Some("make".to_owned()),
            diff: None,
            path: None,
            url: None,
            details: Vec::new(),
            choices: [Decision::Once, Decision::Reject]
                .map(|decision| Choice {
                    decision,
                    covers: Vec::new(),
                    scope: "just this once".to_owned(),
                })
                .into(),
        }),
        1 => RequestBody::Question { questions: vec![question(false, false)] },
        _ => RequestBody::Plan { markdown: "# Plan".to_owned(), path: None, built_in: None },
    }
}

pub(super) fn question(multiple: bool, custom: bool) -> Question {
    let option =
        |label: &str| QuestionOption { label: label.to_owned(), description: String::new() };
    Question {
        header: "Colour".to_owned(),
        text: "Which colour?".to_owned(),
        options: vec![option("Red"), option("Blue")],
        multiple,
        custom,
        secret: false,
    }
}

pub(super) fn answer(kind: u8) -> Answer {
    match kind {
        0 => Answer::Approval { decision: Decision::Once, message: None },
        1 => Answer::Question { answers: vec![vec!["Red".to_owned()]] },
        _ => Answer::Plan { decision: PlanDecision::Accept, message: None },
    }
}

/// Changes of a waiting message, a long one among them.
pub(super) fn edit(n: u8) -> TurnPatch {
    let nothing = TurnPatch::default();
    match n {
        0 => TurnPatch { text: Some("another message".to_owned()), ..nothing },
        1 => TurnPatch { text: Some("line\n".repeat(4000)), mode: Some(Mode::Plan), ..nothing },
        2 => TurnPatch { text: Some(" ".to_owned()), mode: Some(Mode::Build), ..nothing },
        _ => TurnPatch {
            model: Some(ModelSelection { model: "p/other".to_owned(), option: None }),
            ..nothing
        },
    }
}

pub(super) fn patch(n: u8) -> ThreadPatch {
    let nothing = ThreadPatch::default();
    match n {
        0 => ThreadPatch { title: Some("Mine".to_owned()), ..nothing },
        1 => ThreadPatch { access: Some(Access::Full), ..nothing },
        2 => ThreadPatch { access: Some(Access::Supervised), ..nothing },
        3 => ThreadPatch { archived: Some(true), ..nothing },
        4 => ThreadPatch { archived: Some(false), ..nothing },
        5 => ThreadPatch { unread: Some(false), ..nothing },
        _ => ThreadPatch { title: Some(" ".to_owned()), ..nothing },
    }
}
