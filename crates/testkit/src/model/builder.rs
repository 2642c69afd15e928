//! Writing scripts in tests.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::script::{Action, FENCE, Pace, Script, Step};

/// Builds a script step by step; [`Script::prompt`] gives the message that carries it.
///
/// ```
/// use serde_json::json;
/// use testkit::model::Script;
///
/// let prompt = Script::new()
///     .text("I will look.")
///     .tool("bash", json!({"command": "ls", "description": "List files"}))
///     .step()
///     .text("Done.")
///     .prompt("do it");
/// assert!(prompt.starts_with("do it\n"));
/// ```
impl Script {
    /// Starts a script with its first step, still empty.
    #[must_use]
    pub fn new() -> Self {
        Self { steps: vec![Step::new()], ..Self::default() }
    }

    /// Names the script, to tell it from an equal one where the server counts.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Begins the next step: the model's next call.
    #[must_use]
    pub fn step(mut self) -> Self {
        self.then.last_mut().unwrap_or(&mut self.steps).push(Step::new());
        self
    }

    /// Begins the answer to the next message that carries no script of its own.
    #[must_use]
    pub fn then(mut self) -> Self {
        self.then.push(vec![Step::new()]);
        self
    }

    /// Adds any action to the current step.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        let steps = self.then.last_mut().unwrap_or(&mut self.steps);
        match steps.last_mut() {
            Some(step) => step.push(action),
            None => steps.push(vec![action]),
        }
        self
    }

    /// Says `text` in one chunk.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.action(Action::Text(text.into(), Pace::default()))
    }

    /// Says `text` in chunks of `size` characters, `delay` apart.
    #[must_use]
    pub fn stream(self, text: impl Into<String>, size: usize, delay: Duration) -> Self {
        self.action(Action::Text(text.into(), Pace::new(size, delay)))
    }

    /// Says `text` `times` times, each time as one chunk, `delay` apart.
    #[must_use]
    pub fn repeat(self, text: impl Into<String>, times: u64, delay: Duration) -> Self {
        let pace = Pace { sizes: Vec::new(), delay, repeat: Some(times) };
        self.action(Action::Text(text.into(), pace))
    }

    /// Thinks `text` in one chunk.
    #[must_use]
    pub fn reasoning(self, text: impl Into<String>) -> Self {
        self.action(Action::Reasoning(text.into(), Pace::default()))
    }

    /// Calls a tool.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers write `json!({…})` in place")]
    pub fn tool(self, name: impl Into<String>, args: Value) -> Self {
        self.action(Action::Tool { name: name.into(), arguments: args.to_string() })
    }

    /// Calls a tool with arguments that need not be JSON.
    #[must_use]
    pub fn tool_raw(self, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        self.action(Action::Tool { name: name.into(), arguments: arguments.into() })
    }

    /// Runs a shell command through Kilo's `bash` tool.
    #[must_use]
    pub fn bash(self, command: impl Into<String>) -> Self {
        let command = command.into();
        let description = format!("Run {}", command.split_whitespace().next().unwrap_or("it"));
        self.tool("bash", json!({ "command": command, "description": description }))
    }

    /// Hands a script to a sub-agent through Kilo's `task` tool (`agent`: `general`, `explore`).
    #[must_use]
    pub fn task(self, agent: &str, description: &str, script: &Self) -> Self {
        let prompt = script.prompt(description);
        self.tool(
            "task",
            json!({ "description": description, "prompt": prompt, "subagent_type": agent }),
        )
    }

    /// Pauses.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        self.action(Action::Delay(delay))
    }

    /// Pauses until the gate is released.
    #[must_use]
    pub fn wait(self, gate: impl Into<String>) -> Self {
        self.action(Action::Wait(gate.into()))
    }

    /// Sends the response headers now.
    #[must_use]
    pub fn open(self) -> Self {
        self.action(Action::Open)
    }

    /// Refuses the call with an OpenAI-like error of `message`.
    #[must_use]
    pub fn status(self, status: u16, message: &str) -> Self {
        self.refuse(status, message, None)
    }

    /// Refuses the first `times` calls of this step; what follows in the step answers the rest.
    #[must_use]
    pub fn status_times(self, status: u16, message: &str, times: u32) -> Self {
        self.refuse(status, message, Some(times))
    }

    /// Resets the connection.
    #[must_use]
    pub fn cut(self) -> Self {
        self.action(Action::Cut)
    }

    /// Ends the body with no `finish_reason`.
    #[must_use]
    pub fn end(self) -> Self {
        self.action(Action::End)
    }

    /// Stays silent until the client gives up.
    #[must_use]
    pub fn hang(self) -> Self {
        self.action(Action::Hang)
    }

    /// Sends an error inside the stream.
    #[must_use]
    pub fn error_chunk(self, message: &str) -> Self {
        self.action(Action::ErrorChunk(json!({ "message": message, "type": "server_error" })))
    }

    /// Sets the `finish_reason`.
    #[must_use]
    pub fn finish(self, reason: impl Into<String>) -> Self {
        self.action(Action::Finish(reason.into()))
    }

    /// Sets the tokens the call is said to have used.
    #[must_use]
    pub fn usage(self, prompt_tokens: u64, completion_tokens: u64) -> Self {
        self.action(Action::Usage(json!({
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens.saturating_add(completion_tokens),
        })))
    }

    /// Returns the message that carries this script behind `words`.
    #[must_use]
    pub fn prompt(&self, words: &str) -> String {
        format!("{words}\n{FENCE}\n{}\n```", self.to_value())
    }

    fn refuse(self, status: u16, message: &str, times: Option<u32>) -> Self {
        let body = json!({ "error": { "message": message, "type": "error", "code": status } });
        self.action(Action::Status { status, body, headers: BTreeMap::new(), times })
    }
}
