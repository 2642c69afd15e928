//! Anthropic's Messages, as Claude Code speaks them.

use serde_json::{Value, json};

use super::protocol::{Protocol, Usage, Writer, is_wrapped, list, string, texts};
use super::request::{Message, Purpose, Request};

/// Reads a request.
pub(crate) fn read(body: &Value) -> Request {
    let mut messages = Vec::new();
    let system = texts(&body["system"]);
    if !system.is_empty() {
        messages.push(Message::new("system", system));
    }
    for message in list(&body["messages"]) {
        read_message(&mut messages, message);
    }
    let tools: Vec<String> =
        list(&body["tools"]).iter().map(|tool| string(&tool["name"])).collect();
    Request {
        protocol: Protocol::Messages,
        purpose: purpose(body, &messages, &tools),
        model: string(&body["model"]),
        stream: body["stream"].as_bool().unwrap_or(false),
        messages,
        tools,
        reasoning_effort: body["output_config"]["effort"].as_str().map(str::to_owned),
        ..Request::default()
    }
}

fn read_message(all: &mut Vec<Message>, message: &Value) {
    let content = &message["content"];
    match message["role"].as_str().unwrap_or_default() {
        "user" => match content {
            Value::Array(blocks) => all.extend(blocks.iter().filter_map(block)),
            content => all.push(told(&string(content))),
        },
        role => {
            let text = texts(content);
            let steered = role == "system" && text.starts_with(STEERED);
            all.push(Message::new(if steered { "user" } else { role }, text));
        }
    }
}

/// How Claude Code 2.1.197 passes on what a person writes while the model works.
const STEERED: &str = "The user sent a new message while you were working:";

/// Reads a block of what stands under the user's name. Each is a message of its own: Claude Code
/// 2.1.197 puts results of tools, reminders and several messages of a person into one.
fn block(block: &Value) -> Option<Message> {
    match block["type"].as_str()? {
        "tool_result" => Some(Message::new("tool", texts(&block["content"]))),
        "text" => Some(told(&string(&block["text"]))),
        _ => None,
    }
}

/// Tells what a person wrote from what Claude Code 2.1.197 adds by itself.
fn told(text: &str) -> Message {
    let own = is_wrapped(text)
        || text.starts_with("[Request interrupted by user")
        || text.contains(SUMMARY);
    Message::new(if own { "system" } else { "user" }, text)
}

/// Claude Code 2.1.197 offers tools wherever it works, and none where it asks on the side. What a
/// summary is asked for with holds these words, tools or not, and a title is to be JSON.
fn purpose(body: &Value, messages: &[Message], tools: &[String]) -> Purpose {
    let mut asked = messages.iter().rev().take_while(|message| message.role != "assistant");
    let summary = asked.any(|asked| asked.role == "system" && asked.text.contains(SUMMARY));
    let titled = &body["output_config"]["format"]["schema"]["properties"]["title"];
    if summary {
        Purpose::Summary
    } else if tools.is_empty() && titled.is_object() {
        Purpose::Title
    } else if tools.is_empty() {
        Purpose::Side
    } else {
        Purpose::Turn
    }
}

const SUMMARY: &str = "create a detailed summary of the conversation";

/// Makes the body of a refusal out of one that is like OpenAI's.
pub(crate) fn refusal(status: u16, reason: &str, told: &Value) -> Value {
    if told["type"] == "error" {
        return told.clone();
    }
    let kind = match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
    let message = told["error"]["message"].as_str().unwrap_or(reason);
    json!({ "type": "error", "error": { "type": kind, "message": message } })
}

/// An answer under way.
pub(crate) struct Answer {
    call: u64,
    message: Value,
    /// The number of blocks so far, the open one included.
    blocks: usize,
    open: Option<Open>,
    /// Whether the blocks are kept, for a client that does not stream.
    kept: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
}

impl Answer {
    pub(crate) fn new(request: &Request, call: u64) -> Self {
        let message = json!({
            "id": format!("msg_{call}"),
            "type": "message",
            "role": "assistant",
            "model": request.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
        });
        Self { call, message, blocks: 0, open: None, kept: !request.stream }
    }

    fn start(&mut self, block: &Value) -> String {
        let start = json!({
            "type": "content_block_start", "index": self.blocks, "content_block": block,
        });
        if self.kept
            && let Some(blocks) = self.message["content"].as_array_mut()
        {
            blocks.push(block.clone());
        }
        self.blocks += 1;
        event(&start)
    }

    fn delta(&mut self, kind: &str, field: &str, piece: &str) -> String {
        if let Some(Value::String(text)) = self.kept_block().map(|block| &mut block[field]) {
            text.push_str(piece);
        }
        let index = self.blocks.saturating_sub(1);
        let delta = json!({ "type": kind, field: piece });
        event(&json!({ "type": "content_block_delta", "index": index, "delta": delta }))
    }

    fn kept_block(&mut self) -> Option<&mut Value> {
        let blocks = self.message["content"].as_array_mut();
        blocks.filter(|_| self.kept).and_then(|blocks| blocks.last_mut())
    }

    fn stop(&mut self) -> String {
        event(&json!({ "type": "content_block_stop", "index": self.blocks.saturating_sub(1) }))
    }

    fn close(&mut self) -> String {
        match self.open.take() {
            None => String::new(),
            Some(Open::Text) => self.stop(),
            Some(Open::Thinking) => {
                self.delta("signature_delta", "signature", "c2NyaXB0ZWQ=") + &self.stop()
            }
        }
    }

    /// Closes the open block unless it is one of this kind, and opens one.
    fn open(&mut self, kind: Open) -> String {
        if self.open == Some(kind) {
            return String::new();
        }
        let before = self.close();
        self.open = Some(kind);
        before
            + &self.start(&match kind {
                Open::Text => json!({ "type": "text", "text": "" }),
                Open::Thinking => json!({ "type": "thinking", "thinking": "", "signature": "" }),
            })
    }
}

