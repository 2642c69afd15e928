//! A slash command at the beginning of a message: found, held against the access, and run.
//!
//! What Kilo does of itself when a command is called goes by no rules (7.7.7, measured): shell
//! commands in its text run at once, and a sub-agent that it names starts unasked. Such a command
//! is refused, unless the thread has full access.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{Access, ErrorCode, InputKind, Mode, TurnError, TurnId};
use kilo_sdk::types::{Agent, Command, ModelRef};
use kilo_sdk::{Prompt as KiloPrompt, PromptPart, RunCommand};

use super::super::{baseline, extras};
use super::{Control, Inner, KiloSession, send_error};
use crate::{Prompt, SendError};

/// A command to be run.
pub(super) struct Call {
    run: RunCommand,
    /// The model it runs on, as people choose it.
    pub(super) model: String,
    /// What is to be said of it in the thread.
    pub(super) remark: Option<String>,
}

/// Counts the commands that Kilo has not answered yet.
#[derive(Default)]
pub(super) struct Calls(AtomicUsize);

impl Calls {
    /// Whether one may still run, or begin to.
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }

    fn begin(self: &Arc<Self>) -> Calling {
        self.0.fetch_add(1, Ordering::SeqCst);
        Calling(self.clone())
    }
}

/// A command that Kilo has not answered.
struct Calling(Arc<Calls>);

impl Drop for Calling {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl KiloSession {
    /// The command that a message begins with, if Kilo has one of that name here; else the message
    /// is an ordinary one.
    pub(super) async fn command(
        &self,
        prompt: &Prompt,
        wire: &KiloPrompt,
    ) -> Result<Option<Call>, SendError> {
        let Some((name, arguments)) = typed(prompt) else { return Ok(None) };
        let instance = &self.inner.instance;
        let commands = instance.commands().await.map_err(|e| send_error(&e))?;
        let Some(command) = commands.into_iter().find(|command| command.name == name) else {
            return Ok(None);
        };
        let agents = match command.agent {
            Some(_) => instance.agents().await.map_err(|e| send_error(&e))?,
            None => Vec::new(),
        };
        let access = self.inner.wish().0;
        if let Some(why) = refusal(&command, arguments, &agents, (access, prompt.mode)) {
            return Err(SendError { code: ErrorCode::Rejected, message: why });
        }
        let parts = wire.parts.iter().filter(|part| matches!(part, PromptPart::File { .. }));
        let own = command.model.as_deref().filter(|model| ModelRef::parse(model).is_some());
        Ok(Some(Call {
            model: own.unwrap_or(&prompt.model.model).to_owned(),
            remark: remark(&command, prompt),
            run: RunCommand {
                message_id: wire.message_id.clone(),
                command: command.name,
                arguments: arguments.to_owned(),
                agent: wire.agent.clone(),
                model: wire.model.clone(),
                variant: wire.variant.clone(),
                parts: parts.cloned().collect(),
            },
        }))
    }

