//! The real `baton`, which is killed and started again on the same data, and its commands.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bench::socket::Door;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::sandbox::Sandbox;

/// What a message that is one of the project's commands begins with.
pub(crate) const COMMAND: &str = "/again ";
/// The project that has it, by the name of its folder.
pub(crate) const COMMANDS_IN: &str = "project-0";
/// How long it may take to start, to end, or to answer again after it was killed.
const PATIENCE: Duration = Duration::from_secs(120);

/// One Baton through all its lives.
pub(crate) struct Baton {
    program: PathBuf,
    data: PathBuf,
    dir: PathBuf,
    kilo: PathBuf,
    env: Vec<(String, String)>,
    http: reqwest::Client,
    running: Mutex<Option<Running>>,
}

struct Running {
    child: Child,
    door: Door,
}

/// What became of a command.
#[derive(Debug)]
pub(crate) enum Said {
    /// It was done; the answer.
    Yes(Value),
    /// It was refused, with this status and these words.
    No(StatusCode, String),
}

/// What goes with a command.
enum Sent {
    Nothing,
    Json(Value),
    Text(String),
}

impl Baton {
    pub(crate) fn new(
        program: PathBuf,
        dir: &Path,
        sandbox: &Sandbox,
        kilo: &Path,
    ) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self {
            program,
            data: dir.join("data"),
            dir: dir.to_owned(),
            kilo: kilo.to_owned(),
            env: sandbox.env.clone(),
            http,
            running: Mutex::default(),
        })
    }

    /// Starts it, and waits until it listens.
    pub(crate) async fn start(&self) -> Result<()> {
        let child = self.spawn()?;
        let announced = self.data.join("server.json");
        let pid = child.id();
        *self.running() =
            Some(Running { child, door: Door { url: String::new(), token: String::new() } });
        let begun = Instant::now();
        let door = loop {
            let told = std::fs::read_to_string(&announced).ok();
            let told = told.and_then(|text| serde_json::from_str::<Value>(&text).ok());
            match told {
                Some(told) if told["pid"] == pid => {
                    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
                    break Door { url: text("url"), token: text("token") };
                }
                _ if begun.elapsed() > PATIENCE => bail!("Baton did not start"),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        if let Some(running) = self.running().as_mut() {
            running.door = door;
        }
        let name_it = json!({ "binary": self.kilo });
        self.call("PATCH", "/api/providers/kilo", Some(&name_it)).await?;
        Ok(())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "what it leaves behind is to be seen, not swept away"
    )]
    fn spawn(&self) -> Result<Child> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.dir.join("baton.log"))?;
        Command::new(&self.program)
            .args(["serve", "--no-open", "--port", "0", "--data-dir"])
            .arg(&self.data)
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process id of the life it is in.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.running().as_ref().map(|running| running.child.id())
    }

    /// Where it is reached; `None` between two lives.
    pub(crate) fn door(&self) -> Option<Door> {
        let running = self.running();
        running.as_ref().map(|r| r.door.clone()).filter(|door| !door.url.is_empty())
    }

    /// The directory of its data.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Ends it with a signal, and waits for its end.
    pub(crate) async fn end(&self, signal: Signal) -> Result<()> {
        let Some(mut running) = self.running().take() else { return Ok(()) };
        let pid = Pid::from_raw(i32::try_from(running.child.id()).context("an odd process id")?);
        kill(pid, signal).context("Baton cannot be signalled")?;
        let begun = Instant::now();
        while running.child.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                running.child.kill()?;
                bail!("Baton did not end within {PATIENCE:?} of {signal}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Notices a Baton that ended by itself, which it never should.
    pub(crate) fn ended_by_itself(&self) -> Option<String> {
        let mut running = self.running();
        let status = running.as_mut()?.child.try_wait().ok()??;
        *running = None;
        Some(status.to_string())
    }

    /// Gives a command until it is answered, as a page does: each can be repeated, since clients
    /// choose the ids.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Said> {
        let body = body.map_or(Sent::Nothing, |body| Sent::Json(body.clone()));
        self.give(method, path, &body).await
    }

    async fn give(&self, method: &str, path: &str, body: &Sent) -> Result<Said> {
        let begun = Instant::now();
        loop {
            match self.try_call(method, path, body).await {
                // That the agent is not available does not change by asking again.
                Some(Said::No(status, text))
                    if status.is_server_error()
                        && !text.contains("\"provider_unavailable\"")
                        && begun.elapsed() < PATIENCE => {}
                Some(said) => return Ok(said),
                None if begun.elapsed() > PATIENCE => bail!("{method} {path}: nobody answers"),
                None => {}
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn try_call(&self, method: &str, path: &str, body: &Sent) -> Option<Said> {
        let door = self.door()?;
        let url = format!("{}{path}", door.url);
        let request = self.http.request(method.parse().ok()?, url).bearer_auth(&door.token);
        let request = match body {
            Sent::Nothing => request,
            Sent::Json(value) => request.json(value),
            Sent::Text(text) => request.body(text.clone()),
        };
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        if status.is_success() {
            return Some(Said::Yes(serde_json::from_str(&text).unwrap_or(Value::Null)));
        }
        Some(Said::No(status, text))
    }

    /// Reads something that is there.
    pub(crate) async fn read(&self, path: &str) -> Result<Value> {
        match self.call("GET", path, None).await? {
            Said::Yes(value) => Ok(value),
            Said::No(status, text) => bail!("{path}: {status} {text}"),
        }
    }

    /// Makes projects, each a checkout of its own; gives their ids.
    pub(crate) async fn projects(&self, count: usize) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for number in 0..count {
            let path = self.dir.join(format!("project-{number}"));
            if !path.join(".git").exists() {
                testkit::project::sample(&path)?;
            }
            match self.call("POST", "/api/projects", Some(&json!({ "path": path }))).await? {
                Said::Yes(project) => {
                    ids.push(project["id"].as_str().unwrap_or_default().to_owned());
                }
                Said::No(status, text) => bail!("no project: {status} {text}"),
            }
        }
        if let Some(first) = ids.first() {
            self.trust(first).await?;
        }
        Ok(ids)
    }

    /// Gives a project a command and something that it starts, and trusts it: its threads run on a
    /// server of their own.
    async fn trust(&self, id: &str) -> Result<()> {
        let formatter = json!({ "command": ["true", "$FILE"], "extensions": [".txt"] });
        let config = json!({ "formatter": { "nothing": formatter } });
        let project = self.dir.join(COMMANDS_IN);
        std::fs::write(project.join("kilo.json"), config.to_string())?;
        let commands = project.join(".kilo/command");
        std::fs::create_dir_all(&commands)?;
        std::fs::write(commands.join("again.md"), "Once more: $ARGUMENTS")?;
        let path = format!("/api/projects/{id}/trust");
        let shown = self.read(&path).await?;
        let decision = json!({ "trusted": true, "fingerprint": shown["startup"]["fingerprint"] });
        match self.call("POST", &path, Some(&decision)).await? {
            Said::Yes(_) => Ok(()),
            Said::No(status, text) => bail!("the project is not trusted: {status} {text}"),
        }
    }

    /// Gives a file that a message is to go with; its id.
    pub(crate) async fn attach(&self, name: &str, text: &str) -> Result<Value> {
        let path = format!("/api/attachments?name={name}");
        let body = Sent::Text(text.to_owned());
        match self.give("POST", &path, &body).await? {
            Said::Yes(attachment) => Ok(attachment["id"].clone()),
            Said::No(status, text) => bail!("the file was refused: {status} {text}"),
        }
    }
}
