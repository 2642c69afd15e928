//! The tools with which each agent does the same thing.

use serde_json::{Value, json};

use super::super::protocol::Protocol;
use super::super::request::Request;
use super::super::script::Script;

/// Whose tools a model calls: Kilo 7.7.7's, Codex 0.169.0's or Claude Code 2.1.197's.
pub(super) struct Hands {
    protocol: Protocol,
    /// Where the agent works, for tools that take whole paths.
    directory: String,
}

impl Hands {
    pub(super) fn of(request: &Request) -> Self {
        Self { protocol: request.protocol, directory: working_directory(request) }
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory)
    }

    /// The one of three that fits the agent.
    fn own<T>(&self, kilo: T, codex: T, claude: T) -> T {
        match self.protocol {
            Protocol::Chat => kilo,
            Protocol::Responses => codex,
            Protocol::Messages => claude,
        }
    }

    /// Whether a plan is wanted, not work. A conversation that has left plan mode still holds the
    /// words that began it.
    pub(super) fn is_planning(&self, request: &Request) -> bool {
        let last = |has: &str| request.messages.iter().rev().find(|m| m.text.contains(has));
        match self.protocol {
            // Told to the plan agent alone; sub-agents may be offered `plan_exit` as well.
            Protocol::Chat => last("Plan Mode").is_some() && request.offers("plan_exit"),
            Protocol::Responses => {
                let told = last("<collaboration_mode>");
                let modes = told.and_then(|told| told.text.rsplit("<collaboration_mode>").next());
                modes.is_some_and(|mode| mode.contains("Plan Mode"))
            }
            Protocol::Messages => {
                let asked = request.messages.iter().rposition(|message| message.role == "user");
                let mut since = request.messages.iter().skip(asked.unwrap_or_default());
                let plans = ["Plan mode is active", "Plan mode still active"];
                let planning = since.any(|m| plans.iter().any(|told| m.text.contains(told)));
                planning && request.offers("ExitPlanMode")
            }
        }
    }

    pub(super) fn can_read(&self, request: &Request) -> bool {
        request.offers(self.own("read", "exec_command", "Read"))
    }

    pub(super) fn can_run(&self, request: &Request) -> bool {
        request.offers(self.own("bash", "exec_command", "Bash"))
    }

    pub(super) fn can_edit(&self, request: &Request) -> bool {
        request.offers(self.own("edit", "apply_patch", "Edit"))
    }

    pub(super) fn can_list(&self, request: &Request) -> bool {
        request.offers(self.own("todowrite", "update_plan", "TodoWrite"))
    }

    pub(super) fn can_ask(&self, request: &Request) -> bool {
        // Codex refuses its own outside plan mode, where a plan is what it is here for.
        !matches!(self.protocol, Protocol::Responses)
            && request.offers(self.own("question", "", "AskUserQuestion"))
    }

    pub(super) fn can_delegate(&self, request: &Request) -> bool {
        // Codex's models find the tool only when they search for it.
        request.offers(self.own("task", "tool_search", "Task")) || request.offers("Agent")
    }

    pub(super) fn read(&self, script: Script, name: &str) -> Script {
        match self.protocol {
            Protocol::Chat => script.tool("read", json!({ "filePath": self.path(name) })),
            Protocol::Responses => self.run(script, &format!("cat {name}"), ""),
            Protocol::Messages => script.tool("Read", json!({ "file_path": self.path(name) })),
        }
    }

    pub(super) fn run(&self, script: Script, command: &str, what: &str) -> Script {
        let args = json!({ "command": command, "description": what });
        match self.protocol {
            Protocol::Chat => script.tool("bash", args),
            Protocol::Responses => script.tool("exec_command", json!({ "cmd": command })),
            Protocol::Messages => script.tool("Bash", args),
        }
    }

    /// Puts one line in the place of another.
    pub(super) fn edit(&self, script: Script, name: &str, old: &str, new: &str) -> Script {
        let path = self.path(name);
        match self.protocol {
            Protocol::Chat => {
                script.tool("edit", json!({ "filePath": path, "oldString": old, "newString": new }))
            }
            Protocol::Responses => script.tool_raw(
                "apply_patch",
                format!(
                    "*** Begin Patch\n*** Update File: {name}\n@@\n-{old}\n+{new}\n*** End Patch"
                ),
            ),
            Protocol::Messages => script
                .tool("Edit", json!({ "file_path": path, "old_string": old, "new_string": new })),
        }
    }

    /// Shows a list of steps with their states.
    pub(super) fn list<'a>(
        &self,
        script: Script,
        todos: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Script {
        let todo = |(content, status): (&str, &str)| match self.protocol {
            Protocol::Chat => {
                json!({ "content": content, "status": status, "priority": "medium" })
            }
            Protocol::Responses => json!({ "step": content, "status": status }),
            Protocol::Messages => {
                json!({ "content": content, "status": status, "activeForm": content })
            }
        };
        let todos: Vec<Value> = todos.map(todo).collect();
        match self.protocol {
            Protocol::Chat => script.tool("todowrite", json!({ "todos": todos })),
            Protocol::Responses => script.tool("update_plan", json!({ "plan": todos })),
            Protocol::Messages => script.tool("TodoWrite", json!({ "todos": todos })),
        }
    }

    /// Asks a question with options to choose from.
    pub(super) fn ask<const N: usize>(
        &self,
        script: Script,
        header: &str,
        question: &str,
        options: [(&str, &str); N],
    ) -> Script {
        let option = |(label, description)| json!({ "label": label, "description": description });
        let mut asked = json!({
            "question": question,
            "header": header,
            "options": options.into_iter().map(option).collect::<Vec<Value>>(),
        });
        if matches!(self.protocol, Protocol::Messages) {
            asked["multiSelect"] = json!(false);
        }
        let questions = json!({ "questions": [asked] });
        script.tool(self.own("question", "request_user_input", "AskUserQuestion"), questions)
    }

    /// Has a sub-agent do something.
    pub(super) fn delegate(&self, script: Script, what: &str, prompt: &str) -> Script {
        let task =
            |kind: &str| json!({ "description": what, "prompt": prompt, "subagent_type": kind });
        match self.protocol {
            Protocol::Chat => script.tool("task", task("general")),
            Protocol::Responses => script
                .tool("tool_search", json!({ "query": "spawn agent" }))
                .step()
                .tool("spawn_agent", json!({ "message": prompt })),
            Protocol::Messages => script.tool("Task", task("general-purpose")),
        }
    }

    /// Hands a plan over, to be accepted or not.
    pub(super) fn plan(&self, script: Script, plan: &str) -> Script {
        match self.protocol {
            Protocol::Chat => {
                let name = ".kilo/plans/apostrophes.md";
                script
                    .tool("write", json!({ "filePath": self.path(name), "content": plan }))
                    .step()
                    .tool("plan_exit", json!({ "path": name }))
            }
            Protocol::Responses => {
                script.text(format!("<proposed_plan>\n{plan}</proposed_plan>\n"))
            }
            Protocol::Messages => script.tool("ExitPlanMode", json!({ "plan": plan })),
        }
    }

    /// Whether a plan that was handed over is built in the same answer from now on.
    pub(super) fn is_built_at_once(&self, request: &Request) -> bool {
        let result = request.messages.iter().rev().find(|message| message.role == "tool");
        let accepted = result.is_some_and(|result| result.text.contains("approved your plan"));
        matches!(self.protocol, Protocol::Messages) && accepted
    }
}

/// Kilo 7.7.7 says where it works in each message's `<environment_details>`, Claude Code 2.1.197
/// in its instructions.
fn working_directory(request: &Request) -> String {
    let lines = request.messages.iter().rev().flat_map(|message| message.text.lines());
    let mut found = lines.filter_map(|line| line.split_once("orking directory: "));
    found.next().map_or(".", |(_, path)| path.trim()).to_owned()
}
