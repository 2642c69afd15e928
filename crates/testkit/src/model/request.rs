//! A chat-completions request, as far as the model cares.

use serde_json::Value;

/// What a client asked, read leniently: what is missing is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatRequest {
    /// The model's id.
    pub model: String,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// The names of the tools the model may call.
    pub tools: Vec<String>,
    /// `reasoning_effort`, when the client set one.
    pub reasoning_effort: Option<String>,
}

/// One message of the conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// Its text parts, one per line.
    pub text: String,
}

impl ChatRequest {
    /// Reads a request's body.
    #[must_use]
    pub fn read(body: &Value) -> Self {
        let list = |name: &str| body[name].as_array().map_or(&[][..], Vec::as_slice);
        Self {
            model: string(&body["model"]),
            stream: body["stream"].as_bool().unwrap_or(false),
            messages: list("messages").iter().map(Message::read).collect(),
            tools: list("tools").iter().map(|tool| string(&tool["function"]["name"])).collect(),
            reasoning_effort: body["reasoning_effort"].as_str().map(str::to_owned),
        }
    }

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

    fn read(value: &Value) -> Self {
        let text = match &value["content"] {
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part["text"].as_str());
                texts.collect::<Vec<_>>().join("\n")
            }
            content => string(content),
        };
        Self { role: string(&value["role"]), text }
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
