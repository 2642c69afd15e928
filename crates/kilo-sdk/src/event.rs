use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

use crate::ids::{MessageId, NetworkWaitId, PartId, PermissionId, QuestionId, SessionId};
use crate::json::mended;
use crate::types::{
    FileDiff, Message, MessageError, NetworkWait, Part, PermissionRequest, QuestionRequest,
    Session, Status, Todo,
};

/// Something that happened on the server.
///
/// Of Kilo's 119 kinds (7.7.7), those are typed that say something about a session or call for
/// reading something anew. The rest, and one whose shape is not as expected, is
/// [`Event::Unknown`]: nothing is lost.
#[expect(missing_docs, reason = "the fields are Kilo's and named as there; what is odd is said")]
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// `session.created`.
    SessionCreated(Box<Session>),
    /// `session.updated`.
    SessionUpdated(Box<Session>),
    /// `session.deleted`.
    SessionDeleted(Box<Session>),
    /// `session.status`; repeats are common.
    SessionStatus { session_id: SessionId, status: Status },
    /// `session.idle`. Does not mean that a turn has ended.
    SessionIdle { session_id: SessionId },
    /// `session.error`. Not always the end of the turn, and some are sent twice.
    SessionError { session_id: Option<SessionId>, error: MessageError },
    /// `session.turn.open`.
    TurnOpen { session_id: SessionId },
    /// `session.turn.close`.
    TurnClose { session_id: SessionId, parent_id: Option<SessionId>, reason: CloseReason },
    /// `session.queue.changed`: the prompts that wait for their turn.
    QueueChanged { session_id: SessionId, queued: Vec<MessageId> },
    /// `session.compacted`.
    SessionCompacted { session_id: SessionId },
    /// `session.diff`: the files the last prompt changed; only with snapshots on.
    SessionDiff { session_id: SessionId, diff: Vec<FileDiff> },
    /// `session.wakeup`.
    SessionWakeup { session_id: SessionId },
    /// `session.drain.interrupted`.
    DrainInterrupted { session_id: SessionId },
    /// `session.network.asked`: it waits for ever.
    NetworkAsked(NetworkWait),
    /// `session.network.replied`.
    NetworkReplied { session_id: SessionId, request_id: NetworkWaitId },
    /// `session.network.rejected`.
    NetworkRejected { session_id: SessionId, request_id: NetworkWaitId },
    /// `session.network.restored`.
    NetworkRestored { session_id: SessionId, request_id: NetworkWaitId },
    /// `message.updated`.
    MessageUpdated { session_id: SessionId, message: Message },
    /// `message.removed`.
    MessageRemoved { session_id: SessionId, message_id: MessageId },
    /// `message.part.updated`.
    PartUpdated { session_id: SessionId, part: Box<Part> },
    /// `message.part.delta`: text to append. `field` is `text` for text and reasoning alike.
    PartDelta {
        session_id: SessionId,
        message_id: MessageId,
        part_id: PartId,
        field: String,
        delta: String,
    },
    /// `message.part.removed`.
    PartRemoved { session_id: SessionId, message_id: MessageId, part_id: PartId },
    /// `permission.asked`.
    PermissionAsked(Box<PermissionRequest>),
    /// `permission.replied`; `reply` is `once`, `always` or `reject`.
    PermissionReplied { session_id: SessionId, request_id: PermissionId, reply: String },
    /// `question.asked`.
    QuestionAsked(Box<QuestionRequest>),
    /// `question.replied`.
    QuestionReplied { session_id: SessionId, request_id: QuestionId, answers: Vec<Vec<String>> },
    /// `question.rejected`.
    QuestionRejected { session_id: SessionId, request_id: QuestionId },
    /// `todo.updated`: the whole list.
    TodoUpdated { session_id: SessionId, todos: Vec<Todo> },
    /// `file.edited`.
    FileEdited { file: String },
    /// `server.connected`: the stream is open. Events of the next 0.3 s may be missing.
    ServerConnected,
    /// `server.heartbeat`, every 10 s.
    Heartbeat,
    /// `server.instance.disposed`: all turns in that directory were aborted.
    InstanceDisposed { directory: String },
    /// `global.disposed`: all turns were aborted.
    GlobalDisposed,
    /// `catalog.updated`: providers and models may have changed.
    CatalogUpdated,
    /// `integration.updated` or `integration.connection.updated`: likewise.
    IntegrationUpdated,
    /// `global.config.updated`: likewise.
    ConfigUpdated,
    /// Any other.
    Unknown {
        /// Kilo's name for it.
        kind: String,
        /// All it says.
        properties: Value,
    },
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// By itself.
    Completed,
    /// By a failure; the assistant's message says which.
    Error,
    /// It was aborted.
    Interrupted,
    /// A queued prompt took over.
    Superseded,
    /// One this crate does not know.
    Other(String),
}

