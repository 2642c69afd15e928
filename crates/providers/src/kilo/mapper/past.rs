//! A session's history, cut into the turns it was made of and mapped like what is streamed.

use domain::{
    AgentEvent, Context, FullText, InputKind, ItemStatus, Mode, ModelSelection, PastTurn, ThreadId,
    Timestamp, TurnEvent, TurnId, TurnOutcome,
};
use kilo_sdk::SessionId;
use kilo_sdk::types::{
    AssistantMessage, ErrorKind, Message, MessageWithParts, Part, PartBody, Session, Span,
};

use super::belonging::Source;
use super::{Mapped, Mapper, millis};
use crate::kilo::session;

/// A sub-agent's session with its messages.
pub(in crate::kilo) type ChildHistory = (Session, Vec<MessageWithParts>);

/// What became of a turn beside what its own messages say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing: no message waited for its end. One that came later shows, of a turn that wanted
    /// more, that it was cut between its steps.
    Alone,
    /// Kilo closed it for a message that waited.
    Superseded,
    /// Its message waited behind a turn that was aborted, which empties Kilo's queue: it was never
    /// taken up.
    Dropped,
}

/// Whether a turn begins with this message: it is the user's own, and not one that Kilo made up
/// in the middle of a turn (the go-ahead of a plan, what follows a compaction of its own).
pub(in crate::kilo) fn begins_turn(message: &MessageWithParts) -> bool {
    let Message::User(_) = &message.info else { return false };
    let made_up = |part: &Part| match &part.body {
        PartBody::Text(text) => text.synthetic,
        PartBody::Compaction { auto } => *auto,
        _ => false,
    };
    message.parts.is_empty() || !message.parts.iter().all(made_up)
}

impl Mapper {
    /// The turns of a history that begins with one, oldest first, and the context after the last.
    pub(in crate::kilo) fn past(
        &mut self,
        thread: &ThreadId,
        messages: &[MessageWithParts],
        children: &[ChildHistory],
        limit: impl Fn(&ModelSelection) -> Option<u64>,
    ) -> (Vec<PastTurn>, Option<Context>) {
        let (mut turns, mut context, mut before) = (Vec::new(), None, None);
        let mut rest = messages;
        while let Some((first, others)) = rest.split_first() {
            let length = others.iter().position(begins_turn).unwrap_or(others.len());
            let (own, later) = rest.split_at(length + 1);
            let end = later.first().and_then(|m| span(&m.info).start);
            let begin = span(&first.info).start;
            let within = |child: &&ChildHistory| {
                let at = child.0.time.created;
                begin.is_none_or(|begin| begin <= at) && end.is_none_or(|end| at < end)
            };
            let children: Vec<&ChildHistory> = children.iter().filter(within).collect();
            let last = answer(own);
            let way = match (last, before) {
                (Some(last), _) if there_at_end(last, end) => Way::Superseded,
                (None, Some(before)) if there_at_end(before, begin) && aborted(before) => {
                    Way::Dropped
                }
                _ => Way::Alone,
            };
            before = last;
            let (turn, after) = self.past_turn(thread, own, &children, way, &limit);
            turns.extend(turn);
            context = after.or(context);
            rest = later;
        }
        (turns, context)
    }

    /// What was written in the turns of a history, by the names of its parts; that of sub-agents
    /// is not among it. A text that is still being written, or was when Kilo ended, is none.
    pub(in crate::kilo) fn texts(
        &mut self,
        thread: &ThreadId,
        messages: &[MessageWithParts],
    ) -> Vec<(String, FullText)> {
        let (turns, _) = self.past(thread, messages, &[], |_| None);
        let written = turns.into_iter().flat_map(|turn| turn.events).filter_map(|(_, event)| {
            let TurnEvent::Item(item) = event else { return None };
            let done = item.status == ItemStatus::Done && item.content.is_written();
            item.body.filter(|_| done).map(|text| (item.key, text))
        });
        written.collect()
    }

    fn past_turn(
        &mut self,
        thread: &ThreadId,
        messages: &[MessageWithParts],
        children: &[&ChildHistory],
        way: Way,
        limit: impl Fn(&ModelSelection) -> Option<u64>,
    ) -> (Option<PastTurn>, Option<Context>) {
        let Some(first) = messages.first() else { return (None, None) };
        let id = first.info.id();
        let kind = if is_compaction(first) { InputKind::Compact } else { InputKind::Message };
        let model = model(messages);
        let context = model.as_ref().and_then(&limit);
        self.begin(TurnId::derive_past(thread, id.as_str()), id.clone(), kind, context);
        for (session, _) in children {
            self.session_created(session);
        }
        let root = self.root.clone();
        let mut told = Told::default();
        self.tell_history(&root, messages, &mut told);
        for (session, messages) in children {
            self.tell_history(&session.id, messages, &mut told);
        }
        let mut out = Mapped::default();
        match way {
            Way::Dropped => self.end(TurnOutcome::Interrupted, &mut out),
            Way::Alone | Way::Superseded => {
                self.conclude(messages, false, way == Way::Superseded, true, &mut out);
            }
        }
        let at = span(&first.info).start.and_then(millis).unwrap_or_default();
        let ends = messages.iter().filter_map(|m| span(&m.info).end.and_then(millis));
        told.take(out, None, ends.max().or(told.last).unwrap_or(at));
        self.abandon();
        let turn = PastTurn {
            key: id.as_str().to_owned(),
            kind,
            text: text(first),
            model,
            mode: mode(first),
            at,
            events: told.events,
        };
        (Some(turn), told.context)
    }

