//! The protocols that agents speak with their model, each in a file of its own.

use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::{Value, json};

use super::request::Request;
use super::{chat, messages, responses};

/// A protocol that agents speak with their model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OpenAI's chat completions, which Kilo speaks here.
    #[default]
    Chat,
    /// OpenAI's Responses, which Codex speaks.
    Responses,
    /// Anthropic's Messages, which Claude Code speaks.
    Messages,
}

impl Protocol {
    /// Reads a request's body.
    #[must_use]
    pub fn read(self, body: &Value) -> Request {
        match self {
            Self::Chat => chat::read(body),
            Self::Responses => responses::read(body),
            Self::Messages => messages::read(body),
        }
    }

    /// Returns the field of a request that holds the conversation.
    pub(crate) fn conversation(self) -> &'static str {
        match self {
            Self::Chat | Self::Messages => "messages",
            Self::Responses => "input",
        }
    }

    /// Returns what writes the answer to the call of this number.
    pub(crate) fn writer(self, request: &Request, call: u64) -> Box<dyn Writer> {
        match self {
            Self::Chat => Box::new(chat::Answer::new(request, call)),
            Self::Responses => Box::new(responses::Answer::new(request, call)),
            Self::Messages => Box::new(messages::Answer::new(request, call)),
        }
    }

    /// Makes the body of a refusal from what the script says of it.
    pub(crate) fn refusal(self, status: u16, reason: &str, told: &Value) -> Value {
        match self {
            Self::Chat | Self::Responses if told.is_null() => {
                json!({ "error": { "message": reason, "type": "error", "code": status } })
            }
            Self::Chat | Self::Responses => told.clone(),
            Self::Messages => messages::refusal(status, reason, told),
        }
    }

    /// Writes a title as its client asks for it.
    pub(crate) fn title(self, title: &str) -> String {
        match self {
            Self::Chat | Self::Responses => title.to_owned(),
            // Claude Code 2.1.197.
            Self::Messages => json!({ "title": title }).to_string(),
        }
    }

    /// Returns what tells apart the sessions that send equal scripts.
    pub(crate) fn session(self, headers: &HeaderMap) -> String {
        let name = match self {
            // Kilo 7.7.7.
            Self::Chat => "x-session-id",
            // Codex 0.169.0; a sub-agent has a thread of its own.
            Self::Responses => "thread-id",
            // Claude Code 2.1.197.
            Self::Messages => "x-claude-code-session-id",
        };
        let named = headers.get(name).map(|id| String::from_utf8_lossy(id.as_bytes()));
        named.unwrap_or_default().into_owned()
    }
}

/// Writes an answer as its protocol has it: each part as the events that go over the wire, or all
/// of it as one body in the end.
pub(crate) trait Writer: Send {
    /// Writes what goes before everything else.
    fn begin(&mut self, usage: &Usage) -> String;
    /// Writes a piece of text.
    fn text(&mut self, piece: &str) -> String;
    /// Writes a piece of reasoning.
    fn reasoning(&mut self, piece: &str) -> String;
    /// Writes the call of a tool, the answer's `index`th.
    fn tool(&mut self, index: usize, name: &str, arguments: &str) -> String;
    /// Writes an error.
    fn error(&mut self, error: &Value) -> String;
    /// Writes the end.
    fn finish(&mut self, reason: &str, usage: &Usage) -> String;
    /// Returns the whole answer as one body, for a client that does not stream.
    fn whole(&mut self) -> Value;
}

/// The tokens a call is said to have used, with the names of OpenAI's chat completions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Usage(pub(crate) Value);

impl Usage {
    /// All tokens of the prompt, those from a cache included.
    pub(crate) fn prompt(&self) -> u64 {
        self.0["prompt_tokens"].as_u64().unwrap_or_default()
    }

    /// Those of the prompt that came from a cache.
    pub(crate) fn cached(&self) -> u64 {
        self.0["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap_or_default()
    }

    /// All tokens of the answer, those of reasoning included.
    pub(crate) fn answer(&self) -> u64 {
        self.0["completion_tokens"].as_u64().unwrap_or_default()
    }

    /// Those of the answer that are reasoning.
    pub(crate) fn reasoning(&self) -> u64 {
        self.0["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap_or_default()
    }
}

/// Returns the number of the call of the model that made an id of ours, such as `call_7_0`.
pub(crate) fn call_of(id: &str) -> Option<u64> {
    let mut parts = id.split('_').skip(1);
    let call = parts.next()?.parse().ok()?;
    let index: Option<u64> = parts.next()?.parse().ok();
    index.filter(|_| parts.next().is_none())?;
    Some(call)
}

/// Tells whether a text is what clients wrap in a tag of its own to tell the model of themselves,
/// such as `<system-reminder>…</system-reminder>`.
pub(crate) fn is_wrapped(text: &str) -> bool {
    let text = text.trim();
    let name = text.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(name, _)| name);
    let named = name.filter(|name| !name.is_empty() && !name.contains(['<', '\n', ' ']));
    named.is_some_and(|name| text.ends_with(&format!("</{name}>")))
}

/// Reads a string, or nothing.
pub(crate) fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Reads a list, or nothing.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Reads a text that may be given in parts, one per line.
pub(crate) fn texts(value: &Value) -> String {
    match value {
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        text => string(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_ours_tell_their_call() {
        assert_eq!(call_of("call_7_0"), Some(7));
        assert_eq!(call_of("msg_12_3"), Some(12));
        for other in ["msg_01a2204a-9a87", "call_7", "call_7_0_1", "call", "", "call_x_0"] {
            assert_eq!(call_of(other), None, "{other}");
        }
    }

    #[test]
    fn texts_in_a_tag_of_their_own_are_told_from_others() {
        assert!(is_wrapped("<environment_context>\n <cwd>/x</cwd>\n</environment_context>"));
        assert!(is_wrapped("<system-reminder>\nx\n</system-reminder>\n\n"));
        for other in ["hello", "<b>hello</b> you", "<>x</>", "< b>x</ b>", "<b", ""] {
            assert!(!is_wrapped(other), "{other}");
        }
    }
}
