//! The process behind a session: started for a message, told its model, effort and mode.

use std::sync::Arc;
use std::time::Duration;

use claude_sdk::{Claude, Conversation, Frames, Launch, UserMessage};
use domain::ErrorCode;
use serde_json::json;

use super::super::rules::Rules;
use super::super::{Shared, access, errors, transcripts};
use super::interrupts::Interrupts;
use super::task::GRACE;
use super::wire;
use crate::shared::places;
use crate::{Prompt, SendError};

/// How long the agent may take to answer what it is told of model, effort and mode.
const TOLD: Duration = Duration::from_secs(10);

/// What an agent goes by: what it was told, and the mode it says it is in since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) model: String,
    pub(super) effort: Option<String>,
    pub(super) mode: String,
}

impl Applied {
    pub(super) fn of(prompt: &Prompt) -> Self {
        Self {
            model: prompt.model.model.clone(),
            effort: prompt.model.option.clone(),
            mode: access::permission_mode(prompt.mode).to_owned(),
        }
    }
}

/// How the session is begun, when a process is to be started.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) conversation: Conversation,
    /// The session's id.
    pub(super) session: String,
    pub(super) workspace: std::path::PathBuf,
    pub(super) trusted: bool,
    /// What people allowed for the session.
    pub(super) grants: Vec<String>,
}

/// A process that has been started.
pub(super) struct Started {
    pub(super) claude: Arc<Claude>,
    pub(super) frames: Frames,
    /// Whether it is asked for no title.
    pub(super) quiet: bool,
}

/// An agent that is ready for a message.
pub(super) struct Ready {
    /// The process, when one was started.
    pub(super) started: Option<Started>,
    pub(super) message: UserMessage,
    pub(super) applied: Applied,
    /// What settings forbid, by which the process goes.
    pub(super) rules: Rules,
}

/// The process that runs, and what it goes by.
pub(super) struct InUse {
    pub(super) claude: Arc<Claude>,
    pub(super) applied: Applied,
    pub(super) rules: Rules,
    pub(super) interrupts: Interrupts,
}

/// Why no process is ready for a message.
pub(super) struct NotReady {
    pub(super) error: SendError,
    pub(super) why: Why,
}

/// What the lack of a process comes of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Something about the message or the session: nothing was done.
    Refused,
    /// The process that runs may go by some of what it was told, and not by the rest.
    HalfTold,
    /// A process was started and did not get ready.
    NotStarted,
}

impl From<SendError> for NotReady {
    fn from(error: SendError) -> Self {
        Self { error, why: Why::Refused }
    }
}

/// Gets a process ready for a message: the one that runs, or a new one.
pub(super) async fn ready(
    shared: Arc<Shared>,
    running: Option<InUse>,
    start: Start,
    prompt: Arc<Prompt>,
) -> Result<Ready, NotReady> {
    let message = wire::message(&prompt).await?;
    let wanted = Applied::of(&prompt);
    let (rules, has_transcript) = look(&shared, &start).await?;
    if let Some(InUse { claude, applied, rules: before, interrupts }) = running {
        // A new effort has it forget what people allowed for the session (2.1.197).
        let forgets = applied.effort != wanted.effort && !start.grants.is_empty();
        if interrupts.are_over().await && before == rules && !forgets {
            let told = tell(&claude, &applied, &wanted).await;
            told.map_err(|error| NotReady { error, why: Why::HalfTold })?;
            return Ok(Ready { started: None, message, applied: wanted, rules });
        }
        claude.stop("it is to go by other rules, or did not answer a stop", GRACE).await;
    }
    let conversation = match start.conversation {
        // It had its first message although that was not told.
        Conversation::New(session) | Conversation::Fork { id: session, .. } if has_transcript => {
            Conversation::Resume { session, until: None }
        }
        other => other,
    };
    let resumes = !matches!(conversation, Conversation::New(_));
    let program = shared
        .program()
        .await
        .map_err(|error| SendError { code: error.code, message: error.message })?;
    let mut launch = Launch::new(program, &start.workspace);
    launch.conversation = conversation;
    launch.model = Some(wanted.model.clone());
    launch.effort.clone_from(&wanted.effort);
    launch.permission_mode.clone_from(&wanted.mode);
    shared.restrict(&mut launch, start.trusted);
    let launched = shared.launch_ruled(launch, &rules, &start.grants).await;
    let launched = launched.map_err(|error| {
        let error = errors::of_launch(&error, resumes);
        let gone = error.code == ErrorCode::SessionLost;
        NotReady { error, why: if gone { Why::Refused } else { Why::NotStarted } }
    })?;
    shared.learn(&launched.initialized);
    let quiet = launched.quiet || shared.config.quiet;
    let started = Started { claude: Arc::new(launched.agent), frames: launched.frames, quiet };
    let started = Some(started);
    Ok(Ready { started, message, applied: wanted, rules })
}

/// What the settings forbid that are in force where the session works, and whether it has a
/// transcript.
async fn look(shared: &Shared, start: &Start) -> Result<(Rules, bool), SendError> {
    let (config, workspace) = (shared.config_dir(), start.workspace.clone());
    let (trusted, session) = (start.trusted, start.session.clone());
    let look = move || {
        let rules = Rules::read(&config, Some(workspace.as_path()).filter(|_| trusted));
        (rules, transcripts::file(&config, &workspace, &session).is_file())
    };
    let found = places::on_disk(&start.workspace, look).await;
    found.map_err(|error| SendError { code: error.code, message: error.message })
}

/// Tells a process that runs what it is to go by, as far as that differs.
async fn tell(claude: &Claude, applied: &Applied, wanted: &Applied) -> Result<(), SendError> {
    let mut requests = Vec::new();
    if applied.mode != wanted.mode {
        requests.push(json!({ "subtype": "set_permission_mode", "mode": wanted.mode }));
    }
    if applied.model != wanted.model {
        requests.push(json!({ "subtype": "set_model", "model": wanted.model }));
    }
    if applied.effort != wanted.effort {
        let settings = json!({ "effortLevel": wanted.effort });
        requests.push(json!({ "subtype": "apply_flag_settings", "settings": settings }));
    }
    for request in requests {
        let told = claude.control(request, TOLD).await;
        told.map_err(|error| SendError {
            code: ErrorCode::AgentUnavailable,
            message: format!("Claude Code did not take the model, effort or mode: {error}"),
        })?;
    }
    Ok(())
}
