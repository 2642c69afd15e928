//! Messages, their parts and their errors.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::nullable;
use super::session::{ModelRef, Tokens};
use crate::ids::{MessageId, PartId, SessionId};

/// A message with its parts, as the history gives it.
///
/// One that is not shaped as expected is kept as [`Message::Unknown`], and such a part of it is
/// left out with a warning: one oddity does not hide the rest of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageWithParts {
    /// The message.
    pub info: Message,
    /// Its parts, in order. The text of a part that is still being written is empty here (Kilo
    /// 7.7.7): it is stored when the part ends.
    pub parts: Vec<Part>,
}

/// A page of a session's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Messages, oldest first.
    pub messages: Vec<MessageWithParts>,
    /// What to pass as `before` to get the page of older ones, if there are any.
    pub older: Option<String>,
    /// About how many bytes the messages take.
    pub bytes: usize,
}

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The user's, or one Kilo made up in the user's name.
    User(UserMessage),
    /// One step of the agent: one answer of the model.
    Assistant(Box<AssistantMessage>),
    /// One of a role this crate does not know, as it came.
    Unknown(Value),
}

impl Message {
    /// Its id; empty for an unknown kind of message without one.
    #[must_use]
    pub fn id(&self) -> MessageId {
        match self {
            Self::User(m) => m.id.clone(),
            Self::Assistant(m) => m.id.clone(),
            Self::Unknown(v) => v.get("id").and_then(Value::as_str).unwrap_or_default().into(),
        }
    }

    /// When Kilo made it, in unix milliseconds. By this, and by its place where it is the same, Kilo
    /// orders the messages of a session, never by their ids (7.7.7, read in its program).
    #[must_use]
    pub fn created(&self) -> Option<f64> {
        match self {
            Self::User(m) => m.time.start,
            Self::Assistant(m) => m.time.start,
            Self::Unknown(v) => v.get("time")?.get("created")?.as_f64(),
        }
    }
}

/// A user's message.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct UserMessage {
    /// Its id: the one the prompt gave.
    pub id: MessageId,
    /// Its session.
    #[serde(rename = "sessionID")]
    pub session_id: SessionId,
    /// The agent asked.
    pub agent: String,
    /// The model asked for.
    pub model: ModelRef,
    /// When.
    pub time: Span,
}

/// One step of the agent. A turn has several, with the same parent.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AssistantMessage {
    /// Its id.
    pub id: MessageId,
    /// Its session.
    #[serde(rename = "sessionID")]
    pub session_id: SessionId,
    /// The user's message it answers.
    #[serde(rename = "parentID")]
    pub parent_id: MessageId,
    /// The model's provider.
    #[serde(rename = "providerID")]
    pub provider_id: String,
    /// The model.
    #[serde(rename = "modelID")]
    pub model_id: String,
    /// The reasoning variant.
    pub variant: Option<String>,
    /// The agent; `compaction` for a summary.
    pub agent: Option<String>,
    /// Whether it is a summary made by compaction.
    #[serde(deserialize_with = "nullable")]
    pub summary: bool,
    /// Its cost in US dollars.
    pub cost: f64,
    /// Its tokens.
    pub tokens: Tokens,
    /// How the model ended: `stop`, `tool-calls`, `length`, `content-filter`, `other`, `error`.
    pub finish: Option<String>,
    /// What went wrong.
    pub error: Option<MessageError>,
    /// When it was begun and completed.
    pub time: Span,
}

/// A span of time, in unix milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Span {
    /// Its beginning.
    #[serde(alias = "created")]
    pub start: Option<f64>,
    /// Its end, when it has ended.
    #[serde(alias = "completed")]
    pub end: Option<f64>,
}

/// What went wrong in a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MessageError {
    /// What kind.
    pub kind: ErrorKind,
    /// A message for people. Kilo 7.7.7 sometimes sends a second error with a stack trace here.
    pub message: String,
    /// The HTTP status of the model's provider, for [`ErrorKind::Api`].
    pub status_code: Option<u16>,
    /// Whether it may work later, for [`ErrorKind::Api`].
    pub retryable: bool,
    /// All that was said about it.
    pub data: Map<String, Value>,
}

