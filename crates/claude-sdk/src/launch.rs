use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use process::{Exit, Host, Spec, Stdin, Stdout};
use serde_json::{Value, json};

use crate::claude::{Claude, ControlError, Frames, Incoming};
use crate::frame::Frame;

/// How to run an agent.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Where it works. A session can be resumed only where it was begun (2.1.197).
    pub cwd: PathBuf,
    /// Which conversation it has.
    pub conversation: Conversation,
    /// The model; `None` for the user's own choice.
    pub model: Option<String>,
    /// How much it thinks: `low` to `max`; what the model does not know is ignored (2.1.197).
    pub effort: Option<String>,
    /// `default`, `acceptEdits`, `plan`, …
    pub permission_mode: String,
    /// Rules of what it may do unasked, e.g. `Bash(ls *)`.
    pub allowed_tools: Vec<String>,
    /// Which settings are in force, e.g. `user,project,local`; `None` for all of them.
    pub setting_sources: Option<String>,
    /// Settings that go before all others, e.g. `{"allowManagedPermissionRulesOnly": true}`: those of
    /// whoever embeds the agent. Of them only what restricts is taken, beside rules that allow; and
    /// nothing where an administrator has set up their own, unless these say
    /// `"parentSettingsBehavior": "merge"` (2.1.197). One argument: 128 KiB at most on Linux.
    pub managed_settings: Option<Value>,
    /// Settings that go before those of files, e.g. `{"disableAutoMode": "disable"}`. They stay in force
    /// when others are put beside them by `apply_flag_settings` (2.1.197).
    pub settings: Option<Value>,
    /// Whether MCP servers that files name are left alone.
    pub strict_mcp_config: bool,
    /// Whether the conversation is kept.
    pub persist: bool,
    /// Hooks to be called back for, as `initialize` takes them.
    pub hooks: Value,
    /// Variables to set (`Some`) or remove (`None`) over the inherited environment.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// What the agent takes its host for.
    pub entrypoint: String,
    /// How long it may take to be ready: 1 s is usual, 2 s the first time. Default 30 s.
    pub timeout: Duration,
}

impl Launch {
    /// A launch of a new conversation that asks before it acts.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, cwd: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            cwd: cwd.into(),
            conversation: Conversation::Unnamed,
            model: None,
            effort: None,
            permission_mode: "default".to_owned(),
            allowed_tools: Vec::new(),
            setting_sources: None,
            managed_settings: None,
            settings: None,
            strict_mcp_config: false,
            persist: true,
            hooks: Value::Null,
            env: Vec::new(),
            entrypoint: "sdk-rs".to_owned(),
            timeout: Duration::from_secs(30),
        }
    }

    fn args(&self) -> Vec<String> {
        let mut args: Vec<String> = [
            "--output-format",
            "stream-json",
            "--verbose",
            "--input-format",
            "stream-json",
            "--permission-prompt-tool",
            "stdio",
            "--include-partial-messages",
            "--replay-user-messages",
            "--permission-mode",
            &self.permission_mode,
        ]
        .map(str::to_owned)
        .into();
        let mut with = |name: &str, value: &str| {
            args.push(name.to_owned());
            args.push(value.to_owned());
        };
        match &self.conversation {
            Conversation::Unnamed => {}
            Conversation::New(id) => with("--session-id", id),
            Conversation::Resume { session, until } => {
                with("--resume", session);
                if let Some(until) = until {
                    with("--resume-session-at", until);
                }
            }
            Conversation::Fork { session, until, id } => {
                with("--resume", session);
                with("--session-id", id);
                if let Some(until) = until {
                    with("--resume-session-at", until);
                }
            }
        }
        if let Some(model) = &self.model {
            with("--model", model);
        }
        if let Some(effort) = &self.effort {
            with("--effort", effort);
        }
        if !self.allowed_tools.is_empty() {
            with("--allowedTools", &self.allowed_tools.join(","));
        }
        if let Some(settings) = &self.managed_settings {
            with("--managed-settings", &settings.to_string());
        }
        if let Some(settings) = &self.settings {
            with("--settings", &settings.to_string());
        }
        if let Some(sources) = &self.setting_sources {
            args.push(format!("--setting-sources={sources}"));
        }
        if matches!(self.conversation, Conversation::Fork { .. }) {
            args.push("--fork-session".to_owned());
        }
        if self.strict_mcp_config {
            args.push("--strict-mcp-config".to_owned());
        }
        if !self.persist {
            args.push("--no-session-persistence".to_owned());
        }
        args
    }
}

/// Which conversation an agent has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// A new one of whatever name.
    Unnamed,
    /// A new one of this name, a UUID that is not taken.
    New(String),
    /// This one goes on.
    Resume {
        /// Its name.
        session: String,
        /// The name of the last `assistant` line that counts; `None` for all of it. What came after
        /// stays in the transcript and is not part of the conversation any more (2.1.197).
        until: Option<String>,
    },
    /// A new one that begins with what was said in another.
    Fork {
        /// The other.
        session: String,
        /// The name of the last `assistant` line of it that is taken over; `None` for all.
        until: Option<String>,
        /// The name of the new one.
        id: String,
    },
}

/// What an agent says of itself when it is ready.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Initialized {
    /// Models: `value`, `displayName`, `description`, `supportedEffortLevels`, …
    pub models: Vec<Value>,
    /// Slash commands: `name`, `description`, `argumentHint`.
    pub commands: Vec<Value>,
    /// Who is signed in, and how.
    pub account: Value,
    /// All of it.
    pub body: Value,
}

