//! Puts a Baton together: processes, store, providers, engine, server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use engine::Engine;
use process::{Host, HostConfig, Ledger, Outcome};
use providers::Provider;
use providers::claude::{Claude, ClaudeConfig};
use providers::codex::{Codex, CodexConfig};
use providers::kilo::native_log::NativeLog;
use providers::kilo::{Bounds, Kilo, KiloConfig};
use server::{App, Assets, Config, Hosts, RecentLog, Token};
use store::Store;
use tokio::net::TcpListener;

use crate::data::{DataDir, home};

/// The web app.
const ASSETS: Assets = Assets(include!(concat!(env!("OUT_DIR"), "/assets.rs")));
/// How long what an earlier run left behind has to end politely.
const REAP_GRACE: Duration = Duration::from_secs(2);

/// A Baton that is put together and not yet served.
pub(crate) struct Baton {
    pub(crate) app: App,
    pub(crate) engine: Engine,
    pub(crate) host: Host,
    pub(crate) token: Token,
    /// Where it is reached from this machine.
    pub(crate) url: String,
}

/// Puts a Baton together on a data directory whose lock the caller holds.
pub(crate) async fn compose(
    data: &DataDir,
    listener: &TcpListener,
    names: Vec<String>,
    native_log: bool,
    recent: RecentLog,
) -> Result<Baton> {
    let address = listener.local_addr().context("the listener has no address")?;
    let token = data.token()?;
    let home = home()?;
    let ledger = data.path().join("processes");
    end_leftovers(&ledger).await;
    let directory = data.path().to_owned();
    let store = tokio::task::spawn_blocking(move || Store::open(&directory)).await??;
    let host = Host::new(HostConfig {
        withhold: vec!["BATON_*".to_owned()],
        ledger: Some(Ledger::new(&ledger, "BATON_CHILD")),
    });
    let cwd = agents_directory(data)?;
    let providers = vec![
        kilo(data, &host, native_log, cwd.clone())?,
        codex(&host, cwd.clone()),
        claude(&host, cwd)?,
    ];
    let engine = Engine::start(store.clone(), providers).await?;
    let url = format!("http://{}", from_here(address));
    let config = Config {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: url.clone(),
        bound: address,
        machine: machine(),
        home,
        data_dir: data.path().to_owned(),
        hosts: Hosts::new(address.ip(), names),
        token: token.clone(),
        recent,
    };
    let app = App::new(config, engine.clone(), store, ASSETS).await?;
    Ok(Baton { app, engine, host, token, url })
}

/// A directory of its own, so that no project's configuration is in force where agents start.
fn agents_directory(data: &DataDir) -> Result<PathBuf> {
    let cwd = data.path().join("agents");
    std::fs::create_dir_all(&cwd).with_context(|| format!("{} cannot be made", cwd.display()))?;
    Ok(cwd)
}

fn codex(host: &Host, cwd: PathBuf) -> Arc<dyn Provider> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Arc::new(Codex::new(CodexConfig::new(host.clone(), path, cwd)))
}

fn kilo(data: &DataDir, host: &Host, native_log: bool, cwd: PathBuf) -> Result<Arc<dyn Provider>> {
    Ok(Arc::new(Kilo::new(KiloConfig {
        host: host.clone(),
        path: std::env::var_os("PATH").unwrap_or_default(),
        cwd,
        state: state()?,
        injected: std::env::var("KILO_CONFIG_CONTENT").ok(),
        env: Vec::new(),
        // Who set it has a place for it.
        scratch: std::env::var_os("BUN_TMPDIR")
            .is_none()
            .then(|| data.path().join("kilo-unpacked")),
        bounds: Bounds::default(),
        native_log: Some(NativeLog { dir: data.path().join("native-log"), on: native_log }),
    })))
}

fn claude(host: &Host, cwd: PathBuf) -> Result<Arc<dyn Provider>> {
    let config_dir = std::env::var_os("CLAUDE_CONFIG_DIR").map(PathBuf::from);
    Ok(Arc::new(Claude::new(ClaudeConfig {
        host: host.clone(),
        path: std::env::var_os("PATH").unwrap_or_default(),
        cwd,
        home: home()?,
        config_dir: config_dir.filter(|directory| directory.is_absolute()),
        env: Vec::new(),
        quiet: providers::claude::is_quiet(|name| std::env::var(name).ok()),
    })))
}

/// Where this user's programs keep their state.
fn state() -> Result<PathBuf> {
    let named = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    match named.filter(|directory| directory.is_absolute()) {
        Some(directory) => Ok(directory),
        None => Ok(home()?.join(".local/state")),
    }
}

/// Ends what a Baton that was killed left running.
async fn end_leftovers(ledger: &Path) {
    match process::reap(ledger, REAP_GRACE).await {
        Ok(found) => {
            for reaped in found.into_iter().filter(|reaped| reaped.outcome != Outcome::Gone) {
                tracing::info!(label = reaped.label, outcome = ?reaped.outcome, "left by an earlier run");
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "what an earlier run left could not be looked at"),
    }
}

/// The address by which a server is reached from its own machine.
fn from_here(bound: SocketAddr) -> SocketAddr {
    let mut address = bound;
    if bound.ip().is_unspecified() {
        address.set_ip(if bound.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}

/// The machine's name.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    read("/proc/sys/kernel/hostname")
        .or_else(|| read("/etc/hostname"))
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this machine".to_owned())
}
