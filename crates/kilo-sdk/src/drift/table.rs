//! The list: every route, field and event this crate needs.
//!
//! Fields are those of the types in `types/`; what is read only when it happens to be there, such as
//! the contents of `metadata`, is not in Kilo's description and not here.

use super::{EventKind, Operation};

type Fields = &'static [&'static str];

const SESSION: Fields = &[
    "id",
    "parentID",
    "directory",
    "title",
    "agent",
    "model.id",
    "model.providerID",
    "cost",
    "tokens.input",
    "tokens.output",
    "tokens.reasoning",
    "tokens.cache.read",
    "tokens.cache.write",
    "permission.[].permission",
    "permission.[].pattern",
    "permission.[].action",
    "revert.messageID",
    "version",
    "time.created",
    "time.updated",
    "time.archived",
];
const MESSAGE: Fields = &[
    "id",
    "sessionID",
    "role",
    "parentID",
    "providerID",
    "modelID",
    "agent",
    "variant",
    "summary",
    "cost",
    "tokens.input",
    "tokens.output",
    "tokens.reasoning",
    "tokens.cache.read",
    "tokens.cache.write",
    "finish",
    "error.name",
    "error.data",
    "time.created",
    "time.completed",
];
const PART: Fields = &[
    "id",
    "sessionID",
    "messageID",
    "type",
    "text",
    "synthetic",
    "metadata",
    "time.start",
    "time.end",
    "callID",
    "tool",
    "state.status",
    "state.input",
    "state.output",
    "state.error",
    "state.title",
    "state.metadata",
    "state.attachments",
    "mime",
    "filename",
    "url",
    "reason",
    "cost",
    "tokens.input",
    "tokens.output",
    "files",
    "auto",
];
const STATUS: Fields = &["type", "attempt", "message", "next", "requestID"];
const RULES: Fields = &["[].permission", "[].pattern", "[].action"];
const PERMISSION: Fields = &[
    "id",
    "sessionID",
    "permission",
    "patterns",
    "metadata",
    "always",
    "tool.messageID",
    "tool.callID",
];
const QUESTION: Fields = &[
    "id",
    "sessionID",
    "questions.[].question",
    "questions.[].header",
    "questions.[].options.[].label",
    "questions.[].options.[].description",
    "questions.[].multiple",
    "questions.[].custom",
    "questions.[].questionKey",
    "questions.[].options.[].labelKey",
    "tool.messageID",
    "tool.callID",
];
const NETWORK: Fields = &["id", "sessionID", "message", "restored"];
const TODO: Fields = &["content", "status", "priority"];
const PROMPT: Fields = &[
    "messageID",
    "agent",
    "model.providerID",
    "model.modelID",
    "variant",
    "system",
    "parts.[].type",
    "parts.[].text",
    "parts.[].mime",
    "parts.[].filename",
    "parts.[].url",
];
const MODEL: Fields = &[
    "id",
    "name",
    "family",
    "capabilities.reasoning",
    "capabilities.attachment",
    "capabilities.toolcall",
    "capabilities.input.text",
    "capabilities.input.image",
    "capabilities.input.pdf",
    "capabilities.output.text",
    "cost.input",
    "cost.output",
    "cost.cache.read",
    "cost.cache.write",
    "limit.context",
    "limit.output",
    "status",
    "release_date",
    "variants",
];

const fn get(path: &'static str, reads: &'static [(&'static str, Fields)]) -> Operation {
    Operation { method: "GET", path, sends: &[], reads }
}

const fn post(
    path: &'static str,
    sends: Fields,
    reads: &'static [(&'static str, Fields)],
) -> Operation {
    Operation { method: "POST", path, sends, reads }
}