/// Kinds of [`MessageError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The model's provider refused or failed.
    Api,
    /// The turn was aborted.
    Aborted,
    /// The conversation is too long for the model.
    ContextOverflow,
    /// The model's provider filtered the answer.
    ContentFilter,
    /// The model's provider wants credentials.
    ProviderAuth,
    /// The answer was longer than allowed.
    OutputLength,
    /// The answer did not have the structure asked for.
    StructuredOutput,
    /// Another, by Kilo's name for it; `UnknownError` is one of these names.
    Other(String),
}

impl Default for ErrorKind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl From<&str> for ErrorKind {
    fn from(name: &str) -> Self {
        match name {
            "APIError" => Self::Api,
            "MessageAbortedError" => Self::Aborted,
            "ContextOverflowError" => Self::ContextOverflow,
            "ContentFilterError" => Self::ContentFilter,
            "ProviderAuthError" => Self::ProviderAuth,
            "MessageOutputLengthError" => Self::OutputLength,
            "StructuredOutputError" => Self::StructuredOutput,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for MessageError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Wire {
            name: Option<String>,
            #[serde(deserialize_with = "nullable")]
            data: Map<String, Value>,
        }
        let wire = Wire::deserialize(deserializer)?;
        let data = wire.data;
        Ok(Self {
            kind: wire.name.as_deref().unwrap_or_default().into(),
            message: data.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
            status_code: data
                .get("statusCode")
                .and_then(Value::as_u64)
                .and_then(|s| u16::try_from(s).ok()),
            retryable: data.get("isRetryable").and_then(Value::as_bool).unwrap_or_default(),
            data,
        })
    }
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its id.
    pub id: PartId,
    /// Its session.
    pub session_id: SessionId,
    /// Its message.
    pub message_id: MessageId,
    /// What it is.
    pub body: PartBody,
}

/// Kinds of [`Part`].
#[derive(Debug, Clone, PartialEq)]
pub enum PartBody {
    /// Text of the answer, or of the user.
    Text(TextPart),
    /// The model's reasoning.
    Reasoning(TextPart),
    /// A tool call.
    Tool(Box<ToolPart>),
    /// A file.
    File(FilePart),
    /// The beginning of a step.
    StepStart,
    /// The end of a step.
    StepFinish(StepFinishPart),
    /// Files changed, when snapshots are on.
    Patch {
        /// Their paths.
        files: Vec<String>,
    },
    /// A request to compact the session.
    Compaction {
        /// Whether Kilo made it by itself.
        auto: bool,
    },
    /// One this crate does not know, as it came. Of those in Kilo's schema, these are `agent`,
    /// `subtask`, `snapshot` and `retry`.
    Unknown {
        /// Its type.
        kind: String,
        /// All of it.
        raw: Value,
    },
}

/// Text or reasoning.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TextPart {
    /// The text; empty while it is being written, complete when `time.end` is set.
    #[serde(deserialize_with = "nullable")]
    pub text: String,
    /// Whether Kilo made it up: a reminder, a file's content, the go-ahead of a plan.
    #[serde(deserialize_with = "nullable")]
    pub synthetic: bool,
    /// Further facts.
    #[serde(deserialize_with = "nullable")]
    pub metadata: Map<String, Value>,
    /// When it was begun and ended.
    #[serde(deserialize_with = "nullable")]
    pub time: Span,
}

impl TextPart {
    /// Says whether it is only there for the moment, as the animated "Initializing snapshot…".
    #[must_use]
    pub fn transient(&self) -> bool {
        self.metadata.get("kilocode.lifecycle").and_then(Value::as_str) == Some("transient")
    }
}

/// A tool call.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ToolPart {
    /// The model's id of the call.
    #[serde(rename = "callID")]
    pub call_id: String,
    /// The tool: `bash`, `edit`, …; `<server>_<tool>` for one of an MCP server.
    pub tool: String,
    /// How far it is.
    pub state: ToolState,
}