impl Event {
    /// The session it is about, if it is about one. For a sub-agent, the sub-agent's.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::SessionCreated(s) | Self::SessionUpdated(s) | Self::SessionDeleted(s) => {
                Some(s.id.clone())
            }
            Self::SessionError { session_id, .. } => session_id.clone(),
            Self::NetworkAsked(wait) => Some(wait.session_id.clone()),
            Self::PermissionAsked(request) => Some(request.session_id.clone()),
            Self::QuestionAsked(request) => Some(request.session_id.clone()),
            Self::SessionStatus { session_id, .. }
            | Self::SessionIdle { session_id }
            | Self::TurnOpen { session_id }
            | Self::TurnClose { session_id, .. }
            | Self::QueueChanged { session_id, .. }
            | Self::SessionCompacted { session_id }
            | Self::SessionDiff { session_id, .. }
            | Self::SessionWakeup { session_id }
            | Self::DrainInterrupted { session_id }
            | Self::NetworkReplied { session_id, .. }
            | Self::NetworkRejected { session_id, .. }
            | Self::NetworkRestored { session_id, .. }
            | Self::MessageUpdated { session_id, .. }
            | Self::MessageRemoved { session_id, .. }
            | Self::PartUpdated { session_id, .. }
            | Self::PartDelta { session_id, .. }
            | Self::PartRemoved { session_id, .. }
            | Self::PermissionReplied { session_id, .. }
            | Self::QuestionReplied { session_id, .. }
            | Self::QuestionRejected { session_id, .. }
            | Self::TodoUpdated { session_id, .. } => Some(session_id.clone()),
            Self::Unknown { properties, .. } => {
                properties.get("sessionID").and_then(Value::as_str).map(SessionId::from)
            }
            Self::FileEdited { .. }
            | Self::ServerConnected
            | Self::Heartbeat
            | Self::InstanceDisposed { .. }
            | Self::GlobalDisposed
            | Self::CatalogUpdated
            | Self::IntegrationUpdated
            | Self::ConfigUpdated => None,
        }
    }
}

/// A frame of `/global/event`, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The directory it happened in; `global` for what has none (the plan checkpoint's question
    /// too, in Kilo 7.7.7).
    pub directory: Option<String>,
    /// Its id (`evt_…`), unique.
    pub id: Option<String>,
    /// What happened.
    pub event: Event,
}

