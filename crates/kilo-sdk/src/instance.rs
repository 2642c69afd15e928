use std::collections::HashMap;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::client::{Call, Client, decode, encode};
use crate::error::Error;
use crate::ids::{MessageId, NetworkWaitId, PartId, PermissionId, QuestionId, SessionId};
use crate::types::{
    Agent, AuthStatus, Command, Config, ConfigWarning, FileContent, Inventory, McpStatus,
    MessageWithParts, ModelRef, Page, Paths, PermissionRequest, QuestionRequest, Rule, Session,
    SessionModel, Status, Todo, asks, messages,
};

/// A server as seen from one directory. Cheap to clone.
///
/// The directory travels with every request: permissions, questions, waits and states are known
/// only in the directory of their session.
///
/// # Errors
/// All methods fail as [`Error`] says; what they name being gone is [`Error::NotFound`].
#[derive(Debug, Clone)]
pub struct Instance {
    client: Client,
    directory: Option<HeaderValue>,
}

/// What a new session is to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NewSession {
    /// Its title. Without one Kilo asks the model for one, at a cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its agent; not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Its model; not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<SessionModel>,
    /// Its permission rules, on top of the configuration's. Not handed down to sub-agents, save
    /// for those that deny.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permission: Vec<Rule>,
}

/// What to change of a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionUpdate {
    /// A new title.
    pub title: Option<String>,
    /// Rules to append to its own: there is no way to remove any.
    pub permission: Vec<Rule>,
    /// When it was archived, in unix milliseconds.
    pub archived: Option<f64>,
}

/// Which sessions to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only those that are no sub-agents'.
    pub roots: bool,
    /// At most so many.
    pub limit: Option<u32>,
    /// Only those with this in their title.
    pub search: Option<String>,
}

/// What to send to the agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prompt {
    /// The id of the message, made with [`MessageId::ascending`]: by it the turn is known. Sending
    /// the same id again appends and runs again (Kilo 7.7.7).
    #[serde(rename = "messageID")]
    pub message_id: MessageId,
    /// The agent; without it, the session's last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The model; without it, the one used last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// The reasoning variant; one the model does not have is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Text added to the system prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The message.
    pub parts: Vec<PromptPart>,
}

/// A part of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum PromptPart {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A file.
    File {
        /// Its media type.
        mime: String,
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
        /// A `data:` URL with all of it, or a `file:` URL.
        url: String,
    },
}

impl PromptPart {
    /// A part of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}

/// A slash command to run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RunCommand {
    /// The id of the message; see [`Prompt::message_id`].
    #[serde(rename = "messageID")]
    pub message_id: MessageId,
    /// Its name, without the slash.
    pub command: String,
    /// What was typed after it.
    pub arguments: String,
    /// The agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The model, which Kilo wants as `provider/model` here.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "slashed")]
    pub model: Option<ModelRef>,
    /// The reasoning variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Files that go with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PromptPart>,
}

/// How long the answer to a command is waited for: it comes when the turn is over, and people may
/// be asked in it. Without the answer a refusal would not be known.
const COMMAND: Duration = Duration::from_secs(24 * 3600);

/// An answer to a permission request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// This once.
    Once,
    /// Always: it is written to the user's global configuration and holds in every project.
    Always,
    /// No. Without a message the turn ends; with one the agent reads it and goes on. All others
    /// waiting in the session are refused too.
    Reject,
}

#[expect(clippy::missing_errors_doc, reason = "said once, at the type")]
impl Instance {
    pub(crate) fn new(client: Client, directory: Option<&str>) -> Self {
        // Percent-encoded text is always a valid header value.
        let directory = directory.and_then(|d| HeaderValue::from_str(&encode(d)).ok());
        Self { client, directory }
    }

    /// The client this is a view of.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    // ---- what there is ----

    /// The providers and models. Takes seconds the first time, and a good deal of the server's
    /// memory.
    pub async fn providers(&self) -> Result<Inventory, Error> {
        let call = self.prepare(Call::get("/provider").timeout(self.client.limits().slow));
        let (body, _) = self.client.answer(&call).await?;
        // Megabytes: not on a thread that others wait for.
        let read = tokio::task::spawn_blocking(move || decode(call.path(), &body));
        read.await.map_err(|e| Error::Unusable(e.to_string()))?
    }

