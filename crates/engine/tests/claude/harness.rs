//! An engine on a store of its own, with the real Claude Code in a sandbox.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Access, ModelSelection, ProviderId, ProviderState, ThreadId, ThreadPatch};
use engine::Engine;
use providers::Provider;
use providers::claude::{Claude, ClaudeConfig};
use serde_json::json;
use store::Store;
use testkit::sandbox::{Agent, Sandbox};
use testkit::wait::PATIENT;

pub(crate) use crate::driver::{Driver, approval, item, message, said};

pub(crate) struct Bench {
    driver: Driver,
    pub(crate) claude: Claude,
}

impl Deref for Bench {
    type Target = Driver;

    fn deref(&self) -> &Driver {
        &self.driver
    }
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts in a sandbox that is changed first.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Sandbox)) -> Self {
        let mut sandbox =
            Sandbox::with(&[Agent::Claude]).await.expect("a sandbox with the real one");
        change(&mut sandbox);
        let data = tempfile::tempdir().expect("a data directory");
        let (engine, claude) = compose(&sandbox, data.path()).await;
        let model = ModelSelection { model: "sonnet".to_owned(), option: None };
        let provider = ProviderId::known("claude");
        Self { driver: Driver { sandbox, engine, provider, model, data }, claude }
    }

    /// Ends Baton in order and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        self.engine.shutdown().await;
        let composed = compose(&self.driver.sandbox, self.driver.data.path()).await;
        (self.driver.engine, self.claude) = composed;
    }

    pub(crate) async fn set_access(&self, thread: &ThreadId, access: Access) {
        let patch = ThreadPatch { access: Some(access), ..ThreadPatch::default() };
        self.engine.patch_thread(thread, patch).await.expect("a changed thread");
    }

    /// Ends the agents; the next message of each thread starts another.
    pub(crate) async fn claude_restart(&self) {
        self.claude.restart(true).await.expect("ended agents");
        assert_eq!(self.claude.pids(), Vec::<u32>::new());
    }

    /// Claude Code's own program.
    pub(crate) fn program(&self) -> &Path {
        program(&self.sandbox)
    }

    /// The file of a session of the sample project.
    pub(crate) fn transcript(&self, session: &str) -> PathBuf {
        let name: String = self
            .sandbox
            .project
            .to_string_lossy()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let projects = self.sandbox.home.path().join(".claude/projects");
        projects.join(name).join(format!("{session}.jsonl"))
    }
}

async fn compose(sandbox: &Sandbox, data: &Path) -> (Engine, Claude) {
    let env: Vec<_> =
        sandbox.env.iter().map(|(n, v)| (n.clone().into(), v.clone().into())).collect();
    let cwd = data.join("agents");
    std::fs::create_dir_all(&cwd).expect("a directory");
    let claude = Claude::new(ClaudeConfig {
        host: process::Host::default(),
        path: program(sandbox).parent().unwrap().into(),
        cwd,
        home: sandbox.home.path().to_owned(),
        config_dir: None,
        env,
        quiet: false,
    });
    let store = Store::open(data).expect("a store");
    let engine = Engine::start(store, vec![Arc::new(claude.clone())]).await.expect("an engine");
    let mut status = claude.status();
    let ready = status.wait_for(|s| s.state == ProviderState::Ready && !s.checking);
    tokio::time::timeout(PATIENT, ready).await.expect("Claude gets ready").expect("a status");
    (engine, claude)
}

fn program(sandbox: &Sandbox) -> &Path {
    sandbox.program(Agent::Claude).expect("Claude Code in the sandbox")
}

/// Has the sample project name an MCP server, and trusts it.
pub(crate) async fn trust_with(bench: &Bench, notes: &testkit::mcp::Notes) {
    let command = notes.kilo_config()["command"].clone();
    let args = command.as_array().expect("a command")[1..].to_vec();
    let servers = json!({ "mcpServers": { "notes": { "command": command[0], "args": args } } });
    let project = &bench.sandbox.project;
    std::fs::write(project.join(".mcp.json"), servers.to_string()).expect("a written file");
    std::fs::create_dir_all(project.join(".claude")).expect("a directory");
    let settings = json!({ "enableAllProjectMcpServers": true }).to_string();
    std::fs::write(project.join(".claude/settings.json"), settings).expect("a written file");
    let thread = bench.thread().await;
    let id = bench.row(&thread).await.project_id;
    let (shown, _) = bench.engine.trust(&id).await.expect("what it starts");
    bench.engine.decide_trust(&id, true, shown.fingerprint).await.expect("trust");
}