/// How far a tool call is, and what is known by then.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ToolState {
    /// Its status.
    pub status: ToolStatus,
    /// Its arguments; empty while pending.
    pub input: Value,
    /// Its result, when completed. A long one holds the tail only; see
    /// `metadata.truncated` and `metadata.outputPath`.
    pub output: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// A short title.
    pub title: Option<String>,
    /// Facts by tool: `output` so far and `exit` (bash), `diff` and `filediff` (edit, write),
    /// `sessionId` (task), `plan` (plan_exit), `approval`, …
    #[serde(deserialize_with = "nullable")]
    pub metadata: Map<String, Value>,
    /// Files it gave.
    #[serde(deserialize_with = "nullable")]
    pub attachments: Vec<FilePart>,
    /// When it was begun and ended.
    #[serde(deserialize_with = "nullable")]
    pub time: Span,
}

/// States of a tool call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToolStatus {
    /// The model is writing the call.
    #[default]
    Pending,
    /// It was handed to the tool, which may first ask for permission.
    Running,
    /// It gave a result.
    Completed,
    /// It failed, was refused or interrupted.
    Error,
    /// One this crate does not know.
    #[serde(untagged)]
    Other(String),
}

/// A file in a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "WireFile")]
pub struct FilePart {
    /// Its media type.
    pub mime: String,
    /// Its name.
    pub filename: Option<String>,
    /// Where it is, unless the message holds all of it.
    pub url: Option<String>,
    /// The length of the `data:` URL with all of it, which is not kept: it may be megabytes.
    pub embedded: usize,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireFile {
    mime: String,
    filename: Option<String>,
    url: String,
}

impl From<WireFile> for FilePart {
    fn from(WireFile { mime, filename, url }: WireFile) -> Self {
        let embedded = if url.starts_with("data:") { url.len() } else { 0 };
        Self { mime, filename, url: (embedded == 0).then_some(url), embedded }
    }
}

/// The end of a step.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct StepFinishPart {
    /// How the model ended; see [`AssistantMessage::finish`].
    pub reason: String,
    /// Its cost in US dollars.
    pub cost: f64,
    /// Its tokens.
    pub tokens: Tokens,
}

impl<'de> Deserialize<'de> for MessageWithParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            info: Box<RawValue>,
            #[serde(default, deserialize_with = "nullable")]
            parts: Vec<Box<RawValue>>,
        }
        let wire = Wire::deserialize(deserializer)?;
        let info = match parse::<Message, D::Error>(&wire.info) {
            Ok(info) => info,
            Err(error) => {
                tracing::warn!(%error, "a message is not shaped as expected");
                Message::Unknown(parse(&wire.info)?)
            }
        };
        Ok(Self {
            info,
            parts: wire.parts.iter().filter_map(|raw| tolerant(raw, "part")).collect(),
        })
    }
}

/// Reads a list of messages; an element that is no message at all is left out with a warning.
/// Gives about how many bytes they take, too.
pub(crate) fn messages(raw: &[Box<RawValue>]) -> (Vec<MessageWithParts>, usize) {
    let mut bytes = 0;
    let read = raw.iter().filter_map(|raw| {
        let message: MessageWithParts = tolerant(raw, "message")?;
        let embedded = message.parts.iter().map(embedded).sum();
        bytes += raw.get().len().saturating_sub(embedded);
        Some(message)
    });
    (read.collect(), bytes)
}

/// How much of a part is not kept.
fn embedded(part: &Part) -> usize {
    match &part.body {
        PartBody::File(file) => file.embedded,
        PartBody::Tool(tool) => tool.state.attachments.iter().map(|file| file.embedded).sum(),
        _ => 0,
    }
}

