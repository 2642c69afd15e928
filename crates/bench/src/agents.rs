//! The real agents behind the real program: how long a message takes until the first word, and what
//! the agents' processes weigh. Behind them is a scripted model that answers at once, so what is
//! measured is the agent and Baton.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bench::machine;
use bench::socket::Socket;
use domain::{Change, ItemContent, ThreadId, TurnId, TurnState};
use protocol::{ServerMessage, Topic};
use serde_json::{Value, json};
use testkit::model::Script;
use testkit::sandbox::{Agent, Sandbox};
use uuid::Uuid;

use crate::program::{Program, Running};
use crate::report::Row;
use crate::stats::Samples;

/// Messages after the first one in a thread.
const NEXT: usize = 15;
/// Fresh starts of Baton, for a first message.
const STARTS: usize = 3;
/// Threads whose agents' memory is counted together.
const THREADS: usize = 5;
/// How long an agent may take to become usable.
const PATIENCE: Duration = Duration::from_secs(120);

/// An agent, and the model it is asked to use.
struct Driven {
    provider: &'static str,
    name: &'static str,
    model: &'static str,
}

const ALL: [Driven; 3] = [
    Driven { provider: "kilo", name: "Kilo", model: "mock/m1" },
    Driven { provider: "codex", name: "Codex", model: "gpt-5.5" },
    Driven { provider: "claude", name: "Claude Code", model: "sonnet" },
];

pub(crate) async fn agents(program: &Program) -> Result<Vec<Row>> {
    let sandbox = Sandbox::with(Agent::ALL).await?;
    let mut rows = Vec::new();
    for agent in &ALL {
        rows.extend(agent.measure(program, &sandbox).await.context(agent.name)?);
    }
    Ok(rows)
}

impl Driven {
    async fn measure(&self, program: &Program, sandbox: &Sandbox) -> Result<Vec<Row>> {
        let (mut first, mut next) = (Samples::default(), Samples::default());
        let (mut one, mut all) = (0.0, 0.0);
        for start in 0..STARTS {
            let data = tempfile::tempdir()?;
            let baton = Baton::start(program, data.path(), sandbox, self.provider).await?;
            let mut thread = baton.thread(self).await?;
            first.push_ms(baton.turn(&mut thread).await?);
            if start + 1 == STARTS {
                for _ in 0..NEXT {
                    next.push_ms(baton.turn(&mut thread).await?);
                }
                one = agent_memory(baton.running.pid())?;
                for _ in 1..THREADS {
                    let mut thread = baton.thread(self).await?;
                    baton.turn(&mut thread).await?;
                }
                all = agent_memory(baton.running.pid())?;
            }
            baton.running.stop().await?;
        }
        let name = self.name;
        Ok(vec![
            Row::new(
                format!("{name}: first message of a new Baton to the first word"),
                first.median(),
                "ms",
            )
            .detail(first.spread()),
            Row::new(format!("{name}: next message to the first word"), next.median(), "ms")
                .detail(next.spread()),
            Row::new(format!("{name}: memory of its processes, 1 thread"), one, "MB")
                .detail(format!("proportional share; with {THREADS} threads {all:.0} MB")),
        ])
    }
}

/// A Baton with its project.
struct Baton {
    running: Running,
    http: reqwest::Client,
    project: Value,
}

/// A thread, and the socket that follows it.
struct Followed {
    id: ThreadId,
    socket: Socket,
}

impl Baton {
    async fn start(
        program: &Program,
        data: &std::path::Path,
        sandbox: &Sandbox,
        provider: &str,
    ) -> Result<Self> {
        let running = program.start_with(data, &sandbox.env).await?;
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let mut baton = Self { running, http, project: Value::Null };
        let project = baton.post("/api/projects", &json!({ "path": sandbox.project })).await?;
        baton.project = project["id"].clone();
        // The others are left alone: their processes would count.
        for other in ALL.iter().filter(|other| other.provider != provider) {
            let path = format!("/api/providers/{}", other.provider);
            baton.call(reqwest::Method::PATCH, &path, &json!({ "enabled": false })).await?;
        }
        let begun = Instant::now();
        loop {
            let status =
                baton.post(&format!("/api/providers/{provider}/refresh"), &json!({})).await?;
            match status["state"].as_str() {
                Some("ready") if status["checking"] != true => return Ok(baton),
                state if begun.elapsed() > PATIENCE => bail!("it is not ready but {state:?}"),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.call(reqwest::Method::POST, path, body).await
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: &Value) -> Result<Value> {
        let door = &self.running.door;
        let url = format!("{}{path}", door.url);
        let request = self.http.request(method, url).bearer_auth(&door.token);
        let answer = request.json(body).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn thread(&self, agent: &Driven) -> Result<Followed> {
        let id = ThreadId::from_uuid(Uuid::now_v7());
        let new = json!({
            "id": id, "project_id": self.project, "provider": agent.provider,
            "model": { "model": agent.model }, "access": "full",
        });
        self.post("/api/threads", &new).await?;
        let mut socket = Socket::connect(&self.running.door).await?;
        socket.follow(Topic::Thread { id: id.clone() }).await?;
        Ok(Followed { id, socket })
    }

    /// Sends a message; the time until its first word is there. Waits until its turn has ended.
    async fn turn(&self, thread: &mut Followed) -> Result<Duration> {
        let turn = TurnId::from_uuid(Uuid::now_v7());
        let text = Script::new().text("Here I am.").prompt("Say something.");
        let begun = Instant::now();
        let path = format!("/api/threads/{}/turns", thread.id);
        self.post(&path, &json!({ "id": turn, "text": text })).await?;
        let mut spoken = None;
        loop {
            let received = thread.socket.next().await?;
            let ServerMessage::ThreadChanges { changes, .. } = received.message else { continue };
            for change in changes {
                match change {
                    Change::Text { .. } => {
                        spoken.get_or_insert(received.at);
                    }
                    Change::Item { item }
                        if matches!(item.content, ItemContent::AgentMessage)
                            && !item.body.head.is_empty() =>
                    {
                        spoken.get_or_insert(received.at);
                    }
                    Change::Turn { turn: now } if now.id == turn && now.state.is_terminal() => {
                        ensure!(now.state == TurnState::Completed, "{:?}", now.error);
                        let spoken = spoken.context("a turn without a word")?;
                        return Ok(spoken.saturating_duration_since(begun));
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The memory in MB of all processes that a process has started, and theirs.
fn agent_memory(root: u32) -> Result<f64> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        if let Some(parent) = parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let (mut total, mut left) = (0.0, vec![root]);
    while let Some(pid) = left.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            // One that has just ended weighs nothing.
            total += machine::memory_mb(child).map_or(0.0, |(_, share)| share);
            left.push(child);
        }
    }
    Ok(total)
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold spaces; the state comes after it, then the parent.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