impl Envelope {
    /// Decodes one frame's JSON. `Ok(None)` for a `sync` frame, which repeats what another frame
    /// says; it is skipped without being read through.
    ///
    /// # Errors
    /// If it is not the JSON of a frame.
    pub fn parse(json: &[u8]) -> serde_json::Result<Option<Self>> {
        let json = mended(json);
        let wire: Wire<'_> = serde_json::from_slice(&json)?;
        let payload = wire.payload;
        if payload.kind == "sync" {
            return Ok(None);
        }
        let properties = payload.properties.map_or("{}", RawValue::get);
        let event = match typed(&payload.kind, properties) {
            Ok(Some(event)) => event,
            Ok(None) => unknown(&payload.kind, properties)?,
            Err(error) => {
                tracing::warn!(kind = %payload.kind, %error, "an event is not shaped as expected");
                unknown(&payload.kind, properties)?
            }
        };
        Ok(Some(Self {
            directory: wire.directory.map(Cow::into_owned),
            id: payload.id.map(Cow::into_owned),
            event,
        }))
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    directory: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
}

fn unknown(kind: &str, properties: &str) -> serde_json::Result<Event> {
    Ok(Event::Unknown { kind: kind.to_owned(), properties: serde_json::from_str(properties)? })
}

/// All that the typed events carry besides whole requests. What a kind needs but does not find
/// makes it unknown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(rename = "sessionID")]
    session_id: Option<SessionId>,
    #[serde(rename = "parentID")]
    parent_id: Option<SessionId>,
    #[serde(rename = "messageID")]
    message_id: Option<MessageId>,
    #[serde(rename = "partID")]
    part_id: Option<PartId>,
    #[serde(rename = "requestID")]
    request_id: Option<String>,
    #[serde(borrow)]
    info: Option<&'a RawValue>,
    #[serde(borrow)]
    part: Option<&'a RawValue>,
    status: Option<Status>,
    error: Option<MessageError>,
    reason: Option<String>,
    queued: Option<Vec<MessageId>>,
    diff: Option<Vec<FileDiff>>,
    field: Option<String>,
    delta: Option<String>,
    reply: Option<String>,
    answers: Option<Vec<Vec<String>>>,
    todos: Option<Vec<Todo>>,
    file: Option<String>,
    directory: Option<String>,
}

fn typed(kind: &str, json: &str) -> serde_json::Result<Option<Event>> {
    use serde_json::from_str;
    let whole = match kind {
        "permission.asked" => Some(Event::PermissionAsked(from_str(json)?)),
        "question.asked" => Some(Event::QuestionAsked(from_str(json)?)),
        "session.network.asked" => Some(Event::NetworkAsked(from_str(json)?)),
        "server.connected" => Some(Event::ServerConnected),
        "server.heartbeat" => Some(Event::Heartbeat),
        "global.disposed" => Some(Event::GlobalDisposed),
        "catalog.updated" => Some(Event::CatalogUpdated),
        "integration.updated" | "integration.connection.updated" => Some(Event::IntegrationUpdated),
        "global.config.updated" => Some(Event::ConfigUpdated),
        _ => None,
    };
    if let Some(event) = whole {
        // A request without an id cannot be answered.
        return Ok((!nameless(&event)).then_some(event));
    }
    if !of_fields(kind) {
        return Ok(None);
    }
    from_str::<Fields<'_>>(json)?.event(kind)
}

fn nameless(event: &Event) -> bool {
    match event {
        Event::PermissionAsked(request) => !request.is_named(),
        Event::QuestionAsked(request) => !request.is_named(),
        Event::NetworkAsked(wait) => !wait.is_named(),
        _ => false,
    }
}

fn of_fields(kind: &str) -> bool {
    matches!(
        kind.split_once('.').map(|(head, _)| head),
        Some("session" | "message" | "permission" | "question" | "todo")
    ) || matches!(kind, "file.edited" | "server.instance.disposed")
}