    /// The configuration in force.
    pub async fn config(&self) -> Result<Config, Error> {
        self.slow_get("/config").await
    }

    /// What of the configuration is not in force, and why. A type error in
    /// `KILO_CONFIG_CONTENT` discards all of it and shows only here (Kilo 7.7.7).
    pub async fn config_warnings(&self) -> Result<Vec<ConfigWarning>, Error> {
        self.slow_get("/config/warnings").await
    }

    /// The agents.
    pub async fn agents(&self) -> Result<Vec<Agent>, Error> {
        self.slow_get("/agent").await
    }

    /// The slash commands.
    pub async fn commands(&self) -> Result<Vec<Command>, Error> {
        self.slow_get("/command").await
    }

    /// The MCP servers and their states.
    pub async fn mcp(&self) -> Result<HashMap<String, McpStatus>, Error> {
        self.slow_get("/mcp").await
    }

    /// Whether the user is signed in to the Kilo gateway.
    pub async fn auth_status(&self) -> Result<AuthStatus, Error> {
        self.slow_get("/kilo/auth-status").await
    }

    /// The directories in use.
    pub async fn paths(&self) -> Result<Paths, Error> {
        self.slow_get("/path").await
    }

    /// The content of a file, by its path relative to the directory.
    pub async fn file_content(&self, path: &str) -> Result<FileContent, Error> {
        self.call(Call::get("/file/content").query("path", path)).await
    }

    /// Ends the instance of this directory with its MCP servers. Its running turns are aborted.
    pub async fn dispose(&self) -> Result<(), Error> {
        self.done(Call::post("/instance/dispose").timeout(self.client.limits().slow)).await
    }

    // ---- sessions ----

    /// Makes a session.
    pub async fn create_session(&self, new: &NewSession) -> Result<Session, Error> {
        let body = json!(new);
        self.call(Call::post("/session").body(body).timeout(self.client.limits().slow)).await
    }

    /// Reads a session.
    pub async fn session(&self, id: &SessionId) -> Result<Session, Error> {
        self.call(Call::get(of(id, ""))).await
    }

    /// Lists the sessions of this directory, newest first.
    pub async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<Session>, Error> {
        let mut call = Call::get("/session").timeout(self.client.limits().slow);
        if filter.roots {
            call = call.query("roots", "true");
        }
        if let Some(limit) = filter.limit {
            call = call.query("limit", &limit.to_string());
        }
        if let Some(search) = &filter.search {
            call = call.query("search", search);
        }
        self.call(call).await
    }

    /// Lists the sessions of a session's sub-agents.
    pub async fn children(&self, id: &SessionId) -> Result<Vec<Session>, Error> {
        self.call(Call::get(of(id, "/children"))).await
    }

    /// Changes a session.
    pub async fn update_session(
        &self,
        id: &SessionId,
        update: &SessionUpdate,
    ) -> Result<Session, Error> {
        let mut body = Map::new();
        if let Some(title) = &update.title {
            body.insert("title".into(), json!(title));
        }
        if !update.permission.is_empty() {
            body.insert("permission".into(), json!(update.permission));
        }
        if let Some(archived) = update.archived {
            body.insert("time".into(), json!({ "archived": archived }));
        }
        self.call(Call::new(Method::PATCH, of(id, "")).body(Value::Object(body))).await
    }

    /// Deletes a session. One that is busy goes on running: abort it first.
    pub async fn delete_session(&self, id: &SessionId) -> Result<(), Error> {
        self.done(Call::new(Method::DELETE, of(id, ""))).await
    }

