//! The traits every provider implements.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Access, AgentEvent, AgentReport, Answer, AttachmentKind, ErrorCode, Extras, FullText, History,
    InputKind, Mode, Model, ModelSelection, NativeSession, ProviderId, ProviderSettings,
    ProviderStatus, Request, Startup, ThreadId, TurnError, TurnId, Upstream,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc, watch};

/// A kind of agent runtime.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Its name.
    fn id(&self) -> ProviderId;

    /// What is known of it, kept up to date. Reading it starts nothing.
    fn status(&self) -> watch::Receiver<ProviderStatus>;

    /// Looks again whether it can be used: program, version, sign-in, models. One look at a time;
    /// a second caller waits for the first.
    async fn detect(&self) -> ProviderStatus;

    /// Takes the password of the server that the settings name, if they do; before they are given.
    fn entrust(&self, _password: Option<String>) {}

    /// Takes new settings and looks again. Running turns are left alone, unless the provider is
    /// switched off: that ends them and the agent's processes. Must be called once at the start,
    /// for sessions are opened only by settings that were given.
    async fn configure(&self, settings: ProviderSettings);

    /// The models that can be chosen, from the last good look; never starts the agent.
    fn inventory(&self) -> watch::Receiver<Inventory>;

    /// Takes a list of models that was read in an earlier run, until a newer one is had.
    fn restore(&self, inventory: Inventory);

    /// What the agent would start or loosen because a directory's own configuration says so. Only
    /// files are read: nothing is started, and what is found is bounded.
    async fn startup(&self, _directory: &Path) -> Startup {
        Startup::default()
    }

    /// The slash commands and MCP servers that the agent has in a directory, read now and bounded.
    /// Starts the agent, and its MCP servers there, if need be.
    ///
    /// # Errors
    /// [`OpenError`] when the agent cannot be asked.
    async fn extras(&self, _place: &Place) -> Result<Extras, OpenError> {
        Ok(Extras::default())
    }

    /// Starts the agent process, when it takes long to start and will soon be needed.
    async fn warm(&self);

    /// Opens a session for a thread: the one it had, or a new one.
    ///
    /// # Errors
    /// [`OpenError`] says why the agent cannot be used for this thread.
    async fn open(&self, request: OpenSession) -> Result<Opened, OpenError>;

    /// Ends the agent process and starts it anew, forgetting earlier failures. Sessions stay with
    /// the agent. A provider without a process of its own has nothing to do.
    ///
    /// # Errors
    /// [`RestartError::Busy`] when turns run and it is not forced, else why it did not start.
    async fn restart(&self, _force: bool) -> Result<(), RestartError> {
        Ok(())
    }

    /// Its agent processes and how earlier ones ended. Starts nothing.
    async fn report(&self) -> AgentReport {
        AgentReport::default()
    }

    /// What can be done with whole sessions, if the agent offers it.
    fn sessions(&self) -> Option<Arc<dyn Sessions>> {
        None
    }
    /// Removes what is kept of a thread beside its conversation, since the thread is gone.
    fn forget(&self, _thread: &ThreadId) {}

    /// Ends the agent process and everything that belongs to it.
    async fn shutdown(&self);
}

/// What can be done with whole sessions, whether or not a thread has them open.
///
/// # Errors
/// All methods fail with an [`OpenError`]; its code is [`ErrorCode::SessionLost`] when the session
/// is gone and [`ErrorCode::SessionBusy`] when it is at work.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Lists the conversations of a directory, the last used first, without sub-agents'.
    async fn list(&self, place: &Place, query: &SessionQuery) -> Result<SessionList, OpenError>;

    /// Reads what happened in a session: its newest turns, or those after the newest that is
    /// known, as far back as the bounds allow.
    async fn read(&self, place: &Place, session: &ReadSession) -> Result<Reading, OpenError>;

    /// Makes a session of what was said in another before a message, or of all of it; gives its
    /// id. What people allowed for the first does not hold in it.
    async fn fork(
        &self,
        place: &Place,
        session: &str,
        before: Option<&str>,
    ) -> Result<String, OpenError>;

    /// Takes a session back to before a message, or undoes that. Files are not touched.
    async fn take_back(
        &self,
        place: &Place,
        session: &str,
        before: Option<&str>,
    ) -> Result<(), OpenError>;

    /// Names a session.
    async fn rename(&self, place: &Place, session: &str, title: &str) -> Result<(), OpenError>;

    /// Deletes a session, having stopped what runs in it. One that is gone counts as deleted.
    async fn delete(&self, place: &Place, session: &str) -> Result<(), OpenError>;

    /// The sessions that are deleted at the agent from now on while no thread has them open here,
    /// by the provider's own ids; the reader of one that is open is told by its events. The channel
    /// is bounded: what a slow reader misses shows when the session is next used. `None` when the
    /// agent does not tell.
    fn deletions(&self) -> Option<broadcast::Receiver<String>> {
        None
    }

    /// The command that opens a session in the agent's own interface.
    fn command(&self, place: &Place, session: &str) -> String;
}