fn tolerant<'a, T: Deserialize<'a>>(raw: &'a RawValue, what: &str) -> Option<T> {
    let read = serde_json::from_str(raw.get());
    read.inspect_err(|error| tracing::warn!(%error, "a {what} was left out: not understood")).ok()
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Peek {
            role: Option<String>,
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let role = parse::<Peek, D::Error>(&raw)?.role;
        Ok(match role.as_deref() {
            Some("user") => Self::User(parse(&raw)?),
            Some("assistant") => Self::Assistant(parse(&raw)?),
            _ => Self::Unknown(parse(&raw)?),
        })
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Peek {
            id: PartId,
            #[serde(rename = "sessionID")]
            session_id: SessionId,
            #[serde(rename = "messageID")]
            message_id: MessageId,
            #[serde(rename = "type")]
            kind: String,
            #[serde(deserialize_with = "nullable")]
            auto: bool,
            #[serde(deserialize_with = "nullable")]
            files: Vec<String>,
        }
        // Read twice, but never built as a tree: parts may be megabytes.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let peek: Peek = parse(&raw)?;
        let body = match peek.kind.as_str() {
            "text" => PartBody::Text(parse(&raw)?),
            "reasoning" => PartBody::Reasoning(parse(&raw)?),
            "tool" => PartBody::Tool(parse(&raw)?),
            "file" => PartBody::File(parse(&raw)?),
            "step-start" => PartBody::StepStart,
            "step-finish" => PartBody::StepFinish(parse(&raw)?),
            "patch" => PartBody::Patch { files: peek.files },
            "compaction" => PartBody::Compaction { auto: peek.auto },
            _ => PartBody::Unknown { kind: peek.kind, raw: parse(&raw)? },
        };
        Ok(Self { id: peek.id, session_id: peek.session_id, message_id: peek.message_id, body })
    }
}

fn parse<'a, T: Deserialize<'a>, E: serde::de::Error>(raw: &'a RawValue) -> Result<T, E> {
    serde_json::from_str(raw.get()).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_odd_message_does_not_hide_the_others() {
        let list = r#"[
            {"info": {"id": "msg_1", "role": "user"}, "parts": null},
            {"info": {"id": "msg_2", "role": "assistant", "cost": "much"},
             "parts": [{"id": "prt_1", "type": "text", "text": 7},
                       {"id": "prt_2", "type": "text", "text": "seven"}]},
            "nothing",
            {"info": {"id": "msg_3", "role": "assistant"}}]"#;
        let raw: Vec<Box<RawValue>> = serde_json::from_str(list).unwrap();
        let (read, _) = messages(&raw);
        let ids: Vec<MessageId> = read.iter().map(|m| m.info.id()).collect();
        assert_eq!(ids, ["msg_1", "msg_2", "msg_3"].map(MessageId::from));
        assert!(matches!(read[1].info, Message::Unknown(_)));
        let parts: Vec<&str> = read[1].parts.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(parts, ["prt_2"]);
    }

    #[test]
    fn files_that_messages_hold_are_not_kept() {
        let url = format!("data:image/png;base64,{}", "A".repeat(100_000));
        let file =
            |url: &str| serde_json::json!({ "type": "file", "mime": "image/png", "url": url });
        let tool = serde_json::json!({ "type": "tool", "tool": "read", "callID": "c",
            "state": { "status": "completed", "attachments": [file(&url)] } });
        let list = serde_json::json!([{ "info": { "id": "msg_1", "role": "user" },
            "parts": [file(&url), file("file:///repo/a.png"), tool] }]);
        let raw: Vec<Box<RawValue>> = serde_json::from_str(&list.to_string()).unwrap();
        let (read, bytes) = messages(&raw);
        assert!(bytes < 1_000, "{bytes}");
        let [PartBody::File(held), PartBody::File(named), PartBody::Tool(tool)] =
            [0, 1, 2].map(|n| read[0].parts[n].body.clone())
        else {
            panic!("{read:?}")
        };
        assert_eq!((held.url, held.embedded), (None, url.len()));
        assert_eq!((named.url.as_deref(), named.embedded), (Some("file:///repo/a.png"), 0));
        assert_eq!(tool.state.attachments[0].embedded, url.len());
    }
}
