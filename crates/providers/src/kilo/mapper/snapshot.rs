//! Snapshots: a session as it was read, merged into what was told.

use std::collections::HashSet;

use domain::{ErrorCode, RequestOutcome, TurnError, TurnEvent, TurnOutcome};
use kilo_sdk::types::{
    AssistantMessage, ErrorKind, Message, MessageWithParts, NetworkWait, Part, PartBody,
    PermissionRequest, QuestionRequest, Session, Status, ToolStatus,
};
use kilo_sdk::{Event, SessionId};

use super::belonging::Source;
use super::steer::Next;
use super::{Active, Ask, AskKind, Mapped, Mapper, network_key};
use crate::kilo::errors;

/// A session as read at one moment.
#[derive(Default)]
pub(in crate::kilo) struct Snapshot {
    /// Whether the session has the turn's own message, which may be older than those read.
    pub(in crate::kilo) present: bool,
    /// The messages of the turn, oldest first; the oldest may be missing.
    pub(in crate::kilo) messages: Vec<MessageWithParts>,
    pub(in crate::kilo) children: Vec<(Session, Vec<MessageWithParts>)>,
    pub(in crate::kilo) status: Option<Status>,
    /// `None` when Kilo could not say: what is open then stays so.
    pub(in crate::kilo) permissions: Option<Vec<Placed<PermissionRequest>>>,
    pub(in crate::kilo) questions: Vec<Placed<QuestionRequest>>,
    pub(in crate::kilo) waits: Vec<Placed<NetworkWait>>,
    /// Whether the message may be trusted to have been taken up by now if it ever will.
    pub(in crate::kilo) settled: bool,
    /// Whether nothing was heard of the session for a while, so that nothing is on its way.
    pub(in crate::kilo) quiet: bool,
}

/// Something that is asked, and the directory to answer it in when that is not the session's.
#[derive(Debug, Clone)]
pub(in crate::kilo) struct Placed<T> {
    pub(in crate::kilo) directory: Option<String>,
    pub(in crate::kilo) ask: T,
}

impl Mapper {
    /// Merges a session as it was read: what differs from what was told is told.
    pub(in crate::kilo) fn merge(&mut self, snapshot: &Snapshot) -> Mapped {
        let mut out = Mapped::default();
        self.caught_up();
        self.merge_turn(snapshot, snapshot.present, snapshot.settled, &mut out);
        out
    }

    /// Merges what a session has of the running turn, and then of the one that followed it.
    fn merge_turn(&mut self, snapshot: &Snapshot, present: bool, settled: bool, out: &mut Mapped) {
        let Some(active) = &self.active else { return };
        let (turn, live) = (active.turn.clone(), active.echoed);
        let active_message = active.message.clone();
        let taken = self.is_taken(&snapshot.messages);
        let root = self.root.clone();
        for (session, _) in &snapshot.children {
            self.session_created(session);
        }
        let own = |m: &MessageWithParts| m.info.id() == active_message;
        let at = snapshot.messages.iter().position(own).unwrap_or_default();
        let messages = snapshot.messages.get(at..).unwrap_or_default();
        for message in messages {
            // What is of the message that waits comes when the running turn is over.
            if !self.of_next(&root, &message.info, &mut Mapped::default()) {
                self.history(&root, std::slice::from_ref(message), out);
            }
        }
        for (session, messages) in &snapshot.children {
            self.history(&session.id, messages, out);
        }
        if !taken {
            self.merge_asks(snapshot, out);
        }
        let busy = match &snapshot.status {
            None | Some(Status::Idle) => false,
            Some(_) if taken => false,
            Some(status) => {
                // What the turn is doing may have been hidden by a broken link: it is told anew.
                self.status(status, out);
                let phase = self.active.as_ref().and_then(|a| a.phase.clone());
                self.tell(TurnEvent::Phase(phase), out);
                true
            }
        };
        if let Some(outcome) = self.active.as_mut().and_then(Active::closed) {
            self.end(outcome, out);
        } else if taken || present && !busy {
            // A reading can be ahead of the stream, which may be about to say more.
            let over = snapshot.quiet && self.active.as_ref().is_some_and(|a| a.doubted);
            self.conclude(messages, live && !taken && !over, taken, settled, out);
        }
        if let Some(next) = self.active.as_ref().filter(|active| active.turn != turn) {
            let present = snapshot.messages.iter().any(|m| m.info.id() == next.message);
            self.merge_turn(snapshot, present, false, out);
        }
    }

    pub(super) fn history(
        &mut self,
        session: &SessionId,
        messages: &[MessageWithParts],
        out: &mut Mapped,
    ) {
        for message in messages {
            self.message(session, &message.info, Source::Read, out);
            for part in &message.parts {
                let event = Event::PartUpdated {
                    session_id: session.clone(),
                    part: Box::new(part.clone()),
                };
                self.content(session, event, out);
            }
        }
    }