    /// Reads the newest `limit` messages, or those before a page already read
    /// ([`Page::older`]). A message that is not understood does not fail the page; see
    /// [`MessageWithParts`].
    pub async fn messages(
        &self,
        id: &SessionId,
        limit: u32,
        before: Option<&str>,
    ) -> Result<Page, Error> {
        let mut call = Call::get(of(id, "/message")).query("limit", &limit.to_string());
        if let Some(before) = before {
            call = call.query("before", before);
        }
        let call = self.prepare(call.timeout(self.client.limits().slow));
        let (body, headers) = self.client.answer(&call).await?;
        let older = headers.get("x-next-cursor").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let read = tokio::task::spawn_blocking(move || {
            let raw: Vec<Box<RawValue>> = decode(call.path(), &body)?;
            Ok(messages(&raw))
        });
        let (messages, bytes) = read.await.map_err(|e| Error::Unusable(e.to_string()))??;
        Ok(Page { messages, older, bytes })
    }

    /// Reads one message.
    pub async fn message(
        &self,
        id: &SessionId,
        message: &MessageId,
    ) -> Result<MessageWithParts, Error> {
        self.call(Call::get(of(id, &format!("/message/{}", encode(message.as_str()))))).await
    }

    /// Hands a prompt over and returns at once. This is not acceptance: that shows when the
    /// message appears in the session. When [`Error::outcome_unknown`], look there before sending
    /// it again.
    pub async fn prompt(&self, id: &SessionId, prompt: &Prompt) -> Result<(), Error> {
        let call = Call::post(of(id, "/prompt_async")).body(json!(prompt));
        let call = self.prepare(call.timeout(self.client.limits().slow));
        self.client.answer(&call).await.map(|_| ())
    }

    /// Runs a slash command and waits for the end of its turn, a day at most. Its events come on
    /// the stream as those of a prompt do; a turn that has begun goes on when nobody waits for the
    /// answer any more. A command that is unknown, or names what is not there, fails with
    /// [`Error::Server`] after an error of the session (Kilo 7.7.7).
    pub async fn run_command(&self, id: &SessionId, run: &RunCommand) -> Result<(), Error> {
        let call = Call::post(of(id, "/command")).body(json!(run));
        let call = self.prepare(call.timeout(COMMAND));
        self.client.answer(&call).await.map(|_| ())
    }

    /// Stops what a session and its sub-agents do. Also succeeds for an idle or unknown one. Open
    /// permissions and questions of it stay listed (Kilo 7.7.7): reject them before the next
    /// prompt.
    pub async fn abort(&self, id: &SessionId) -> Result<(), Error> {
        self.done(Call::post(of(id, "/abort"))).await
    }

    /// What the sessions of this directory do; those not listed are idle.
    pub async fn statuses(&self) -> Result<HashMap<SessionId, Status>, Error> {
        self.call(Call::get("/session/status")).await
    }

    /// Reads a session's to-do list.
    pub async fn todo(&self, id: &SessionId) -> Result<Vec<Todo>, Error> {
        self.call(Call::get(of(id, "/todo"))).await
    }

    /// Compacts a session with the help of a model, and waits for it.
    pub async fn summarize(&self, id: &SessionId, model: &ModelRef) -> Result<(), Error> {
        let call = Call::post(of(id, "/summarize")).body(json!(model));
        self.done(call.timeout(self.client.limits().model)).await
    }

    /// Makes a new session of the messages before `message`, or of all.
    pub async fn fork(
        &self,
        id: &SessionId,
        message: Option<&MessageId>,
    ) -> Result<Session, Error> {
        let body = message.map_or_else(|| json!({}), |m| json!({ "messageID": m }));
        let call = Call::post(of(id, "/fork")).body(body);
        self.call(call.timeout(self.client.limits().slow)).await
    }

    /// Takes a session back to before `message` (or a part of it). Files are restored only with
    /// snapshots on; see [`Session::revert`]. Fails with [`Error::Busy`] while it runs.
    pub async fn revert(
        &self,
        id: &SessionId,
        message: &MessageId,
        part: Option<&PartId>,
    ) -> Result<Session, Error> {
        let mut body = json!({ "messageID": message });
        if let Some(part) = part {
            body = json!({ "messageID": message, "partID": part });
        }
        let call = Call::post(of(id, "/revert")).body(body);
        self.call(call.timeout(self.client.limits().slow)).await
    }