    fn tell_history(
        &mut self,
        session: &SessionId,
        messages: &[MessageWithParts],
        told: &mut Told,
    ) {
        for message in messages {
            let whole = span(&message.info);
            let begun = whole.start.and_then(millis).or(told.last).unwrap_or_default();
            let mut out = Mapped::default();
            self.message(session, &message.info, Source::Cut, &mut out);
            told.take(out, None, begun);
            for part in &message.parts {
                let own = part_span(part);
                let mut out = Mapped::default();
                let event = kilo_sdk::Event::PartUpdated {
                    session_id: session.clone(),
                    part: Box::new(part.clone()),
                };
                self.content(session, event, &mut out);
                let start = own.start.and_then(millis);
                let end = own.end.and_then(millis);
                let or = whole.end.and_then(millis).unwrap_or(begun);
                told.take(out, start, end.or(start).unwrap_or(or));
            }
        }
    }
}

/// What was told of a turn, and when.
#[derive(Default)]
struct Told {
    events: Vec<(Timestamp, TurnEvent)>,
    context: Option<Context>,
    last: Option<Timestamp>,
}

impl Told {
    /// Takes what came of a message or part that was begun and ended at these times.
    fn take(&mut self, out: Mapped, start: Option<Timestamp>, end: Timestamp) {
        self.last = Some(end);
        for event in out.events {
            match event {
                AgentEvent::Turn { event, .. } => {
                    if let (Some(start), TurnEvent::Item(item)) = (start, &event)
                        && item.status != ItemStatus::Running
                        && start < end
                    {
                        // An item's beginning is when it is first heard of.
                        let mut begun = item.clone();
                        begun.status = ItemStatus::Running;
                        begun.body = None;
                        begun.error = None;
                        self.events.push((start, TurnEvent::Item(begun)));
                    }
                    self.events.push((end, event));
                }
                AgentEvent::Context(context) => self.context = Some(context),
                AgentEvent::Session { .. }
                | AgentEvent::Title(_)
                | AgentEvent::Reconnecting(_)
                | AgentEvent::Elsewhere
                | AgentEvent::Lost(_) => {}
            }
        }
    }
}

fn span(message: &Message) -> Span {
    match message {
        Message::User(user) => user.time,
        Message::Assistant(assistant) => assistant.time,
        Message::Unknown(_) => Span::default(),
    }
}

/// The last answer of a turn.
fn answer(messages: &[MessageWithParts]) -> Option<&AssistantMessage> {
    messages.iter().rev().find_map(|message| match &message.info {
        Message::Assistant(answer) => Some(&**answer),
        Message::User(_) | Message::Unknown(_) => None,
    })
}

/// Whether a message of this time was there, waiting, when an answer ended.
fn there_at_end(answer: &AssistantMessage, message: Option<f64>) -> bool {
    message.zip(answer.time.end).is_some_and(|(message, end)| message <= end)
}

fn aborted(answer: &AssistantMessage) -> bool {
    answer.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Aborted)
}

fn part_span(part: &Part) -> Span {
    match &part.body {
        PartBody::Text(text) | PartBody::Reasoning(text) => text.time,
        PartBody::Tool(tool) => tool.state.time,
        _ => Span::default(),
    }
}

fn is_compaction(message: &MessageWithParts) -> bool {
    message.parts.iter().any(|part| matches!(part.body, PartBody::Compaction { auto: false }))
}

/// What the user wrote, and the names of what was attached.
fn text(message: &MessageWithParts) -> String {
    let lines = message.parts.iter().filter_map(|part| match &part.body {
        PartBody::Text(text) if !text.synthetic => Some(text.text.clone()),
        PartBody::File(file) => {
            let name = file.filename.as_deref().filter(|name| !name.is_empty());
            Some(format!("[attached: {}]", name.unwrap_or(&file.mime)))
        }
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn model(messages: &[MessageWithParts]) -> Option<ModelSelection> {
    // Kilo says of what has no variant that it is the default one.
    let named = |variant: &Option<String>| variant.clone().filter(|name| name != "default");
    messages.iter().find_map(|message| match &message.info {
        Message::Assistant(a) if !a.provider_id.is_empty() => Some(ModelSelection {
            model: format!("{}/{}", a.provider_id, a.model_id),
            option: named(&a.variant),
        }),
        Message::User(u) if messages.len() == 1 && !u.model.provider_id.is_empty() => {
            Some(ModelSelection { model: u.model.to_string(), option: None })
        }
        _ => None,
    })
}

fn mode(message: &MessageWithParts) -> Mode {
    match &message.info {
        Message::User(user) if user.agent == session::agent(Mode::Plan) => Mode::Plan,
        _ => Mode::Build,
    }
}