/// Where sessions are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The absolute directory they work in.
    pub workspace: PathBuf,
    /// Whether the project is trusted; see [`OpenSession::trusted`].
    pub trusted: bool,
}

/// Which sessions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionQuery {
    /// Only those with this in their title.
    pub search: Option<String>,
    /// How many are passed over, the last used first.
    pub offset: usize,
    /// How many at most.
    pub limit: usize,
}

/// A page of sessions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionList {
    /// The sessions; which threads they belong to is not said.
    pub sessions: Vec<NativeSession>,
    /// Whether there are more.
    pub more: bool,
}

/// What to read of a session.
#[derive(Debug, Clone)]
pub struct ReadSession {
    /// The provider's own id of it.
    pub session: String,
    /// The thread it is read for.
    pub thread: ThreadId,
    /// The names of messages that are known, so that only what came after them is read; none to
    /// read its history.
    pub known: Vec<String>,
}

/// What was read of a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What it says.
    pub history: History,
    /// The newest known message that it has; the history is what came after it.
    pub after: Option<String>,
    /// What the agent wrote in turns up to the one of that message, as far back as was read on the
    /// way: its own name of each item, and the item's whole text.
    pub texts: Vec<(String, FullText)>,
}

/// The models of a provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// The models that can be chosen.
    pub models: Vec<Model>,
    /// Whether `models` was ever read from the provider.
    pub known: bool,
    /// Why the last look failed, when it did; `models` are then those of the last good one.
    pub problem: Option<String>,
    /// Where models come from, or could: those that can be used and those that a person set up or
    /// named. A bounded number.
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
}

/// How many names are told for one that is not known.
const MAX_NEAR: usize = 3;

impl Inventory {
    /// How many models are known to work.
    #[must_use]
    pub fn usable(&self) -> usize {
        self.models.iter().filter(|model| model.unverified.is_none()).count()
    }

    /// The ids that come nearest to one that is not offered, best first; none that share nothing
    /// with it.
    #[must_use]
    pub fn near(&self, id: &str) -> Vec<String> {
        let wanted = words(id);
        let likeness = |model: &Model| {
            let found = words(&model.id);
            let shared = wanted.iter().filter(|word| found.contains(word)).count();
            (shared, std::cmp::Reverse(found.len()))
        };
        let verified = self.models.iter().filter(|model| model.unverified.is_none());
        let mut near: Vec<_> = verified.map(|m| (likeness(m), &m.id)).collect();
        near.retain(|((shared, _), _)| *shared > 0);
        near.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        near.into_iter().take(MAX_NEAR).map(|(_, id)| id.clone()).collect()
    }
}

/// The parts of an id that mean something.
fn words(id: &str) -> Vec<String> {
    let parts = id.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_ascii_lowercase).collect()
}

/// What a thread needs of a provider.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// The thread.
    pub thread: ThreadId,
    /// The session it had, by the provider's own id.
    pub session: Option<String>,
    /// The absolute directory to work in.
    pub workspace: PathBuf,
    /// How much the agent may do unasked.
    pub access: Access,
    /// The thread's title, if it has one.
    pub title: String,
    /// Whether the project is trusted: what its own configuration says is in force, and what it
    /// names may be started. Otherwise it is left unread.
    pub trusted: bool,
}

/// A session that can be used.
pub struct Opened {
    /// The session.
    pub session: Arc<dyn Session>,
    /// What happens in it. The channel is bounded: a provider whose reader is slow stops telling
    /// and reads the session again when there is room. It ends when the session is gone.
    pub events: mpsc::Receiver<AgentEvent>,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a session came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was made for this thread now.
    New,
    /// It is the one the thread had.
    Resumed,
}