impl Fields<'_> {
    fn event(self, kind: &str) -> serde_json::Result<Option<Event>> {
        if kind == "file.edited" {
            return Ok(self.file.map(|file| Event::FileEdited { file }));
        }
        if kind == "server.instance.disposed" {
            return Ok(self.directory.map(|directory| Event::InstanceDisposed { directory }));
        }
        if kind == "session.error" {
            let (session_id, error) = (self.session_id, self.error.unwrap_or_default());
            return Ok(Some(Event::SessionError { session_id, error }));
        }
        if kind.starts_with("session.") {
            return self.session(kind);
        }
        let Some(session_id) = self.session_id.clone() else { return Ok(None) };
        if kind.starts_with("message.") {
            return self.message(kind, session_id);
        }
        Ok(self.request(kind, session_id))
    }

    fn session(self, kind: &str) -> serde_json::Result<Option<Event>> {
        let info = |wrap: fn(Box<Session>) -> Event| {
            self.info.map(|raw| serde_json::from_str(raw.get()).map(wrap)).transpose()
        };
        match kind {
            "session.created" => return info(Event::SessionCreated),
            "session.updated" => return info(Event::SessionUpdated),
            "session.deleted" => return info(Event::SessionDeleted),
            _ => {}
        }
        let Some(session_id) = self.session_id else { return Ok(None) };
        let request_id = self.request_id.map(NetworkWaitId::from);
        Ok(match kind {
            "session.status" => {
                self.status.map(|status| Event::SessionStatus { session_id, status })
            }
            "session.idle" => Some(Event::SessionIdle { session_id }),
            "session.turn.open" => Some(Event::TurnOpen { session_id }),
            "session.turn.close" => self.reason.map(|reason| Event::TurnClose {
                session_id,
                parent_id: self.parent_id,
                reason: reason.into(),
            }),
            "session.queue.changed" => {
                self.queued.map(|queued| Event::QueueChanged { session_id, queued })
            }
            "session.compacted" => Some(Event::SessionCompacted { session_id }),
            "session.diff" => self.diff.map(|diff| Event::SessionDiff { session_id, diff }),
            "session.wakeup" => Some(Event::SessionWakeup { session_id }),
            "session.drain.interrupted" => Some(Event::DrainInterrupted { session_id }),
            "session.network.replied" => {
                request_id.map(|request_id| Event::NetworkReplied { session_id, request_id })
            }
            "session.network.rejected" => {
                request_id.map(|request_id| Event::NetworkRejected { session_id, request_id })
            }
            "session.network.restored" => {
                request_id.map(|request_id| Event::NetworkRestored { session_id, request_id })
            }
            _ => None,
        })
    }

    fn message(self, kind: &str, session_id: SessionId) -> serde_json::Result<Option<Event>> {
        let (message_id, part_id) = (self.message_id, self.part_id);
        Ok(match kind {
            "message.updated" => match self.info {
                Some(raw) => {
                    let message = serde_json::from_str(raw.get())?;
                    Some(Event::MessageUpdated { session_id, message })
                }
                None => None,
            },
            "message.part.updated" => match self.part {
                Some(raw) => {
                    let part = serde_json::from_str(raw.get())?;
                    Some(Event::PartUpdated { session_id, part })
                }
                None => None,
            },
            "message.removed" => {
                message_id.map(|message_id| Event::MessageRemoved { session_id, message_id })
            }
            "message.part.removed" => message_id.zip(part_id).map(|(message_id, part_id)| {
                Event::PartRemoved { session_id, message_id, part_id }
            }),
            "message.part.delta" => {
                let ids = message_id.zip(part_id);
                ids.zip(self.field.zip(self.delta)).map(
                    |((message_id, part_id), (field, delta))| Event::PartDelta {
                        session_id,
                        message_id,
                        part_id,
                        field,
                        delta,
                    },
                )
            }
            _ => None,
        })
    }

    fn request(self, kind: &str, session_id: SessionId) -> Option<Event> {
        match kind {
            "todo.updated" => self.todos.map(|todos| Event::TodoUpdated { session_id, todos }),
            "permission.replied" => {
                let request_id = self.request_id?.into();
                Some(Event::PermissionReplied {
                    session_id,
                    request_id,
                    reply: self.reply.unwrap_or_default(),
                })
            }
            "question.replied" => {
                let request_id = self.request_id?.into();
                Some(Event::QuestionReplied {
                    session_id,
                    request_id,
                    answers: self.answers.unwrap_or_default(),
                })
            }
            "question.rejected" => {
                let request_id = self.request_id?.into();
                Some(Event::QuestionRejected { session_id, request_id })
            }
            _ => None,
        }
    }
}

impl From<String> for CloseReason {
    fn from(reason: String) -> Self {
        match reason.as_str() {
            "completed" => Self::Completed,
            "error" => Self::Error,
            "interrupted" => Self::Interrupted,
            "superseded" => Self::Superseded,
            _ => Self::Other(reason),
        }
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