impl Writer for Answer {
    fn begin(&mut self, usage: &Usage) -> String {
        let mut message = self.message.clone();
        message["usage"] = tokens(usage, 1);
        event(&json!({ "type": "message_start", "message": message }))
    }

    fn text(&mut self, piece: &str) -> String {
        self.open(Open::Text) + &self.delta("text_delta", "text", piece)
    }

    fn reasoning(&mut self, piece: &str) -> String {
        self.open(Open::Thinking) + &self.delta("thinking_delta", "thinking", piece)
    }

    fn tool(&mut self, index: usize, name: &str, arguments: &str) -> String {
        let id = format!("toolu_{}_{index}", self.call);
        let mut events = self.close();
        let block = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
        events += &self.start(&block);
        for piece in pieces(arguments) {
            events += &self.delta("input_json_delta", "partial_json", piece);
        }
        if let Some(block) = self.kept_block() {
            block["input"] = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
        }
        events + &self.stop()
    }

    fn error(&mut self, error: &Value) -> String {
        let kind = match error["type"].as_str() {
            None | Some("server_error") => "api_error",
            Some(kind) => kind,
        };
        let error = json!({ "type": kind, "message": error["message"] });
        event(&json!({ "type": "error", "error": error }))
    }

    fn finish(&mut self, reason: &str, usage: &Usage) -> String {
        let reason = match reason {
            "stop" => "end_turn",
            "tool_calls" => "tool_use",
            "length" => "max_tokens",
            "content_filter" => "refusal",
            other => other,
        };
        let usage = tokens(usage, usage.answer());
        self.message["stop_reason"] = json!(reason);
        self.message["usage"] = usage.clone();
        let delta = json!({ "stop_reason": reason, "stop_sequence": null });
        let last = json!({ "type": "message_delta", "delta": delta, "usage": usage });
        self.close() + &event(&last) + &event(&json!({ "type": "message_stop" }))
    }

    fn whole(&mut self) -> Value {
        self.message.take()
    }
}

fn event(data: &Value) -> String {
    format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default())
}

/// Anthropic counts what came from a cache beside the other tokens of the prompt.
fn tokens(usage: &Usage, answer: u64) -> Value {
    json!({
        "input_tokens": usage.prompt().saturating_sub(usage.cached()),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached(),
        "output_tokens": answer,
    })
}

/// Cuts arguments as a model does that writes them bit by bit; long ones into no more pieces.
fn pieces(text: &str) -> Vec<&str> {
    let size = (text.len() / MOST_PIECES).max(24);
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.ceil_char_boundary(size));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

const MOST_PIECES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_claude_code_adds_is_no_prompt() {
        let request = read(&json!({
            "system": [{ "type": "text", "text": "You are a test." }],
            "messages": [
                { "role": "user", "content": [
                    { "type": "text", "text": "<system-reminder>\nx\n</system-reminder>\n\n" },
                    { "type": "text", "text": "hello" },
                ] },
                { "role": "system", "content": "Skills" },
                { "role": "assistant", "content": [
                    { "type": "text", "text": "looking" }, { "type": "tool_use", "name": "Bash" },
                ] },
                { "role": "user", "content": [
                    { "type": "tool_result", "content": [{ "type": "text", "text": "out" }] },
                    { "type": "text", "text": "[Request interrupted by user for tool use]" },
                    { "type": "text", "text": "go on" },
                ] },
            ],
            "tools": [{ "name": "Bash" }],
            "output_config": { "effort": "high" },
        }));
        let roles: Vec<&str> = request.messages.iter().map(|found| found.role.as_str()).collect();
        let expected =
            ["system", "system", "user", "system", "assistant", "tool", "system", "user"];
        assert_eq!(roles, expected);
        assert_eq!(request.reasoning_effort.as_deref(), Some("high"));
        assert_eq!(request.purpose, Purpose::Turn);
        assert_eq!(read(&json!({ "messages": [] })).purpose, Purpose::Side);
    }

    #[test]
    fn blocks_follow_one_another() {
        let mut answer = Answer::new(&Request::default(), 7);
        let usage = Usage(json!({ "prompt_tokens": 9, "completion_tokens": 2,
            "prompt_tokens_details": { "cached_tokens": 4 } }));
        let arguments = json!({ "command": "echo one two three four" }).to_string();
        let mut text = answer.begin(&usage);
        text += &answer.reasoning("hm");
        text += &answer.text("a");
        text += &answer.text("b");
        text += &answer.tool(0, "Bash", &arguments);
        text += &answer.finish("tool_calls", &usage);
        let kinds: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("event: content_block_")).collect();
        let expected = [
            "start", "delta", "delta", "stop", "start", "delta", "delta", "stop", "start", "delta",
            "delta", "stop",
        ];
        assert_eq!(kinds, expected, "{text}");
        let whole = answer.whole();
        assert_eq!(whole["content"][0]["thinking"], "hm");
        assert_eq!(whole["content"][1]["text"], "ab");
        assert_eq!(whole["content"][2]["input"]["command"], "echo one two three four");
        assert_eq!(
            (&whole["stop_reason"], &whole["usage"]["input_tokens"]),
            (&json!("tool_use"), &json!(5))
        );
    }

    #[test]
    fn refusals_are_anthropics() {
        let told = json!({ "error": { "message": "slow down", "type": "error", "code": 429 } });
        let body = refusal(429, "Too Many Requests", &told);
        assert_eq!(body["error"], json!({ "type": "rate_limit_error", "message": "slow down" }));
        assert_eq!(refusal(500, "x", &body), body);
    }
}