/// One conversation with an agent.
#[async_trait]
pub trait Session: Send + Sync + 'static {
    /// The provider's own id of it, with which it is resumed.
    fn id(&self) -> String;

    /// A new name for a message, by which it can be found in the session.
    fn prompt_key(&self, kind: InputKind) -> String;

    /// Sends a message. Returns when it is handed over, not when it is answered; the agent's
    /// taking it is told by [`domain::TurnEvent::Started`].
    ///
    /// # Errors
    /// [`SendError`] when the message certainly did not get to the agent.
    async fn send(&self, prompt: Prompt) -> Result<(), SendError>;

    /// Gives the agent a message while another turn runs. The agent takes it when it can: then the
    /// running turn is told to have completed and this one to have started, in this order, and
    /// what the agent does from then on belongs to this one. Should the running turn end in
    /// another way first, the message is the next that is taken.
    ///
    /// Called only when the provider's capabilities say that it steers, and for one message at a
    /// time.
    ///
    /// # Errors
    /// [`SendError`] when the message certainly did not get to the agent; what runs is untouched.
    async fn steer(&self, _prompt: Prompt) -> Result<(), SendError> {
        Err(SendError {
            code: ErrorCode::Rejected,
            message: "the agent takes no message into a turn that runs".to_owned(),
        })
    }

    /// Notes that an earlier run of Baton may have given the agent this message while the turn ran
    /// that is about to be looked up.
    fn expect(&self, _turn: &TurnId, _prompt_key: &str) {}

    /// Looks whether a message is in the session. When it is, what happened since follows as
    /// events, the turn's end included if it has ended.
    ///
    /// # Errors
    /// [`SendError`] when the session cannot be read.
    async fn look_up(&self, turn: &TurnId, prompt_key: &str) -> Result<Sighting, SendError>;

    /// Reads the session again and tells what differs from what was told.
    async fn resync(&self);

    /// Stops a turn. Returns when the agent has taken note; stopping one that no longer runs is a
    /// success and hits no other, however late it is. A message of it that is still on its way is
    /// not handed over any more.
    ///
    /// # Errors
    /// [`SendError`] when the agent could not be reached.
    async fn interrupt(&self, turn: &TurnId) -> Result<(), SendError>;

    /// Notes that a turn is over here although the agent has not ended it: nothing more of it is
    /// told, its message is not handed over any more, and what still runs of it is stopped in the
    /// background, before the next message.
    fn abandon(&self, turn: &TurnId);

    /// Gives the agent an answer.
    ///
    /// # Errors
    /// [`AnswerError`] says whether trying again makes sense.
    async fn answer(&self, request: &Request, answer: &Answer) -> Result<(), AnswerError>;

    /// Notes how much the agent may do from now on, in a turn of this mode. At once, so that the
    /// last wish counts, whatever is under way: nothing more than it is allowed unasked from here
    /// on, and messages and [`Session::apply_access`] put it in force at the agent.
    fn want(&self, access: Access, mode: Mode);

    /// Has the agent go by what is wanted now, from its next act on. What it waits for and that
    /// allows is allowed.
    ///
    /// # Errors
    /// [`SendError`] when the agent could not be reached.
    async fn apply_access(&self) -> Result<(), SendError>;

    /// Gives up the session's resources here; the conversation itself stays with the agent.
    async fn close(&self);
}

/// A message for an agent.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// The turn it begins.
    pub turn: TurnId,
    /// Its name in the session, from [`Session::prompt_key`].
    pub key: String,
    /// What kind of act it is.
    pub kind: InputKind,
    /// The message; empty for what is none.
    pub text: String,
    /// The files that go with it.
    pub attachments: Vec<PromptFile>,
    /// What to run on.
    pub model: ModelSelection,
    /// What the turn is for.
    pub mode: Mode,
}

/// A file that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptFile {
    /// What the person calls it.
    pub name: String,
    /// What it is.
    pub kind: AttachmentKind,
    /// Where it lies, in Baton's own data.
    pub path: PathBuf,
}

/// What [`Session::look_up`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// The message is not in the session.
    Absent,
    /// It is, and events tell what became of it.
    Present,
}

/// Why a session could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OpenError {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What is said when an agent cannot be used.
pub(crate) fn unavailable(message: &str, hint: Option<&str>) -> OpenError {
    OpenError {
        code: ErrorCode::AgentUnavailable,
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

/// Why an agent process was not started anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestartError {
    /// Turns run and would end with it.
    #[error("{turns} turns run and would end")]
    Busy {
        /// How many.
        turns: u32,
    },
    /// It ended and did not start again, or may not.
    #[error(transparent)]
    Failed(#[from] OpenError),
}

/// Why a message did not get to the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What happened, in a sentence.
    pub message: String,
}

/// Why an answer did not get to the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The agent no longer waits for it.
    #[error("the agent no longer waits for it")]
    Gone,
    /// The agent could not be reached or refused; it may be tried again.
    #[error("{0}")]
    Failed(String),
}

impl From<OpenError> for TurnError {
    fn from(error: OpenError) -> Self {
        Self { code: error.code, message: error.message, hint: error.hint, retryable: true }
    }
}

impl From<SendError> for TurnError {
    fn from(error: SendError) -> Self {
        Self { code: error.code, message: error.message, hint: None, retryable: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_model_is_told_the_nearest_names() {
        let model = |id: &str| Model {
            id: id.to_owned(),
            name: String::new(),
            group: String::new(),
            options: Vec::new(),
            abilities: domain::ModelAbilities::default(),
            cost: None,
            context: None,
            free: false,
            custom: false,
            default: false,
            unverified: None,
        };
        let ids = ["openai/gpt-5", "openai/gpt-5-mini", "kilo/openai/gpt-5", "mock/m1"];
        let inventory =
            Inventory { models: ids.into_iter().map(model).collect(), ..Inventory::default() };
        let near = ["openai/gpt-5", "kilo/openai/gpt-5", "openai/gpt-5-mini"];
        assert_eq!(inventory.near("OpenAI/gpt-5.1"), near.map(String::from));
        assert_eq!(inventory.near("none/other"), Vec::<String>::new());
    }
}
