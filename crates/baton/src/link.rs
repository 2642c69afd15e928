//! The server a command works with: the one that runs, or one of its own.

use std::time::Duration;

use anyhow::{Result, bail};
use engine::Engine;
use server::RecentLog;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::cli::Data;
use crate::client::Client;
use crate::compose::compose;
use crate::data::{DataDir, Lock, Locking, ServerFile};
use crate::serve::{describe, listen};

/// How long to wait for a server that holds the data directory and does not answer yet.
const STARTING: Duration = Duration::from_secs(15);

/// A server and who it belongs to.
pub(crate) struct Link {
    pub(crate) client: Client,
    pub(crate) data: DataDir,
    own: Option<Own>,
}

/// A server of a command's own, which nobody else knows of.
struct Own {
    engine: Engine,
    end: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    _lock: Lock,
}

impl Link {
    /// Takes the server that runs on the data directory, or starts one for this command alone.
    pub(crate) async fn open(chosen: &Data, role: &str) -> Result<Self> {
        let data = DataDir::open(chosen)?;
        match data.lock(role)? {
            Locking::Ours(lock) => Self::start(data, lock).await,
            Locking::Theirs(owner) => {
                let client = running(&data, &owner).await?;
                Ok(Self { client, data, own: None })
            }
        }
    }

    async fn start(data: DataDir, lock: Lock) -> Result<Self> {
        let listener = listen("127.0.0.1", 0).await?;
        let baton = compose(&data, &listener, Vec::new(), false, RecentLog::default()).await?;
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(server::run(listener, baton.app, async {
            let _ = ended.await;
        }));
        let client = Client::new(&ServerFile {
            pid: std::process::id(),
            url: baton.url,
            token: baton.token.reveal().to_owned(),
        })?;
        let own = Own { engine: baton.engine, end, serving, _lock: lock };
        Ok(Self { client, data, own: Some(own) })
    }

    /// Whether the server is this command's own, so that nobody else can answer anything.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Finds the running server again after it was lost, which may have another port by now.
    pub(crate) async fn find_again(&mut self) -> bool {
        let Some(server) = self.data.announced().filter(|_| self.own.is_none()) else {
            return false;
        };
        match Client::new(&server) {
            Ok(client) if client.is_healthy().await => {
                self.client = client;
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Ends a server of one's own, agent processes included.
    pub(crate) async fn close(self) {
        let Some(own) = self.own else { return };
        let _ = own.end.send(());
        let (_, ()) = tokio::join!(own.serving, own.engine.shutdown());
    }
}

/// The server that holds the data directory, given some time to come up.
async fn running(data: &DataDir, owner: &str) -> Result<Client> {
    let looking = async {
        loop {
            if let Some(server) = data.announced() {
                let client = Client::new(&server)?;
                if client.is_healthy().await {
                    return anyhow::Ok(client);
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    // Another command's own server never announces itself: it ends with its command.
    let time = if owner.ends_with(" serve") { STARTING } else { Duration::from_millis(500) };
    match tokio::time::timeout(time, looking).await {
        Ok(found) => found,
        Err(_) => bail!(
            "the data directory {} is in use ({}). Wait for its end, choose another with \
             --data-dir, or start `baton serve`, which any number of commands can use at once",
            data.path().display(),
            describe(owner)
        ),
    }
}