/// Why an agent could not be launched. Nothing of it runs any more.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// It could not be started.
    #[error(transparent)]
    Spawn(#[from] process::Error),
    /// It ended instead of getting ready.
    #[error("Claude Code ended with {} while starting: {}", .exit.status, .said.join("; "))]
    Exited {
        /// How it ended.
        exit: Box<Exit>,
        /// What it said: the errors of a result, else its last lines.
        said: Vec<String>,
        /// Whether it answered with a failed result: so it does when the conversation to be
        /// resumed is gone (2.1.197). Other failures are told on standard error alone.
        failed: bool,
    },
    /// It was not ready in time.
    #[error("Claude Code was not ready within {after:?}")]
    Timeout {
        /// The time it had.
        after: Duration,
        /// Its last lines.
        said: Vec<String>,
    },
    /// It refused to get ready.
    #[error("Claude Code does not start as expected: {0}")]
    Unsupported(String),
}

/// Launches an agent and waits until it is ready.
///
/// # Errors
/// As [`LaunchError`] says. If the future is dropped, the agent is stopped.
pub async fn launch(
    host: &Host,
    launch: Launch,
) -> Result<(Claude, Frames, Initialized), LaunchError> {
    let mut child = host.spawn(spec(&launch)).await?;
    let pipes = child.take_stdin().zip(child.take_stdout());
    let Some((stdin, stdout)) = pipes else {
        return Err(LaunchError::Unsupported("it has no pipes".to_owned()));
    };
    let (claude, mut frames) = Claude::new(child, stdin, stdout);
    let request = json!({ "subtype": "initialize", "hooks": launch.hooks });
    let mut exit = claude.exit();
    let answer = tokio::select! {
        biased;
        answer = claude.control(request, launch.timeout) => answer,
        _ = exit.wait() => Err(ControlError::Ended),
    };
    let error = match answer {
        Ok(body) => return Ok((claude, frames, initialized(body))),
        Err(ControlError::TimedOut(after)) => LaunchError::Timeout { after, said: claude.stderr() },
        Err(ControlError::Refused(why)) => LaunchError::Unsupported(why),
        Err(ControlError::Ended | ControlError::Busy) => ended(&claude, &mut frames).await,
    };
    claude.stop("its start failed", Duration::from_secs(1)).await;
    Err(error)
}

/// Why it ended before it was ready.
async fn ended(claude: &Claude, frames: &mut Frames) -> LaunchError {
    const TOLD: Duration = Duration::from_secs(2);
    let exit = tokio::time::timeout(TOLD, claude.exit().wait()).await.ok().flatten();
    let mut result = None;
    while let Ok(Some(incoming)) = tokio::time::timeout(TOLD, frames.next()).await {
        if let Incoming::Frame(Frame::Result(told)) = incoming {
            result = Some(told);
        }
    }
    let failed = result.as_ref().is_some_and(|result| result.is_error);
    let errors = result.map(|result| result.errors).unwrap_or_default();
    match exit {
        Some(exit) => {
            let said = if errors.is_empty() { exit.stderr.clone() } else { errors };
            LaunchError::Exited { exit: Box::new(exit), said, failed }
        }
        None => LaunchError::Unsupported(format!("it closed its output; {}", errors.join("; "))),
    }
}

fn initialized(body: Value) -> Initialized {
    let list = |name: &str| body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    Initialized {
        models: list("models"),
        commands: list("commands"),
        account: body.get("account").cloned().unwrap_or_default(),
        body,
    }
}

fn spec(launch: &Launch) -> Spec {
    let mut spec = Spec::new(&launch.program)
        .args(launch.args())
        .cwd(&launch.cwd)
        .label("claude")
        .stdin(Stdin::Piped)
        .stdout(Stdout::Raw)
        .env("DISABLE_AUTOUPDATER", "1")
        // The only reliable word on when it is idle.
        .env("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "1")
        // The list of what is to be done: whole at each change, and there at all (2.1.330).
        .env("CLAUDE_CODE_ENABLE_TODO_TOOLS", "1")
        .env("CLAUDE_CODE_ENABLE_TASKS", "0")
        .env("CLAUDE_CODE_ENTRYPOINT", &launch.entrypoint)
        // By which an agent that runs within another one is told.
        .env_remove("CLAUDECODE")
        .env_remove("NODE_OPTIONS");
    for (name, value) in &launch.env {
        spec = match value {
            Some(value) => spec.env(name, value),
            None => spec.env_remove(name),
        };
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_is_told_in_arguments() {
        let mut launch = Launch::new("claude", "/w");
        launch.conversation =
            Conversation::Fork { session: "a".into(), until: Some("b".into()), id: "c".into() };
        launch.setting_sources = Some("user".to_owned());
        launch.strict_mcp_config = true;
        launch.managed_settings = Some(json!({ "a": [1] }));
        launch.settings = Some(json!({ "b": 2 }));
        launch.allowed_tools = vec!["Bash(touch a)".to_owned(), "Edit".to_owned()];
        let args = launch.args().join(" ");
        let wanted = "--permission-mode default --resume a --session-id c --resume-session-at b \
                      --allowedTools Bash(touch a),Edit --managed-settings {\"a\":[1]} --settings {\"b\":2} \
                      --setting-sources=user --fork-session \
                      --strict-mcp-config";
        assert!(args.ends_with(wanted), "{args}");
        assert!(!args.contains("dangerously"));
    }
}
