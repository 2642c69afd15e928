//! What an agent asks its model, whatever the protocol it asks in.

use std::collections::{BTreeMap, BTreeSet};

use super::protocol::Protocol;

/// What a client asked, read leniently: what is missing is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The protocol it came in.
    pub protocol: Protocol,
    /// What it is for.
    pub purpose: Purpose,
    /// The model's id.
    pub model: String,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// The conversation, oldest first, with one assistant message for each call of the model.
    pub messages: Vec<Message>,
    /// The names of the tools the model may call.
    pub tools: Vec<String>,
    /// Those of the tools that take a text in place of JSON.
    pub freeform: BTreeSet<String>,
    /// The namespaces of the tools that are in one, by the tools' names.
    pub namespaces: BTreeMap<String, String>,
    /// How hard the model is to think, when the client says so.
    pub reasoning_effort: Option<String>,
}

/// What a request is for, as its client gives it to understand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purpose {
    /// The conversation's next message.
    #[default]
    Turn,
    /// A title for the conversation.
    Title,
    /// A summary of the conversation so far.
    Summary,
    /// Anything else that is no part of the conversation.
    Side,
}

/// One message of the conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Its text parts, one per line.
    pub text: String,
}

impl Request {
    /// Returns the texts of the system messages, one per line.
    #[must_use]
    pub fn system(&self) -> String {
        let system = self.messages.iter().filter(|message| message.role == "system");
        system.map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Estimates the tokens of the prompt: four characters each.
    #[must_use]
    pub fn estimated_tokens(&self) -> u64 {
        let bytes: usize = self.messages.iter().map(|message| message.text.len()).sum();
        u64::try_from(bytes / 4).unwrap_or(u64::MAX)
    }

    /// Tells whether the client offers a tool of this name.
    #[must_use]
    pub fn offers(&self, tool: &str) -> bool {
        self.tools.iter().any(|name| name == tool)
    }
}

impl Message {
    /// Makes a message.
    #[must_use]
    pub fn new(role: &str, text: impl Into<String>) -> Self {
        Self { role: role.to_owned(), text: text.into() }
    }
}
