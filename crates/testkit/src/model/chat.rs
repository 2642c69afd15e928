//! OpenAI's chat completions, as Kilo speaks them.

use serde_json::{Value, json};

use super::protocol::{Protocol, Usage, Writer, list, string, texts};
use super::request::{Message, Purpose, Request};

/// Reads a request.
pub(crate) fn read(body: &Value) -> Request {
    let mut request = Request {
        protocol: Protocol::Chat,
        model: string(&body["model"]),
        stream: body["stream"].as_bool().unwrap_or(false),
        messages: list(&body["messages"]).iter().map(message).collect(),
        tools: list(&body["tools"]).iter().map(|tool| string(&tool["function"]["name"])).collect(),
        reasoning_effort: body["reasoning_effort"].as_str().map(str::to_owned),
        ..Request::default()
    };
    request.purpose = purpose(&request);
    request
}

fn message(value: &Value) -> Message {
    Message::new(value["role"].as_str().unwrap_or_default(), texts(&value["content"]))
}

/// Kilo 7.7.7 asks for titles and summaries without tools. Its title agent's prompt opens with
/// these words, and a message holds the conversation to sum up.
fn purpose(request: &Request) -> Purpose {
    let conversation = || {
        let last = request.messages.last();
        last.is_some_and(|last| last.text.contains("<conversation>"))
    };
    if !request.tools.is_empty() {
        Purpose::Turn
    } else if request.system().contains("title generator") {
        Purpose::Title
    } else if conversation() {
        Purpose::Summary
    } else {
        Purpose::Turn
    }
}

/// An answer under way.
pub(crate) struct Answer {
    id: String,
    call: u64,
    model: String,
    /// The message so far, for a client that does not stream.
    message: Option<Value>,
    ending: (Value, Value),
}

impl Answer {
    pub(crate) fn new(request: &Request, call: u64) -> Self {
        Self {
            id: format!("chatcmpl-{call}"),
            call,
            model: request.model.clone(),
            message: (!request.stream).then(|| json!({ "role": "assistant", "content": "" })),
            ending: (Value::Null, Value::Null),
        }
    }

    fn delta(&mut self, delta: &Value) -> String {
        if let Some(message) = &mut self.message {
            merge(message, delta);
        }
        self.event(delta, None)
    }

    fn event(&self, delta: &Value, reason: Option<&str>) -> String {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": reason });
        format!("data: {}\n\n", self.chunk(&json!([choice])))
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self.model,
            "choices": choices,
        })
    }
}

impl Writer for Answer {
    fn begin(&mut self, _usage: &Usage) -> String {
        self.event(&json!({ "role": "assistant", "content": "" }), None)
    }

    fn text(&mut self, piece: &str) -> String {
        self.delta(&json!({ "content": piece }))
    }

    fn reasoning(&mut self, piece: &str) -> String {
        self.delta(&json!({ "reasoning_content": piece }))
    }

    fn tool(&mut self, index: usize, name: &str, arguments: &str) -> String {
        let id = format!("call_{}_{index}", self.call);
        let function = json!({ "name": name, "arguments": arguments });
        let call = json!({ "index": index, "id": id, "type": "function", "function": function });
        self.delta(&json!({ "tool_calls": [call] }))
    }

    fn error(&mut self, error: &Value) -> String {
        format!("data: {}\n\n", json!({ "error": error }))
    }

    fn finish(&mut self, reason: &str, usage: &Usage) -> String {
        self.ending = (json!(reason), usage.0.clone());
        let end = self.event(&json!({}), Some(reason));
        let mut last = self.chunk(&json!([]));
        last["usage"] = usage.0.clone();
        format!("{end}data: {last}\n\ndata: [DONE]\n\n")
    }

    fn whole(&mut self) -> Value {
        let (reason, usage) = &self.ending;
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": 0,
            "model": self.model,
            "choices": [{ "index": 0, "message": self.message, "finish_reason": reason }],
            "usage": usage,
        })
    }
}

/// Adds a delta to a message: texts are appended, tool calls listed.
fn merge(message: &mut Value, delta: &Value) {
    for (name, value) in delta.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => {
                let before = message[name].as_str().unwrap_or_default();
                message[name] = json!(format!("{before}{text}"));
            }
            Value::Array(calls) => {
                let mut all = message[name].as_array().cloned().unwrap_or_default();
                all.extend(calls.iter().cloned());
                message[name] = json!(all);
            }
            other => message[name] = other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilos_side_requests_are_known() {
        let titled = |tools: Value| {
            let system = "You are a title generator. Output only a title.";
            let messages = json!([{ "role": "system", "content": system }]);
            read(&json!({ "messages": messages, "tools": tools })).purpose
        };
        assert_eq!(titled(json!([])), Purpose::Title);
        assert_eq!(titled(json!([{ "function": { "name": "bash" } }])), Purpose::Turn);
        let summary = json!([{ "role": "user", "content": "So far:\n<conversation>\n…" }]);
        assert_eq!(read(&json!({ "messages": summary })).purpose, Purpose::Summary);
    }
}