/// Every request this crate can make.
pub const OPERATIONS: &[Operation] = &[
    get("/global/health", &[("", &["healthy", "version"])]),
    get("/global/event", &[]),
    post("/global/dispose", &[], &[]),
    get(
        "/provider",
        &[
            ("", &["all", "connected", "failed", "default"]),
            ("all.[]", &["id", "name", "source", "models"]),
            ("all.[].models.*", MODEL),
        ],
    ),
    get(
        "/config",
        &[(
            "",
            &[
                "model",
                "snapshot",
                "permission",
                "agent",
                "mcp",
                "provider",
                "disabled_providers",
                "enabled_providers",
            ],
        )],
    ),
    get("/config/warnings", &[("[]", &["path", "message"])]),
    get(
        "/agent",
        &[("[]", &["name", "description", "mode", "native", "hidden"]), ("[].permission", RULES)],
    ),
    get(
        "/command",
        &[(
            "[]",
            &["name", "description", "source", "hints", "agent", "model", "subtask", "template"],
        )],
    ),
    get("/mcp", &[("*", &["status", "error"])]),
    get("/kilo/auth-status", &[("", &["authenticated", "type"])]),
    get("/path", &[("", &["home", "state", "config", "worktree", "directory"])]),
    get("/file/content", &[("", &["type", "content", "encoding"])]),
    post("/instance/dispose", &[], &[]),
    get("/session", &[("[]", SESSION)]),
    post(
        "/session",
        &[
            "title",
            "agent",
            "model.id",
            "model.providerID",
            "model.variant",
            "permission.[].permission",
            "permission.[].pattern",
            "permission.[].action",
        ],
        &[("", SESSION)],
    ),
    get("/session/{id}", &[("", SESSION)]),
    Operation {
        method: "PATCH",
        path: "/session/{id}",
        sends: &["title", "permission.[].action", "time.archived"],
        reads: &[("", SESSION)],
    },
    Operation { method: "DELETE", path: "/session/{id}", sends: &[], reads: &[] },
    get("/session/{id}/children", &[("[]", SESSION)]),
    get("/session/{id}/message", &[("[].info", MESSAGE), ("[].parts.[]", PART)]),
    get("/session/{id}/message/{message}", &[("info", MESSAGE), ("parts.[]", PART)]),
    post("/session/{id}/prompt_async", PROMPT, &[]),
    post(
        "/session/{id}/command",
        &["messageID", "command", "arguments", "agent", "model", "variant", "parts"],
        &[],
    ),
    post("/session/{id}/abort", &[], &[]),
    get("/session/status", &[("*", STATUS)]),
    get("/session/{id}/todo", &[("[]", TODO)]),
    post("/session/{id}/summarize", &["providerID", "modelID"], &[]),
    post("/session/{id}/fork", &["messageID"], &[("", SESSION)]),
    post("/session/{id}/revert", &["messageID", "partID"], &[("", SESSION)]),
    post("/session/{id}/unrevert", &[], &[("", SESSION)]),
    post("/kilocode/session/{id}/resume", &["messageID"], &[]),
    get("/permission", &[("[]", PERMISSION)]),
    post("/permission/{id}/reply", &["reply", "message"], &[]),
    get("/question", &[("[]", QUESTION)]),
    post("/question/{id}/reply", &["answers"], &[]),
    post("/question/{id}/reject", &[], &[]),
    get("/network", &[("[]", NETWORK)]),
    post("/network/{id}/reply", &[], &[]),
    post("/network/{id}/reject", &[], &[]),
];

const SESSION_ID: Fields = &["sessionID"];
const REQUEST: Fields = &["sessionID", "requestID"];

const fn event(kind: &'static str, reads: &'static [(&'static str, Fields)]) -> EventKind {
    EventKind { kind, reads }
}

/// Every kind of event this crate understands; `server.heartbeat` and `sync` are sent besides and
/// not described (Kilo 7.7.7).
pub const EVENTS: &[EventKind] = &[
    event("session.created", &[("info", SESSION)]),
    event("session.updated", &[("info", SESSION)]),
    event("session.deleted", &[("info", SESSION)]),
    event("session.status", &[("", SESSION_ID), ("status", STATUS)]),
    event("session.idle", &[("", SESSION_ID)]),
    event("session.error", &[("", &["sessionID", "error.name", "error.data"])]),
    event("session.turn.open", &[("", SESSION_ID)]),
    event("session.turn.close", &[("", &["sessionID", "parentID", "reason"])]),
    event("session.queue.changed", &[("", &["sessionID", "queued"])]),
    event("session.compacted", &[("", SESSION_ID)]),
    event("session.diff", &[("", &["sessionID", "diff.[].file"])]),
    event("session.wakeup", &[("", SESSION_ID)]),
    event("session.drain.interrupted", &[("", SESSION_ID)]),
    event("session.network.asked", &[("", NETWORK)]),
    event("session.network.replied", &[("", REQUEST)]),
    event("session.network.rejected", &[("", REQUEST)]),
    event("session.network.restored", &[("", REQUEST)]),
    event("message.updated", &[("", SESSION_ID), ("info", MESSAGE)]),
    event("message.removed", &[("", &["sessionID", "messageID"])]),
    event("message.part.updated", &[("", SESSION_ID), ("part", PART)]),
    event("message.part.delta", &[("", &["sessionID", "messageID", "partID", "field", "delta"])]),
    event("message.part.removed", &[("", &["sessionID", "messageID", "partID"])]),
    event("permission.asked", &[("", PERMISSION)]),
    event("permission.replied", &[("", &["sessionID", "requestID", "reply"])]),
    event("question.asked", &[("", QUESTION)]),
    event("question.replied", &[("", &["sessionID", "requestID", "answers"])]),
    event("question.rejected", &[("", REQUEST)]),
    event("todo.updated", &[("", SESSION_ID), ("todos.[]", TODO)]),
    event("file.edited", &[("", &["file"])]),
    event("server.connected", &[]),
    event("server.instance.disposed", &[("", &["directory"])]),
    event("global.disposed", &[]),
    event("catalog.updated", &[]),
    event("integration.updated", &[]),
    event("integration.connection.updated", &[]),
    event("global.config.updated", &[]),
];
