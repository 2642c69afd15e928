//! An engine on a store of its own, with the real Codex in a sandbox.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Access, Decision, ModelSelection, ProviderId, ProviderState, Request, RequestBody, ThreadId,
    Turn, TurnId,
};
use engine::Engine;
use providers::Provider as _;
use providers::codex::{Codex, CodexConfig};
use serde_json::json;
use store::Store;
use testkit::model::Script;
use testkit::sandbox::{Agent, Sandbox};
use testkit::wait::PATIENT;

pub(crate) use crate::driver::{Driver, approval, item, said};

/// A model that gets Codex's classic tools.
pub(crate) const MODEL: &str = "gpt-5.5";

pub(crate) struct Bench {
    driver: Driver,
    pub(crate) codex: Codex,
    tune: Tune,
}

/// Changes bounds.
pub(crate) type Tune = fn(CodexConfig) -> CodexConfig;

impl Deref for Bench {
    type Target = Driver;
    fn deref(&self) -> &Driver {
        &self.driver
    }
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// Starts where the user's own configuration says more than who the model is.
    pub(crate) async fn start_with(more: &str) -> Self {
        Self::start_tuned(more, |config| config).await
    }

    /// Starts with other bounds than people have.
    pub(crate) async fn start_tuned(more: &str, tune: Tune) -> Self {
        let sandbox = Sandbox::with(&[Agent::Codex]).await.expect("a sandbox with the real Codex");
        let file = config_file(&sandbox);
        let config = std::fs::read_to_string(&file).expect("Codex's configuration");
        // What is said at the top of it has to be before its first table.
        let (top, tables): (Vec<_>, Vec<_>) = more.split('\n').partition(|l| !l.starts_with('\t'));
        let (top, tables) = (top.join("\n"), tables.join("\n"));
        std::fs::write(&file, format!("{top}\n{config}\n{tables}\n")).expect("a configuration");
        let data = tempfile::tempdir().expect("a data directory");
        let (engine, codex) = compose(&sandbox, data.path(), tune).await;
        let model = ModelSelection { model: MODEL.to_owned(), option: None };
        let provider = ProviderId::known("codex");
        Self { driver: Driver { sandbox, engine, provider, model, data }, codex, tune }
    }

    /// Ends Baton in order and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        self.engine.shutdown().await;
        let composed = compose(&self.driver.sandbox, self.driver.data.path(), self.tune).await;
        (self.driver.engine, self.codex) = composed;
    }

    /// What the user's own configuration says by now.
    pub(crate) fn config(&self) -> String {
        std::fs::read_to_string(config_file(&self.sandbox)).expect("a file")
    }

    /// Where Codex keeps all it has.
    pub(crate) fn codex_home(&self) -> PathBuf {
        codex_home(&self.sandbox)
    }

    /// A thread whose agent asks nothing.
    pub(crate) async fn free(&self) -> ThreadId {
        self.thread_with(Access::Full).await
    }

    /// Allows whatever is asked until the turn ends; gives what was asked.
    pub(crate) async fn allowing(&self, thread: &ThreadId, turn: &TurnId) -> (Turn, Vec<Request>) {
        let mut asked: Vec<Request> = Vec::new();
        loop {
            let known: Vec<_> = asked.iter().map(|request| request.id.clone()).collect();
            let next = self
                .see(thread, |w| {
                    let over =
                        w.turns.iter().find(|t| t.id == *turn && t.state.is_terminal()).cloned();
                    if let Some(turn) = over {
                        return Some(Err(turn));
                    }
                    let new = |r: &&Request| {
                        matches!(r.state, domain::RequestState::Open { .. })
                            && matches!(r.body, RequestBody::Approval(_))
                            && !known.contains(&r.id)
                    };
                    w.requests.iter().find(new).cloned().map(Ok)
                })
                .await;
            match next {
                Ok(request) => {
                    self.decide(&request, Decision::Once).await;
                    asked.push(request);
                }
                Err(turn) => return (turn, asked),
            }
        }
    }
}

fn codex_home(sandbox: &Sandbox) -> PathBuf {
    let named = sandbox.env.iter().find(|(name, _)| name == "CODEX_HOME");
    PathBuf::from(&named.expect("a home of Codex").1)
}

fn config_file(sandbox: &Sandbox) -> PathBuf {
    codex_home(sandbox).join("config.toml")
}

/// Codex in a sandbox, unconfigured.
fn provider(sandbox: &Sandbox, data: &Path, tune: Tune) -> Codex {
    let env = sandbox.env.iter().map(|(n, v)| (n.into(), v.into())).collect();
    Codex::new(tune(CodexConfig {
        env,
        sample_every: Duration::from_secs(1),
        ..CodexConfig::new(process::Host::default(), "/usr/bin:/bin".into(), data.join("codex"))
    }))
}

async fn compose(sandbox: &Sandbox, data: &Path, tune: Tune) -> (Engine, Codex) {
    let codex = provider(sandbox, data, tune);
    let store = Store::open(data).expect("a store");
    // Settings name the program, as a person would whose Codex is not on the path.
    let settings = domain::ProviderSettings {
        binary: sandbox.program(Agent::Codex).map(|p| p.to_string_lossy().into_owned()),
        ..Default::default()
    };
    store.put_provider_settings(&ProviderId::known("codex"), &settings).await.expect("settings");
    let engine = Engine::start(store, vec![Arc::new(codex.clone())]).await.expect("an engine");
    let mut status = codex.status();
    let ready = status.wait_for(|s| s.state == ProviderState::Ready && !s.checking);
    tokio::time::timeout(PATIENT, ready).await.expect("Codex gets ready").expect("a status");
    (engine, codex)
}

/// The tools of the model as a script's steps.
pub(crate) trait Tools {
    fn run_command(self, command: &str) -> Self;
    fn patch(self, patch: &str) -> Self;
    fn todos(self, todos: &[(&str, &str)]) -> Self;
}

impl Tools for Script {
    fn run_command(self, command: &str) -> Self {
        self.tool("exec_command", json!({ "cmd": command }))
    }

    fn patch(self, patch: &str) -> Self {
        self.tool_raw("apply_patch", format!("*** Begin Patch\n{patch}\n*** End Patch"))
    }

    fn todos(self, todos: &[(&str, &str)]) -> Self {
        let plan: Vec<_> =
            todos.iter().map(|(step, status)| json!({"step": step, "status": status})).collect();
        self.tool("update_plan", json!({ "plan": plan }))
    }
}

/// An MCP server as Codex's configuration names it.
pub(crate) fn mcp(notes: &testkit::mcp::Notes) -> String {
    let config = notes.kilo_config();
    let command: Vec<&str> =
        config["command"].as_array().into_iter().flatten().filter_map(|c| c.as_str()).collect();
    let (program, arguments) = command.split_first().expect("a command");
    format!("\t[mcp_servers.notes]\n\tcommand = {program:?}\n\targs = {arguments:?}")
}

/// A program that is not Codex.
pub(crate) fn program(path: &Path, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("a program");
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, all).expect("a program");
    path.to_owned()
}
