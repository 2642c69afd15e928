//! OpenAI's Responses, as Codex speaks them.

use serde_json::{Value, json};

use super::protocol::{Protocol, Usage, Writer, call_of, is_wrapped, list, string, texts};
use super::request::{Message, Purpose, Request};

/// Reads a request.
pub(crate) fn read(body: &Value) -> Request {
    let mut request = Request {
        protocol: Protocol::Responses,
        model: string(&body["model"]),
        stream: body["stream"].as_bool().unwrap_or(false),
        purpose: purpose(body),
        messages: messages(body),
        reasoning_effort: body["reasoning"]["effort"].as_str().map(str::to_owned),
        ..Request::default()
    };
    // What a search for tools has found is offered from then on.
    let found = list(&body["input"]).iter().filter(|item| item["type"] == "tool_search_output");
    for tool in list(&body["tools"]).iter().chain(found.flat_map(|item| list(&item["tools"]))) {
        read_tool(&mut request, tool, None);
    }
    request
}

/// Codex 0.169.0 says what a request is for.
fn purpose(body: &Value) -> Purpose {
    let metadata = string(&body["client_metadata"]["x-codex-turn-metadata"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap_or_default();
    match metadata["request_kind"].as_str() {
        Some("compaction") => Purpose::Summary,
        _ => Purpose::Turn,
    }
}

fn read_tool(request: &mut Request, tool: &Value, namespace: Option<&str>) {
    let kind = tool["type"].as_str().unwrap_or_default();
    // The tools of the service itself have no name but their type.
    let name = tool["name"].as_str().unwrap_or(kind);
    if kind == "namespace" {
        for inner in list(&tool["tools"]) {
            read_tool(request, inner, Some(name));
        }
        return;
    }
    request.tools.push(name.to_owned());
    if kind == "custom" {
        request.freeform.insert(name.to_owned());
    }
    if let Some(namespace) = namespace {
        request.namespaces.insert(name.to_owned(), namespace.to_owned());
    }
}

/// Reads the conversation, in which one call of the model may have left any number of items.
fn messages(body: &Value) -> Vec<Message> {
    let mut all = Vec::new();
    if let Some(instructions) = body["instructions"].as_str() {
        all.push(Message::new("system", instructions));
    }
    if let Some(prompt) = body["input"].as_str() {
        all.push(Message::new("user", prompt));
    }
    let mut call = None;
    for item in list(&body["input"]) {
        let kind = item["type"].as_str().unwrap_or("message");
        match (kind, item["role"].as_str()) {
            ("message", Some("assistant")) => {
                said(&mut all, &mut call, item, &texts(&item["content"]));
            }
            ("message", Some("user")) => all.extend(list(&item["content"]).iter().map(part)),
            ("message", _) => all.push(Message::new("system", texts(&item["content"]))),
            (kind, _) if kind.ends_with("_output") => {
                all.push(Message::new("tool", texts(&item["output"])));
            }
            _ => said(&mut all, &mut call, item, ""),
        }
    }
    all
}

/// Adds what the model said to the message of its call.
fn said(all: &mut Vec<Message>, call: &mut Option<u64>, item: &Value, text: &str) {
    let ids = [&item["call_id"], &item["id"]];
    let number = ids.into_iter().filter_map(Value::as_str).find_map(call_of);
    let goes_on = all.last().is_some_and(|last| last.role == "assistant");
    // Calls of tools may stand apart, each with its output behind it.
    let same = goes_on || (number.is_some() && number == *call);
    match all.iter_mut().rev().find(|message| message.role == "assistant").filter(|_| same) {
        Some(message) => message.text += text,
        None => all.push(Message::new("assistant", text)),
    }
    *call = number.or(*call);
}

/// Reads a part of what stands under the user's name, which Codex 0.169.0 also uses to tell of
/// the surroundings and of the project's instructions.
fn part(part: &Value) -> Message {
    let text = string(&part["text"]);
    let told = is_wrapped(&text) || OWN.iter().any(|start| text.starts_with(start));
    Message::new(if told { "system" } else { "user" }, text)
}

/// How else a text starts that Codex 0.169.0 writes itself.
const OWN: &[&str] =
    &["# AGENTS.md instructions", "You are performing a CONTEXT CHECKPOINT COMPACTION"];

/// An answer under way.
pub(crate) struct Answer {
    call: u64,
    request: Request,
    /// The finished items.
    output: Vec<Value>,
    /// The item that is being written, by its kind.
    open: Option<(Open, String)>,
    events: u64,
    ended: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Reasoning,
}

impl Answer {
    pub(crate) fn new(request: &Request, call: u64) -> Self {
        let request = Request { messages: Vec::new(), ..request.clone() };
        Self { call, request, output: Vec::new(), open: None, events: 0, ended: Value::Null }
    }

    fn event(&mut self, kind: &str, mut data: Value) -> String {
        data["type"] = json!(kind);
        data["sequence_number"] = json!(self.events);
        self.events += 1;
        format!("event: {kind}\ndata: {data}\n\n")
    }

    /// Writes an event of the item that is being written.
    fn item_event(&mut self, kind: &str, mut data: Value) -> String {
        let open = self.open.as_ref().map(|(open, _)| *open);
        data["output_index"] = json!(self.output.len());
        data["item_id"] = json!(self.item_id(open.map_or("fc", Open::prefix)));
        self.event(kind, data)
    }

    fn item_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.call, self.output.len())
    }

    fn response(&self, status: &str) -> Value {
        json!({
            "id": format!("resp_{}", self.call),
            "object": "response",
            "created_at": 0,
            "status": status,
            "model": self.request.model,
            "output": self.output,
            "error": null,
            "incomplete_details": null,
            "usage": null,
        })
    }

    /// Writes a piece of the item of this kind, which is begun if it is not under way.
    fn piece(&mut self, kind: Open, piece: &str) -> String {
        let mut events = String::new();
        if self.open.as_ref().is_none_or(|(open, _)| *open != kind) {
            events += &self.close();
            let item = self.item(kind, "", "in_progress");
            let added = json!({ "output_index": self.output.len(), "item": item });
            events += &self.event("response.output_item.added", added);
            self.open = Some((kind, String::new()));
            events += &self.item_event(kind.part_added(), kind.in_part("part", &kind.part("")));
        }
        if let Some((_, text)) = &mut self.open {
            text.push_str(piece);
        }
        events + &self.item_event(kind.delta(), kind.in_part("delta", &json!(piece)))
    }

    /// Ends the item that is being written.
    fn close(&mut self) -> String {
        let Some((kind, text)) = self.open.clone() else {
            return String::new();
        };
        let mut events = self.item_event(kind.done(), kind.in_part("text", &json!(text)));
        events += &self.item_event(kind.part_done(), kind.in_part("part", &kind.part(&text)));
        self.open = None;
        let item = self.item(kind, &text, "completed");
        events + &self.done(item)
    }

    fn item(&self, kind: Open, text: &str, status: &str) -> Value {
        let parts = if text.is_empty() { Vec::new() } else { vec![kind.part(text)] };
        let id = self.item_id(kind.prefix());
        match kind {
            Open::Text => json!({
                "type": "message", "id": id, "role": "assistant", "status": status,
                "content": parts,
            }),
            Open::Reasoning => json!({
                "type": "reasoning", "id": id, "summary": parts,
                "encrypted_content": (status == "completed").then_some("c2NyaXB0ZWQ="),
            }),
        }
    }

    fn done(&mut self, item: Value) -> String {
        let done = json!({ "output_index": self.output.len(), "item": item });
        self.output.push(item);
        self.event("response.output_item.done", done)
    }
}

