//! An engine on a store of its own, with the real Claude Code in a sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{
    Access, Answer, Decision, Item, ItemContent, Mode, ModelSelection, NewTurn, ProviderId,
    ProviderState, Request, RequestBody, RequestState, Thread, ThreadId, ThreadPatch, Turn, TurnId,
    Window,
};
use engine::{Engine, NewThread};
use providers::Provider;
use providers::claude::{Claude, ClaudeConfig};
use store::Store;
use testkit::model::Script;
use testkit::sandbox::{Agent, Sandbox};
use testkit::wait::{PATIENT, until};
use uuid::Uuid;

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) engine: Engine,
    pub(crate) claude: Claude,
    data: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let sandbox = Sandbox::with(&[Agent::Claude]).await.expect("a sandbox with the real one");
        let data = tempfile::tempdir().expect("a data directory");
        let (engine, claude) = compose(&sandbox, data.path()).await;
        Self { sandbox, engine, claude, data }
    }

    /// Ends Baton in order and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        self.engine.shutdown().await;
        (self.engine, self.claude) = compose(&self.sandbox, self.data.path()).await;
    }

    /// A supervised thread in the sample project.
    pub(crate) async fn thread(&self) -> ThreadId {
        self.thread_with(Access::Supervised).await
    }

    pub(crate) async fn thread_with(&self, access: Access) -> ThreadId {
        self.thread_in(&self.sandbox.project.clone(), access).await
    }

    /// A thread in another directory, which becomes a project.
    pub(crate) async fn thread_in(&self, path: &Path, access: Access) -> ThreadId {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let project = self.engine.add_project(path.to_owned(), name).await.expect("a project");
        let new = NewThread {
            id: ThreadId::from_uuid(Uuid::now_v7()),
            project_id: project.id,
            provider: ProviderId::known("claude"),
            model: Some(ModelSelection { model: "sonnet".to_owned(), option: None }),
            access,
            mode: Mode::Build,
            title: None,
        };
        self.engine.create_thread(new).await.expect("a thread").id
    }

    pub(crate) async fn send(&self, thread: &ThreadId, script: &Script) -> TurnId {
        self.say(thread, &script.prompt("Please do this.")).await
    }

    pub(crate) async fn say(&self, thread: &ThreadId, text: &str) -> TurnId {
        self.engine.send(thread, message(text)).await.expect("an accepted message").id
    }

    /// Sends and waits for the end.
    pub(crate) async fn run(&self, thread: &ThreadId, script: &Script) -> Turn {
        let turn = self.send(thread, script).await;
        self.ended(thread, &turn).await
    }

    pub(crate) async fn window(&self, thread: &ThreadId) -> Window {
        self.engine.window(thread, None).await.expect("a window")
    }

    pub(crate) async fn row(&self, thread: &ThreadId) -> Thread {
        self.engine.thread(thread).await.expect("a thread")
    }

    /// Waits until the conversation is as wanted.
    pub(crate) async fn see<T>(
        &self,
        thread: &ThreadId,
        wanted: impl Fn(&Window) -> Option<T>,
    ) -> T {
        let wanted = &wanted;
        until(PATIENT, || async move {
            let window = self.window(thread).await;
            wanted(&window).ok_or(window)
        })
        .await
    }

    pub(crate) async fn ended(&self, thread: &ThreadId, turn: &TurnId) -> Turn {
        self.see(thread, |w| {
            w.turns.iter().find(|t| t.id == *turn && t.state.is_terminal()).cloned()
        })
        .await
    }

    /// Waits for something to be asked.
    pub(crate) async fn asked(&self, thread: &ThreadId) -> Request {
        self.see(thread, |w| {
            let open = |r: &&Request| matches!(r.state, RequestState::Open { .. });
            w.requests.iter().find(open).cloned()
        })
        .await
    }

    pub(crate) async fn decide(&self, request: &Request, decision: Decision) {
        self.answer(request, Answer::Approval { decision, message: None }).await;
    }

    pub(crate) async fn answer(&self, request: &Request, answer: Answer) {
        let given = self.engine.answer(&request.thread_id, &request.id, answer).await;
        given.expect("an accepted answer");
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

    /// Waits until the model's script has reached a gate.
    pub(crate) async fn reached(&self, gate: &str) {
        tokio::time::timeout(PATIENT, self.sandbox.model.reached(gate))
            .await
            .unwrap_or_else(|_| panic!("the script never reached `{gate}`"));
    }

    pub(crate) fn file(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.sandbox.project.join(name)).ok()
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

pub(crate) fn message(text: &str) -> NewTurn {
    NewTurn::message(TurnId::from_uuid(Uuid::now_v7()), text)
}

/// The agent's messages, in order.
pub(crate) fn said(window: &Window) -> Vec<&str> {
    let messages = window.items.iter().filter(|i| i.content == ItemContent::AgentMessage);
    messages.map(|i| i.body.head.as_str()).collect()
}

/// The first item that is wanted.
pub(crate) fn item(window: &Window, wanted: impl Fn(&ItemContent) -> bool) -> &Item {
    window.items.iter().find(|i| wanted(&i.content)).expect("an item of that kind")
}

/// What an approval asks.
pub(crate) fn approval(request: &Request) -> &domain::Approval {
    match &request.body {
        RequestBody::Approval(approval) => approval,
        other => panic!("not an approval: {other:?}"),
    }
}
