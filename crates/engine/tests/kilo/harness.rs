//! An engine on a store of its own, with the real Kilo in a sandbox.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{ModelSelection, ProviderId, ProviderState, ThreadId};
use engine::Engine;
use providers::Provider;
use providers::kilo::native_log::NativeLog;
use providers::kilo::{Bounds, Kilo, KiloConfig};
use serde_json::Value;
use store::Store;
use testkit::faults::FaultProxy;
use testkit::sandbox::Sandbox;
use testkit::wait::PATIENT;

pub(crate) use crate::driver::{Driver, approval, item, message, said};

pub(crate) struct Bench {
    driver: Driver,
    pub(crate) kilo: Kilo,
}

impl Deref for Bench {
    type Target = Driver;
    fn deref(&self) -> &Driver {
        &self.driver
    }
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

    pub(crate) async fn start_in(sandbox: Sandbox, bounds: Bounds) -> Self {
        let data = tempfile::tempdir().expect("a data directory");
        let (engine, kilo) = compose(&sandbox, data.path(), bounds).await;
        let model = ModelSelection { model: "mock/m1".to_owned(), option: None };
        let provider = ProviderId::known("kilo");
        Self { driver: Driver { sandbox, engine, provider, model, data }, kilo }
    }

    /// A directory beside the project, for what a test writes.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Ends Baton in order and starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        self.engine.shutdown().await;
        let composed = compose(&self.sandbox, self.data.path(), Bounds::default()).await;
        (self.driver.engine, self.kilo) = composed;
    }
}

/// Native logs are written when their directory is there from the beginning.
fn native_log(sandbox: &Sandbox) -> NativeLog {
    let dir = sandbox.home.path().join("native-log");
    NativeLog { on: dir.exists(), dir }
}

/// The folder in the data directory in which Kilo unpacks.
pub(crate) const SCRATCH: &str = "kilo-unpacked";

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
        scratch: Some(data.join(SCRATCH)),
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