impl Writer for Answer {
    fn begin(&mut self, _usage: &Usage) -> String {
        let response = json!({ "response": self.response("in_progress") });
        self.event("response.created", response)
    }

    fn text(&mut self, piece: &str) -> String {
        self.piece(Open::Text, piece)
    }

    fn reasoning(&mut self, piece: &str) -> String {
        self.piece(Open::Reasoning, piece)
    }

    fn tool(&mut self, index: usize, name: &str, arguments: &str) -> String {
        let mut events = self.close();
        if name == SEARCH {
            let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
            let item = json!({
                "type": "tool_search_call", "id": self.item_id("ts"), "status": "completed",
                "call_id": format!("call_{}_{index}", self.call), "execution": "client",
                "arguments": arguments,
            });
            return events + &self.done(item);
        }
        // Codex 0.169.0 offers the tools of MCP servers only to a model that searches for them, so
        // a script names their namespace itself: `mcp__notes.add_note`.
        let (named, name) = match name.split_once('.') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, name),
        };
        let freeform = self.request.freeform.contains(name);
        let (kind, field, told) = if freeform {
            ("custom_tool_call", "input", freeform_input(arguments))
        } else {
            ("function_call", "arguments", arguments.to_owned())
        };
        let mut item = json!({
            "type": kind, "id": self.item_id("fc"), "status": "in_progress",
            "call_id": format!("call_{}_{index}", self.call), "name": name, field: "",
        });
        if let Some(namespace) = named.or_else(|| self.request.namespaces.get(name).cloned()) {
            item["namespace"] = json!(namespace);
        }
        let added = json!({ "output_index": self.output.len(), "item": item });
        events += &self.event("response.output_item.added", added);
        let steps = if freeform {
            ["response.custom_tool_call_input.delta", "response.custom_tool_call_input.done"]
        } else {
            ["response.function_call_arguments.delta", "response.function_call_arguments.done"]
        };
        let [delta, done] = steps;
        events += &self.item_event(delta, json!({ "delta": told }));
        events += &self.item_event(done, json!({ field: told }));
        item[field] = json!(told);
        item["status"] = json!("completed");
        events + &self.done(item)
    }

    fn error(&mut self, error: &Value) -> String {
        let mut response = self.response("failed");
        let code = error["code"].as_str().or(error["type"].as_str()).unwrap_or("server_error");
        response["error"] = json!({ "code": code, "message": error["message"] });
        self.event("response.failed", json!({ "response": response }))
    }

    fn finish(&mut self, reason: &str, usage: &Usage) -> String {
        let events = self.close();
        let (kind, status) = match reason {
            "length" | "content_filter" => ("response.incomplete", "incomplete"),
            _ => ("response.completed", "completed"),
        };
        let mut response = self.response(status);
        if status == "incomplete" {
            let why = if reason == "length" { "max_output_tokens" } else { reason };
            response["incomplete_details"] = json!({ "reason": why });
        }
        response["usage"] = json!({
            "input_tokens": usage.prompt(),
            "input_tokens_details": { "cached_tokens": usage.cached() },
            "output_tokens": usage.answer(),
            "output_tokens_details": { "reasoning_tokens": usage.reasoning() },
            "total_tokens": usage.prompt().saturating_add(usage.answer()),
        });
        self.ended = response.clone();
        events + &self.event(kind, json!({ "response": response }))
    }

    fn whole(&mut self) -> Value {
        self.ended.take()
    }
}

