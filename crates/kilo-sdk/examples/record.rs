//! Records what the real Kilo sends for a set of scripted conversations, one file each, so that
//! readers of its events can be tested without it.
//!
//! ```sh
//! cargo run -p kilo-sdk --example record -- crates/testkit/fixtures/kilo-7.7.7
//! ```
//!
//! Names of scenarios behind the directory record only these anew.
//!
//! Each line is a frame of `/global/event` as it came, without the `sync` repetitions and
//! heartbeats. Paths of the machine are replaced by `/repo` and `/home/user`. `scenarios.json`
//! tells for each file what happens in it, its session and the ids of its prompts.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kilo_sdk::types::{ModelRef, PartBody};
use kilo_sdk::{
    Event, EventStream, Instance, Launch, MessageId, NewSession, Prompt, PromptPart, Reply, Server,
    SessionId, StreamItem, StreamOptions,
};
use serde_json::{Map, Value, json};
use testkit::model::Script;
use testkit::sandbox::Sandbox;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One conversation.
struct Scenario {
    name: &'static str,
    about: &'static str,
    agent: &'static str,
    model: &'static str,
    prompt: String,
    permission: (Reply, Option<&'static str>),
    answers: Vec<Vec<String>>,
    during: During,
}

/// What is done while the turn runs.
#[derive(Clone, Copy, PartialEq)]
enum During {
    Nothing,
    /// Abort when the tool's output, or else the text, holds this.
    AbortAt(&'static str),
    /// Send a second prompt when the text holds this, then release the gate `go`.
    PromptAt(&'static str),
    /// Send a second prompt when permission is asked, which is then given.
    PromptAtAsk,
    /// Send a second prompt when the text holds this, and abort once it waits.
    PromptThenAbort(&'static str),
    /// Compact when the turn is closed.
    CompactAfter,
    /// Reject when it waits for the network.
    RejectNetwork,
    /// Reject the question.
    RejectQuestion,
}

impl Scenario {
    fn new(name: &'static str, about: &'static str, script: &Script) -> Self {
        Self {
            name,
            about,
            agent: "code",
            model: "mock/m1",
            prompt: script.prompt("Please do it"),
            permission: (Reply::Once, None),
            answers: Vec::new(),
            during: During::Nothing,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args();
    let into = PathBuf::from(args.nth(1).ok_or("a directory must be given")?);
    let only: Vec<String> = args.collect();
    std::fs::create_dir_all(&into)?;
    let sandbox = Sandbox::new().await?;
    let server = serve(&sandbox).await?;
    let instance = server.client().at(&sandbox.project.to_string_lossy());
    let mut recorder = Recorder::new(&sandbox, &server, instance).await?;
    // The first turn in a directory starts its instance, which is not what is to be recorded.
    let warm = Scenario::new("warm", "", &Script::new().text("Warm."));
    recorder.record(&warm).await?;
    let known = std::fs::read_to_string(into.join("scenarios.json")).unwrap_or_default();
    let mut index: Map<String, Value> = match only.is_empty() {
        true => Map::new(),
        false => serde_json::from_str(&known)?,
    };
    let wanted = |scenario: &Scenario| only.is_empty() || only.iter().any(|n| n == scenario.name);
    for scenario in scenarios().into_iter().filter(wanted) {
        let (lines, facts) = recorder.record(&scenario).await?;
        println!("{}: {} events", scenario.name, lines.len());
        std::fs::write(into.join(format!("{}.jsonl", scenario.name)), lines.join("\n") + "\n")?;
        index.insert(scenario.name.to_owned(), facts);
    }
    let index = serde_json::to_string_pretty(&Value::Object(index))? + "\n";
    std::fs::write(into.join("scenarios.json"), index)?;
    server.stop("recorded", Duration::from_secs(10)).await;
    Ok(())
}

async fn serve(sandbox: &Sandbox) -> Result<Server> {
    let mut launch = Launch::program(&sandbox.kilo.binary, &sandbox.project);
    for (name, value) in &sandbox.env {
        launch = launch.env(name, value);
    }
    launch.config = Some(json!({
        "snapshot": false,
        "permission": {
            "*": "ask", "read": { "*": "allow", "*.env": "ask" }, "glob": "allow", "grep": "allow",
            "list": "allow", "task": "allow", "todowrite": "allow", "todoread": "allow",
            "question": "allow", "suggest": "deny", "schedule_wakeup": "deny",
            "background_process": "deny", "notify_user": "deny", "send_file": "deny",
        },
        "agent": { "code": { "permission": { "plan_exit": "deny" } } },
    }));
    launch.timeout = Duration::from_secs(60);
    Ok(kilo_sdk::launch(&process::Host::default(), launch).await?)
}

struct Recorder<'a> {
    sandbox: &'a Sandbox,
    instance: Instance,
    events: EventStream,
}

impl<'a> Recorder<'a> {
    async fn new(sandbox: &'a Sandbox, server: &Server, instance: Instance) -> Result<Self> {
        let options = StreamOptions { raw: true, ..StreamOptions::default() };
        let mut events = server.client().events(options);
        while !matches!(events.next().await, Some(StreamItem::Connected)) {}
        tokio::time::sleep(StreamItem::SETTLE).await;
        Ok(Self { sandbox, instance, events })
    }

    async fn record(&mut self, scenario: &Scenario) -> Result<(Vec<String>, Value)> {
        const QUIET: Duration = Duration::from_millis(1500);
        const AT_MOST: Duration = Duration::from_secs(60);
        let title = Some(scenario.name.to_owned());
        let session =
            self.instance.create_session(&NewSession { title, ..NewSession::default() }).await?.id;
        let first = self.prompt(&session, scenario, scenario.prompt.clone()).await?;
        let mut run = Run { scenario, session, prompts: vec![first], closed: 0, done: false };
        let mut lines = Vec::new();
        loop {
            // What comes late belongs to it too.
            let patience = if run.closed > 0 { QUIET } else { AT_MOST };
            match tokio::time::timeout(patience, self.events.next()).await {
                Ok(Some(StreamItem::Event { envelope, raw, .. })) => {
                    lines.push(self.scrub(&raw.unwrap_or_default()));
                    self.react(&mut run, &envelope.event).await?;
                }
                Ok(other) => return Err(format!("{}: {other:?}", scenario.name).into()),
                Err(_) if run.closed > 0 => break,
                Err(_) => return Err(format!("{} does not end", scenario.name).into()),
            }
        }
        let facts = json!({
            "about": scenario.about, "session": run.session, "prompts": run.prompts,
        });
        Ok((lines, facts))
    }

    async fn prompt(
        &self,
        session: &SessionId,
        scenario: &Scenario,
        text: String,
    ) -> Result<MessageId> {
        let message_id = MessageId::ascending();
        let prompt = Prompt {
            message_id: message_id.clone(),
            agent: Some(scenario.agent.into()),
            model: ModelRef::parse(scenario.model),
            parts: vec![PromptPart::text(text)],
            ..Prompt::default()
        };
        self.instance.prompt(session, &prompt).await?;
        Ok(message_id)
    }

    async fn react(&self, run: &mut Run<'_>, event: &Event) -> Result<()> {
        match event {
            Event::PermissionAsked(request) => {
                if run.scenario.during == During::PromptAtAsk && !run.done {
                    self.second(run).await?;
                }
                let (reply, message) = run.scenario.permission;
                self.instance.reply_permission(&request.id, reply, message).await?;
            }
            Event::QuestionAsked(request) if run.scenario.during == During::RejectQuestion => {
                self.instance.reject_question(&request.id).await?;
            }
            Event::QuestionAsked(request) => {
                self.instance.reply_question(&request.id, &run.scenario.answers).await?;
            }
            Event::NetworkAsked(wait) if run.scenario.during == During::RejectNetwork => {
                self.instance.reject_network(&wait.id).await?;
            }
            Event::TurnClose { session_id, .. } if *session_id == run.session => {
                run.closed += 1;
                if run.scenario.during == During::CompactAfter && !run.done {
                    run.done = true;
                    let model = ModelRef::parse(run.scenario.model).unwrap_or_default();
                    self.instance.summarize(&run.session, &model).await?;
                }
            }
            // Without a turn there is nothing to close (an unknown agent).
            Event::SessionError { .. } if run.scenario.agent == "nobody" => run.closed += 1,
            Event::QueueChanged { queued, .. } => {
                let aborts = matches!(run.scenario.during, During::PromptThenAbort(_));
                if aborts && !queued.is_empty() {
                    self.instance.abort(&run.session).await?;
                }
            }
            Event::PartDelta { delta, .. } => self.at(run, delta).await?,
            Event::PartUpdated { part, .. } => {
                if let PartBody::Tool(tool) = &part.body
                    && let Some(Value::String(output)) = tool.state.metadata.get("output")
                {
                    self.at(run, output).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn at(&self, run: &mut Run<'_>, text: &str) -> Result<()> {
        match run.scenario.during {
            During::AbortAt(mark) if !run.done && text.contains(mark) => {
                run.done = true;
                self.instance.abort(&run.session).await?;
            }
            During::PromptAt(mark) | During::PromptThenAbort(mark)
                if !run.done && text.contains(mark) =>
            {
                self.second(run).await?;
                self.sandbox.model.release("go");
            }
            _ => {}
        }
        Ok(())
    }

    async fn second(&self, run: &mut Run<'_>) -> Result<()> {
        run.done = true;
        let more = Script::new().text("The second answer.").prompt("And then");
        run.prompts.push(self.prompt(&run.session, run.scenario, more).await?);
        Ok(())
    }

    /// Replaces what tells of this machine.
    fn scrub(&self, line: &str) -> String {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        line.replace(&path(&self.sandbox.project), "/repo")
            .replace(&path(self.sandbox.home.path()), "/home/user")
            .replace(&self.sandbox.model.address().to_string(), "127.0.0.1:4000")
    }
}

struct Run<'a> {
    scenario: &'a Scenario,
    session: SessionId,
    prompts: Vec<MessageId>,
    closed: usize,
    done: bool,
}

fn scenarios() -> Vec<Scenario> {
    let mut all = answers();
    all.extend(tools());
    all.extend(interruptions());
    all.extend(failures());
    all
}

fn answers() -> Vec<Scenario> {
    let slow = Duration::from_millis(4);
    let text = "Here is a table:\n\n| a | b |\n|---|---|\n| 1 | 1 |\n| 1 | 1 |\n\naa aa ☕ done.";
    let thinking = Script::new().reasoning("First I look, then I answer.").stream(text, 4, slow);
    let todos = |first: &str, second: &str| {
        json!({ "todos": [
            { "content": "Look", "status": first, "priority": "high" },
            { "content": "Act", "status": second, "priority": "low" } ] })
    };
    let list = Script::new()
        .tool("todowrite", todos("in_progress", "pending"))
        .step()
        .tool("todowrite", todos("completed", "completed"))
        .step()
        .text("All done.");
    let question = Script::new()
        .text("I need to know.")
        .tool(
            "question",
            json!({ "questions": [
                { "question": "Which colour?", "header": "Colour", "options": [
                    { "label": "Red", "description": "warm" },
                    { "label": "Blue", "description": "cold" } ] },
                { "question": "Which toppings?", "header": "Toppings", "multiple": true,
                  "options": [ { "label": "Cheese", "description": "from cows" },
                    { "label": "Ham", "description": "from pigs" } ] } ] }),
        )
        .step()
        .text("Thank you.");
    let plan = Script::new()
        .tool(
            "write",
            json!({ "filePath": ".kilo/plans/greet.md", "content": "# Greet\n\n1. Say hello.\n" }),
        )
        .step()
        .tool("plan_exit", json!({ "path": ".kilo/plans/greet.md" }))
        .then()
        .text("Implementing.")
        .bash("echo hello");
    let answered = vec![vec!["Red".to_owned()], vec!["Cheese".to_owned(), "Ham".to_owned()]];
    let go = vec![vec!["Continue here".to_owned()]];
    let new = Scenario::new;
    vec![
        Scenario {
            model: "mock/m2",
            ..new("text-and-reasoning", "Reasoning, then an answer in small deltas.", &thinking)
        },
        new("todos", "Two to-do lists, the second with all done.", &list),
        Scenario {
            answers: answered,
            ..new("question", "Two questions, answered; the second takes several.", &question)
        },
        Scenario {
            during: During::RejectQuestion,
            ..new("question-rejected", "The same questions, rejected.", &question)
        },
        Scenario {
            agent: "plan",
            answers: go,
            ..new("plan-checkpoint", "A plan, its checkpoint, implemented in the session.", &plan)
        },
        Scenario {
            agent: "plan",
            during: During::RejectQuestion,
            ..new("plan-rejected", "A plan, its checkpoint rejected.", &plan)
        },
        Scenario {
            during: During::CompactAfter,
            ..new("compaction", "An answer; then the session is compacted.", &thinking)
        },
    ]
}

fn tools() -> Vec<Scenario> {
    let echo = Script::new()
        .text("I will run it.")
        .bash("for i in 1 2 3; do echo line $i; sleep 0.1; done")
        .step()
        .text("It ran.");
    let files = Script::new()
        .tool("write", json!({ "filePath": "notes.txt", "content": "one\ntwo\n" }))
        .step()
        .tool("read", json!({ "filePath": "notes.txt" }))
        .step()
        .tool("edit", json!({ "filePath": "notes.txt", "oldString": "two", "newString": "three" }))
        .step()
        .tool("grep", json!({ "pattern": "three" }))
        .step()
        .text("Written and changed.");
    let child = Script::new().text("Looking.").bash("echo from the child").step().text("Found it.");
    let task =
        Script::new().task("general", "look around", &child).step().text("The child is back.");
    let parallel = Script::new().bash("echo a").bash("echo b").step().text("Both ran.");
    let broken = Script::new()
        .tool_raw("bash", "{not json")
        .step()
        .tool("no_such_tool", json!({}))
        .step()
        .text("Neither worked.");
    let new = Scenario::new;
    vec![
        new("bash-approved", "A shell command, allowed once.", &echo),
        Scenario {
            permission: (Reply::Reject, None),
            ..new("bash-rejected", "A shell command, rejected: the turn ends.", &echo)
        },
        Scenario {
            permission: (Reply::Reject, Some("use another way")),
            ..new("bash-rejected-with-message", "Rejected with a message: it goes on.", &echo)
        },
        new("parallel-tools", "Two shell commands in one step, each allowed.", &parallel),
        new("edit-and-write", "A file written, read, changed and searched.", &files),
        new("sub-agent", "A sub-agent that runs a shell command, allowed.", &task),
        new("broken-tool-calls", "Arguments that are no JSON, and a tool unknown.", &broken),
    ]
}

fn interruptions() -> Vec<Scenario> {
    let sleeping = Script::new().text("It takes long.").bash("echo started; sleep 60");
    let talking = Script::new().text("I begin").wait("never");
    let working = Script::new().bash("echo started; sleep 1").step().text("unused");
    let queue = Script::new().text("The first answer.").wait("go").step().text("unused");
    let child = Script::new().text("Looking.").bash("echo started; sleep 60");
    let task = Script::new().task("general", "look around", &child).step().text("unused");
    let new = Scenario::new;
    vec![
        Scenario {
            during: During::AbortAt("started\n"),
            ..new("abort-in-tool", "Aborted while a shell command runs.", &sleeping)
        },
        Scenario {
            during: During::AbortAt("I begin"),
            ..new("abort-in-text", "Aborted in the middle of the answer.", &talking)
        },
        Scenario {
            during: During::AbortAt("started\n"),
            ..new("abort-in-sub-agent", "Aborted while a sub-agent's command runs.", &task)
        },
        Scenario {
            during: During::PromptAt("The first answer."),
            ..new("queued-prompt", "A second prompt while the first is answered.", &queue)
        },
        Scenario {
            during: During::PromptAt("started\n"),
            ..new("steered-in-tool", "A second prompt while a shell command runs.", &working)
        },
        Scenario {
            during: During::PromptAtAsk,
            ..new("steered-at-approval", "A second prompt while permission is asked.", &working)
        },
        Scenario {
            during: During::PromptThenAbort("I begin"),
            ..new("steered-then-aborted", "Aborted while a second prompt waits.", &talking)
        },
    ]
}

fn failures() -> Vec<Scenario> {
    let refused = Script::new().status(402, "pay first");
    let limited = Script::new().id("limited").status_times(429, "slow down", 1).text("Here.");
    let cut = Script::new().text("Half an ans").delay(Duration::from_millis(50)).cut();
    let cut_early = Script::new().cut();
    let ended = Script::new().text("Half an ans").end();
    let chunk = Script::new().text("Half").error_chunk("overloaded");
    let long = Script::new().text("As long as it").finish("length");
    let plain = Script::new().text("unused");
    let new = Scenario::new;
    vec![
        new("provider-error", "The model's provider refuses (402).", &refused),
        new("provider-retry", "It refuses once (429), is asked again, and answers.", &limited),
        new("provider-cut", "The connection breaks in the middle of the answer.", &cut),
        Scenario {
            during: During::RejectNetwork,
            ..new(
                "network-wait",
                "The connection breaks at once; the wait is rejected.",
                &cut_early,
            )
        },
        new("provider-ends-early", "The answer ends without saying why.", &ended),
        new("provider-error-in-stream", "An error in the middle of the answer.", &chunk),
        new("length", "The answer is cut at the model's limit.", &long),
        Scenario { model: "mock/nope", ..new("unknown-model", "A model unknown.", &plain) },
        Scenario { agent: "nobody", ..new("unknown-agent", "An agent unknown: no turn.", &plain) },
    ]
}