    /// Has Kilo run a command. Kilo answers when its turn is over, and tells of it as of any turn
    /// meanwhile; only what it refused is known from the answer alone.
    pub(super) fn run(&self, turn: TurnId, call: Call) {
        let (inner, control) = (self.inner.clone(), self.control.clone());
        let calling = inner.calls.begin();
        tokio::spawn(async move {
            if control.send(Control::Calling { turn: turn.clone() }).await.is_err() {
                // The session was closed: nobody would hear what comes of it.
                return;
            }
            let result = inner.instance.run_command(&inner.id, &call.run).await;
            drop(calling);
            let _ = control.send(Control::Called { turn, result }).await;
        });
    }
}

impl Inner {
    /// Takes that the connection broke on which a command was answered. Whatever still comes of it
    /// is stopped, unless a person is asked for it: then it is known to go on.
    pub(super) fn lose_call(&self, turn: &TurnId) {
        let error = TurnError {
            code: ErrorCode::AgentDied,
            message: "the connection to Kilo broke before the command's message was seen"
                .to_owned(),
            hint: Some("look whether it did something, then send it again".to_owned()),
            retryable: true,
        };
        let lost = self.mapper().lose_call(turn, error);
        if lost {
            self.note_stop(turn);
        }
    }
}

/// What ends the turn of a command that was being run when Baton ended, and has no message.
pub(super) fn unseen() -> TurnError {
    TurnError {
        code: ErrorCode::AgentDied,
        message: "Kilo ended before the command's message was there".to_owned(),
        hint: Some("look whether it did something, then send it again".to_owned()),
        retryable: true,
    }
}

/// The name of the command that a message may begin with, and what follows it.
fn typed(prompt: &Prompt) -> Option<(&str, &str)> {
    let rest = prompt.text.strip_prefix('/').filter(|_| prompt.kind == InputKind::Message)?;
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    extras::is_name(name).then_some((name, arguments.trim()))
}

/// Why a command is not run.
fn refusal(
    command: &Command,
    arguments: &str,
    agents: &[Agent],
    (access, mode): (Access, Mode),
) -> Option<String> {
    let name = &command.name;
    if name == extras::ENDLESS {
        return Some(format!(
            "`/{name}` goes on by itself after its turn, where it is neither shown nor stopped \
             here: run it in Kilo's own interface"
        ));
    }
    let free = access == Access::Full && mode == Mode::Build;
    if !free && runs_shell(command, arguments) {
        return Some(format!(
            "calling `/{name}` would run shell commands that nobody is asked about, those written \
             as !`…` in its text or after its name: send it in build mode with full access if they \
             may run"
        ));
    }
    let wanted = command.agent.as_ref()?;
    let Some(agent) = agents.iter().find(|agent| agent.name == *wanted) else {
        return Some(format!(
            "`/{name}` works as the agent `{wanted}`, which Kilo does not have here: correct the \
             command's file or add the agent"
        ));
    };
    if mode == Mode::Plan && *wanted != super::agent(Mode::Plan) {
        return Some(format!(
            "`/{name}` works as the agent `{wanted}` and cannot plan: send it in build mode"
        ));
    }
    let is_sub = command.subtask.unwrap_or(agent.mode == "subagent");
    baseline::is_loose(agent, is_sub, access).then(|| {
        format!(
            "`/{name}` works as the agent `{wanted}`, which by the configuration does without \
             asking what this thread's access asks about: send it with full access if it may"
        )
    })
}

/// Whether Kilo would run a shell command while it puts the command's text together. It looks for
/// them after what was typed was filled in, so that the two may make one together; and it does not
/// tell the text that an MCP server gives.
fn runs_shell(command: &Command, arguments: &str) -> bool {
    const SHELL: &str = "!`";
    if arguments.contains(SHELL) {
        return true;
    }
    let Some(template) = &command.template else { return true };
    let (ticks, calls) = (arguments.contains('`'), arguments.contains('!'));
    let of_skill = command.source.as_deref() == Some("skill") && command.trusted == Some(false);
    let places = template.match_indices('$').any(|(at, _)| {
        let before = template.get(..at).unwrap_or_default();
        let place = template.get(at + 1..).unwrap_or_default();
        let after = place.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        let meets = after.starts_with('$') && calls;
        ticks && (before.ends_with('!') || meets) || calls && after.starts_with('`')
    });
    places || template.contains(SHELL) && !of_skill
}

/// Says what of a message's choices the command's own replace.
fn remark(command: &Command, prompt: &Prompt) -> Option<String> {
    let agent = command.agent.as_ref().filter(|agent| *agent != super::agent(prompt.mode));
    let model = command.model.as_ref().filter(|model| **model != prompt.model.model);
    let name = &command.name;
    match (agent, model) {
        (Some(agent), Some(model)) => Some(format!(
            "As its file says, `/{name}` works as the agent `{agent}` and runs on `{model}`."
        )),
        (Some(agent), None) => {
            Some(format!("As its file says, `/{name}` works as the agent `{agent}`."))
        }
        (None, Some(model)) => Some(format!("As its file says, `/{name}` runs on `{model}`.")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