/// The tool that finds others, which Codex 0.169.0 does not offer at once: those for sub-agents.
const SEARCH: &str = "tool_search";

/// What a freeform tool is given: the text itself, or the `input` of JSON arguments.
fn freeform_input(arguments: &str) -> String {
    let read: Option<Value> = serde_json::from_str(arguments).ok();
    let input = read.as_ref().and_then(|read| read["input"].as_str().or(read.as_str()));
    input.unwrap_or(arguments).to_owned()
}

impl Open {
    fn prefix(self) -> &'static str {
        match self {
            Self::Text => "msg",
            Self::Reasoning => "rs",
        }
    }

    fn part(self, text: &str) -> Value {
        match self {
            Self::Text => json!({ "type": "output_text", "text": text, "annotations": [] }),
            Self::Reasoning => json!({ "type": "summary_text", "text": text }),
        }
    }

    /// Says which part of its item something belongs to: each has one.
    fn in_part(self, name: &str, value: &Value) -> Value {
        match self {
            Self::Text => json!({ "content_index": 0, name: value }),
            Self::Reasoning => json!({ "summary_index": 0, name: value }),
        }
    }

    fn part_added(self) -> &'static str {
        match self {
            Self::Text => "response.content_part.added",
            Self::Reasoning => "response.reasoning_summary_part.added",
        }
    }

    fn delta(self) -> &'static str {
        match self {
            Self::Text => "response.output_text.delta",
            Self::Reasoning => "response.reasoning_summary_text.delta",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Text => "response.output_text.done",
            Self::Reasoning => "response.reasoning_summary_text.done",
        }
    }

    fn part_done(self) -> &'static str {
        match self {
            Self::Text => "response.content_part.done",
            Self::Reasoning => "response.reasoning_summary_part.done",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<Value> {
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    }

    #[test]
    fn one_call_of_the_model_is_one_message() {
        let said = |id: &str, text: &str| json!({ "type": "message", "role": "assistant", "id": id, "content": [{ "text": text }] });
        let call = |id: &str| json!({ "type": "function_call", "call_id": id, "name": "x" });
        let output =
            |id: &str| json!({ "type": "function_call_output", "call_id": id, "output": "o" });
        let context = "<environment_context>\n</environment_context>";
        let input = json!([
            { "type": "message", "role": "developer", "content": [{ "text": "be good" }] },
            { "type": "message", "role": "user", "content": [{ "text": context }, { "text": "go" }] },
            { "type": "reasoning", "id": "rs_0_0" },
            said("msg_0_1", "hello"),
            call("call_0_0"), output("call_0_0"),
            call("call_0_1"), output("call_0_1"),
            call("call_1_0"), output("call_1_0"),
        ]);
        let request = read(&json!({ "input": input }));
        let roles: Vec<&str> = request.messages.iter().map(|found| found.role.as_str()).collect();
        let expected =
            ["system", "system", "user", "assistant", "tool", "tool", "assistant", "tool"];
        assert_eq!(roles, expected);
        assert_eq!(request.messages[3].text, "hello");
    }

    #[test]
    fn tools_are_called_as_they_are_offered() {
        let request = read(&json!({
            "tools": [{ "type": "custom", "name": "apply_patch" }, { "type": "tool_search" }],
            "input": [{ "type": "tool_search_output", "tools": [
                { "type": "namespace", "name": "agents", "tools": [
                    { "type": "function", "name": "spawn_agent" },
                ] },
            ] }],
        }));
        assert_eq!(request.tools, ["apply_patch", "tool_search", "spawn_agent"]);
        let mut answer = Answer::new(&request, 7);
        let mut text = answer.tool(0, "apply_patch", "*** Begin Patch");
        text += &answer.tool(1, "spawn_agent", "{}");
        text += &answer.tool(2, "tool_search", r#"{"query":"agents"}"#);
        let done = |event: &&Value| event["type"] == "response.output_item.done";
        let events = events(&text);
        let items: Vec<&Value> = events.iter().filter(done).map(|event| &event["item"]).collect();
        assert_eq!(
            (&items[0]["type"], &items[0]["input"]),
            (&json!("custom_tool_call"), &json!("*** Begin Patch"))
        );
        assert_eq!(
            (&items[1]["namespace"], &items[1]["call_id"]),
            (&json!("agents"), &json!("call_7_1"))
        );
        assert_eq!(items[2]["arguments"]["query"], "agents");
    }

    #[test]
    fn items_are_begun_and_ended() {
        let usage = Usage(json!({ "prompt_tokens": 9, "completion_tokens": 2 }));
        let mut answer = Answer::new(&Request::default(), 7);
        let mut text = answer.begin(&usage);
        text += &answer.reasoning("hm");
        text += &answer.text("a");
        text += &answer.text("b");
        text += &answer.finish("length", &usage);
        let events = events(&text);
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event["sequence_number"], json!(index), "{event}");
        }
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.incomplete");
        assert_eq!(last["response"]["usage"]["total_tokens"], 11);
        assert_eq!(last["response"]["output"][0]["summary"][0]["text"], "hm");
        assert_eq!(last["response"]["output"][1]["content"][0]["text"], "ab");
    }
}
