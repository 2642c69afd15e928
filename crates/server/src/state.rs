//! What every request can reach.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::Engine;
use store::{Store, StoreError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::addresses::{for_others, reachable};
use crate::assets::Assets;
use crate::credentials::{Token, hex};
use crate::devices::{Devices, now};
use crate::files::Files;
use crate::guard::Hosts;
use crate::live::MAX_SOCKETS;
use crate::pairing::{CODE_LIFETIME, Pairing, PairingCode};
use crate::recent::RecentLog;

/// What a server is told when it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Baton's version.
    pub version: String,
    /// The address people reach it at, e.g. `http://127.0.0.1:4777`.
    pub url: String,
    /// What it listens on.
    pub bound: SocketAddr,
    /// The machine's name.
    pub machine: String,
    /// The home directory of the user it runs as.
    pub home: PathBuf,
    /// Where everything is stored.
    pub data_dir: PathBuf,
    /// The names it answers to.
    pub hosts: Hosts,
    /// The secret of command lines and scripts.
    pub token: Token,
    /// What went wrong lately.
    pub recent: RecentLog,
}

/// What every request can reach. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) config: Arc<Config>,
    pub(crate) engine: Engine,
    pub(crate) assets: Assets,
    pub(crate) devices: Arc<Devices>,
    pub(crate) pairing: Arc<Pairing>,
    /// The cookie's name. Browsers send cookies to every port of a host, so each data directory
    /// has a name of its own, lest two servers of a machine sign each other's browsers out.
    pub(crate) cookie: Arc<str>,
    pub(crate) started: Instant,
    pub(crate) files: Arc<Files>,
    /// Places for live sockets.
    pub(crate) sockets: Arc<Semaphore>,
    /// Cancelled when the server ends.
    pub(crate) ending: CancellationToken,
    /// Connections and sockets, which are waited for at the end.
    pub(crate) tasks: TaskTracker,
}

impl App {
    /// Puts a server together.
    ///
    /// # Errors
    /// When the paired devices cannot be read.
    pub async fn new(
        config: Config,
        engine: Engine,
        store: Store,
        assets: Assets,
    ) -> Result<Self, StoreError> {
        let ending = CancellationToken::new();
        let name: String = hex(&config.token.hash()).chars().take(12).collect();
        Ok(Self {
            config: Arc::new(config),
            engine,
            assets,
            devices: Arc::new(Devices::load(store).await?),
            pairing: Arc::default(),
            cookie: format!("baton_{name}").into(),
            started: Instant::now(),
            files: Arc::new(Files::new(ending.clone())),
            sockets: Arc::new(Semaphore::new(MAX_SOCKETS)),
            ending,
            tasks: TaskTracker::new(),
        })
    }

    /// Makes a one-time code that pairs a browser within the next 15 minutes.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn pairing_code(&self) -> Result<PairingCode, getrandom::Error> {
        self.pairing.issue(Instant::now())
    }

    /// The link that carries a code in its fragment, which browsers send to nobody.
    #[must_use]
    pub fn pairing_link(&self, code: &PairingCode) -> String {
        format!("{}/#pair={}", self.config.url, code.as_str())
    }

    /// The links that carry a code to this server from other devices: by the address a page says it
    /// was opened by, if that leads here from elsewhere, and by those of the machine.
    pub(crate) fn links_for_others(&self, code: &PairingCode, from: Option<&str>) -> Vec<String> {
        let Config { bound, hosts, .. } = &*self.config;
        let links = for_others(from, hosts, &reachable(bound.ip()), bound.port());
        links.into_iter().map(|address| format!("{address}#pair={}", code.as_str())).collect()
    }

    /// When a code made now expires.
    pub(crate) fn code_expiry(&self) -> i64 {
        now().saturating_add(i64::try_from(CODE_LIFETIME.as_millis()).unwrap_or(i64::MAX))
    }

    /// How many live sockets are open.
    pub(crate) fn open_sockets(&self) -> u32 {
        let open = MAX_SOCKETS.saturating_sub(self.sockets.available_permits());
        u32::try_from(open).unwrap_or(u32::MAX)
    }

    /// How long the server has been running.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}