    fn merge_asks(&mut self, snapshot: &Snapshot, out: &mut Mapped) {
        let (questions, waits) = (&snapshot.questions, &snapshot.waits);
        let permissions = snapshot.permissions.as_deref();
        let mut open: HashSet<String> = HashSet::new();
        open.extend(permissions.unwrap_or_default().iter().map(|p| p.ask.id.as_str().to_owned()));
        open.extend(questions.iter().map(|q| q.ask.id.as_str().to_owned()));
        open.extend(waits.iter().map(|w| network_key(w.ask.id.as_str())));
        let gone = |(key, ask): (&String, &Ask)| {
            let unsaid = permissions.is_none() && matches!(ask.kind, AskKind::Permission { .. });
            (ask.listed && !open.contains(key) && !unsaid).then(|| key.clone())
        };
        let gone: Vec<String> = self.asks.iter().filter_map(gone).collect();
        for key in gone {
            let session = self.asks.remove(&key).map(|ask| ask.session);
            let outcome = RequestOutcome::Gone;
            self.tell(TurnEvent::AskClosed { key, outcome }, out);
            if let Some(session) = session {
                self.refresh(&session, out);
            }
        }
        for Placed { directory, ask } in permissions.unwrap_or_default() {
            if self.owns(&ask.session_id) && !self.asks.contains_key(ask.id.as_str()) {
                self.permission(ask, directory.clone(), out);
            }
        }
        for Placed { directory, ask } in questions {
            if self.owns(&ask.session_id) && !self.asks.contains_key(ask.id.as_str()) {
                self.question(ask, directory.clone(), out);
            }
        }
        for Placed { directory, ask } in waits {
            let key = network_key(ask.id.as_str());
            if self.owns(&ask.session_id) && !self.asks.contains_key(&key) {
                self.network(ask, directory.clone(), out);
            }
        }
    }

    /// Ends a turn that the session no longer works on, by what its last message says. `live`
    /// says that events of it have been seen and may come, so its own end may still be on its way.
    ///
    /// `taken` says that Kilo took up a message that waited, which ends the turn between its
    /// steps; `settled`, that the message is old enough to have been taken up if it ever will.
    pub(super) fn conclude(
        &mut self,
        messages: &[MessageWithParts],
        live: bool,
        taken: bool,
        settled: bool,
        out: &mut Mapped,
    ) {
        let next = self.next.as_ref();
        let waits = taken || next.is_some_and(Next::is_there);
        let ours = |a: &AssistantMessage| {
            (self.messages.contains_key(&a.id) || self.is_of_turn(&a.parent_id))
                && !next.is_some_and(|next| next.is_answered_by(a))
        };
        let last = messages.iter().rev().find_map(|m| match &m.info {
            Message::Assistant(a) if ours(a) => Some((a, &m.parts)),
            _ => None,
        });
        let Some(active) = &mut self.active else { return };
        let outcome = match last {
            None if taken => TurnOutcome::Completed,
            None if !settled => return,
            None => TurnOutcome::Failed(active.error.clone().unwrap_or_else(unanswered)),
            Some((last, parts)) => match &last.error {
                Some(error) if error.kind == ErrorKind::Aborted => TurnOutcome::Interrupted,
                Some(error) => TurnOutcome::Failed(errors::turn_error(error)),
                None if last.time.end.is_none() => {
                    // Kilo is idle a moment before it says how a turn was cut.
                    if live {
                        active.doubted = true;
                        return;
                    }
                    TurnOutcome::Interrupted
                }
                // With a message waiting, Kilo does not ask the model again.
                None if !waits && wants_more(last, parts) => TurnOutcome::Interrupted,
                None => TurnOutcome::Completed,
            },
        };
        self.end(outcome, out);
    }
}

/// Whether an answer ended in tool calls whose results the model was yet to be given: the agent
/// ended in between. A call that was refused, or ends the turn itself, is followed by nothing.
fn wants_more(last: &AssistantMessage, parts: &[Part]) -> bool {
    let ends_turn = |part: &Part| match &part.body {
        PartBody::Tool(tool) => {
            tool.state.status == ToolStatus::Error
                || tool.state.metadata.contains_key("dismissed")
                || tool.tool == "plan_exit"
        }
        _ => false,
    };
    last.finish.as_deref() == Some("tool-calls") && !parts.iter().any(ends_turn)
}

fn unanswered() -> TurnError {
    TurnError {
        code: ErrorCode::AgentDied,
        message: "Kilo took the message but ended before it answered".to_owned(),
        hint: Some("send it again".to_owned()),
        retryable: true,
    }
}