    /// Undoes [`Instance::revert`].
    pub async fn unrevert(&self, id: &SessionId) -> Result<Session, Error> {
        self.call(Call::post(of(id, "/unrevert")).timeout(self.client.limits().slow)).await
    }

    /// Goes on with a turn that the server's death cut short, after its last assistant message.
    /// Refused if the session is busy or that message is complete.
    pub async fn resume(&self, id: &SessionId, message: &MessageId) -> Result<(), Error> {
        let path = format!("/kilocode/session/{}/resume", encode(id.as_str()));
        let call = Call::post(path).body(json!({ "messageID": message }));
        self.done(call.timeout(self.client.limits().slow)).await
    }

    // ---- what is asked ----

    /// The open permission requests of this directory.
    pub async fn permissions(&self) -> Result<Vec<PermissionRequest>, Error> {
        self.asks("/permission", PermissionRequest::is_named).await
    }

    /// Answers a permission request; `message` goes to the agent with [`Reply::Reject`].
    pub async fn reply_permission(
        &self,
        id: &PermissionId,
        reply: Reply,
        message: Option<&str>,
    ) -> Result<(), Error> {
        let mut body = json!({ "reply": reply });
        if let Some(message) = message {
            body = json!({ "reply": reply, "message": message });
        }
        self.done(Call::post(format!("/permission/{}/reply", encode(id.as_str()))).body(body)).await
    }

    /// The open questions of this directory.
    pub async fn questions(&self) -> Result<Vec<QuestionRequest>, Error> {
        self.asks("/question", QuestionRequest::is_named).await
    }

    /// Answers questions: for each of them the labels chosen, or free text.
    pub async fn reply_question(
        &self,
        id: &QuestionId,
        answers: &[Vec<String>],
    ) -> Result<(), Error> {
        let path = format!("/question/{}/reply", encode(id.as_str()));
        self.done(Call::post(path).body(json!({ "answers": answers }))).await
    }

    /// Refuses to answer; the turn ends.
    pub async fn reject_question(&self, id: &QuestionId) -> Result<(), Error> {
        self.done(Call::post(format!("/question/{}/reject", encode(id.as_str())))).await
    }

    /// The sessions of this directory that wait for the network.
    pub async fn network_waits(&self) -> Result<Vec<crate::types::NetworkWait>, Error> {
        self.asks("/network", crate::types::NetworkWait::is_named).await
    }

    /// Makes a waiting session try again now.
    pub async fn reply_network(&self, id: &NetworkWaitId) -> Result<(), Error> {
        self.done(Call::post(format!("/network/{}/reply", encode(id.as_str())))).await
    }

    /// Makes a waiting session fail.
    pub async fn reject_network(&self, id: &NetworkWaitId) -> Result<(), Error> {
        self.done(Call::post(format!("/network/{}/reject", encode(id.as_str())))).await
    }

    // ---- plumbing ----

    fn prepare(&self, call: Call) -> Call {
        call.directory(self.directory.clone())
    }

    async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        self.client.call(self.prepare(call)).await
    }

    /// Reads a list of what is asked, each for itself.
    async fn asks<T: DeserializeOwned>(
        &self,
        path: &str,
        named: fn(&T) -> bool,
    ) -> Result<Vec<T>, Error> {
        let raw: Vec<Box<RawValue>> = self.call(Call::get(path)).await?;
        Ok(asks(&raw, named))
    }

    /// For reads that may start the instance first.
    async fn slow_get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.call(Call::get(path).timeout(self.client.limits().slow)).await
    }

    /// For requests answered by `true`. Another answer is none of Kilo's, a page of a proxy
    /// perhaps.
    async fn done(&self, call: Call) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Done(#[expect(dead_code, reason = "only its being a boolean matters")] bool);
        self.call::<Done>(call).await.map(|_| ())
    }
}

fn of(id: &SessionId, rest: &str) -> String {
    format!("/session/{}{rest}", encode(id.as_str()))
}

fn slashed<S: Serializer>(model: &Option<ModelRef>, to: S) -> Result<S::Ok, S::Error> {
    model.as_ref().map(ToString::to_string).serialize(to)
}
