//! An engine on a store of its own, with the real Kilo in a sandbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{
    Access, Answer, Decision, Item, ItemContent, Mode, ModelSelection, NewTurn, ProviderId,
    ProviderState, Request, RequestBody, RequestState, Thread, ThreadId, Turn, TurnId, Window,
};
use engine::{Engine, NewThread};
use providers::Provider;
use providers::kilo::native_log::NativeLog;
use providers::kilo::{Bounds, Kilo, KiloConfig};
use serde_json::Value;
use store::Store;
use testkit::faults::FaultProxy;
use testkit::model::Script;
use testkit::sandbox::Sandbox;
use testkit::wait::{PATIENT, until};
use uuid::Uuid;

pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) engine: Engine,
    pub(crate) kilo: Kilo,
    data: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with_config(&Value::Null).await
    }

    /// Starts with native logs written.
    pub(crate) async fn start_with_native_log() -> Self {
        let sandbox = Sandbox::new().await.expect("a sandbox with the real Kilo");
        std::fs::create_dir(sandbox.home.path().join("native-log")).expect("a directory");
        Self::start_in(sandbox, Bounds::default()).await
    }

    /// The native log of a thread.
    pub(crate) fn native_log(&self, thread: &ThreadId) -> PathBuf {
        native_log(&self.sandbox).file(thread)
    }

    /// Starts with a bad link to Kilo.
    pub(crate) async fn behind_faults() -> (Self, FaultProxy) {
        Self::behind_faults_bounded(Bounds::default()).await
    }

    /// Starts with a bad link to Kilo and other bounds of what is borne of its server.
    pub(crate) async fn behind_faults_bounded(bounds: Bounds) -> (Self, FaultProxy) {
        let mut sandbox = Sandbox::new().await.expect("a sandbox with the real Kilo");
        let dir = sandbox.home.path().join("faults");
        let proxy = FaultProxy::start(&dir, &sandbox.kilo.binary).await.expect("a proxy");
        sandbox.kilo.binary = proxy.program().to_owned();
        (Self::start_in(sandbox, bounds).await, proxy)
    }

    /// Starts where the user's own Kilo configuration says more than who the model is.
    pub(crate) async fn start_with_config(more: &Value) -> Self {
        Self::start_with(more, Bounds::default()).await
    }

    /// Starts with other bounds of what is borne of Kilo's server.
    pub(crate) async fn start_bounded(bounds: Bounds) -> Self {
        Self::start_with(&Value::Null, bounds).await
    }

    async fn start_with(more: &Value, bounds: Bounds) -> Self {
        let sandbox = Sandbox::new().await.expect("a sandbox with the real Kilo");
        let file = sandbox.home.path().join(".config/kilo/kilo.json");
        let text = std::fs::read_to_string(&file).expect("Kilo's configuration");
        let mut config: Value = serde_json::from_str(&text).expect("JSON");
        for (key, value) in more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        std::fs::write(&file, config.to_string()).expect("a written configuration");
        Self::start_in(sandbox, bounds).await
    }

    async fn start_in(sandbox: Sandbox, bounds: Bounds) -> Self {
        let data = tempfile::tempdir().expect("a data directory");
        let (engine, kilo) = compose(&sandbox, data.path(), bounds).await;
        Self { sandbox, engine, kilo, data }
    }

    /// A directory beside the project, for what a test writes.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Ends Baton in order and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        self.engine.shutdown().await;
        (self.engine, self.kilo) =
            compose(&self.sandbox, self.data.path(), Bounds::default()).await;
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
            provider: ProviderId::known("kilo"),
            model: Some(ModelSelection { model: "mock/m1".to_owned(), option: None }),
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

/// Native logs are written when their directory is there from the beginning.
fn native_log(sandbox: &Sandbox) -> NativeLog {
    let dir = sandbox.home.path().join("native-log");
    NativeLog { on: dir.exists(), dir }
}

async fn compose(sandbox: &Sandbox, data: &Path, bounds: Bounds) -> (Engine, Kilo) {
    let env: Vec<_> =
        sandbox.env.iter().map(|(n, v)| (n.clone().into(), v.clone().into())).collect();
    let kilo = Kilo::new(KiloConfig {
        host: process::Host::default(),
        path: Path::new(&sandbox.kilo.binary).parent().unwrap().into(),
        cwd: data.join("kilo"),
        state: sandbox.home.path().join(".local/state"),
        injected: None,
        env,
        bounds,
        native_log: Some(native_log(sandbox)),
    });
    let store = Store::open(data).expect("a store");
    // Settings name the program, as a person would whose Kilo is not on the path.
    let settings = domain::ProviderSettings {
        binary: Some(sandbox.kilo.binary.to_string_lossy().into_owned()),
        ..Default::default()
    };
    store.put_provider_settings(&ProviderId::known("kilo"), &settings).await.expect("settings");
    let engine = Engine::start(store, vec![Arc::new(kilo.clone())]).await.expect("an engine");
    let mut status = kilo.status();
    let ready = status.wait_for(|s| s.state == ProviderState::Ready && !s.checking);
    tokio::time::timeout(PATIENT, ready).await.expect("Kilo gets ready").expect("a status");
    (engine, kilo)
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
