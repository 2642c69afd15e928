//! Store, engine and server in this process, with an agent on strings.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use bench::socket::Door;
use domain::{Access, Mode, ModelSelection, NewTurn, ProviderId, ThreadId, TurnId};
use engine::{Engine, NewThread};
use server::{App, Assets, Config, Hosts, RecentLog, Token};
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::puppet::{self, Puppet, Speech};

/// An engine whose agent says what it is told to.
pub(crate) struct Stage {
    pub(crate) engine: Engine,
    store: Store,
    begun: mpsc::UnboundedReceiver<Speech>,
}

impl Stage {
    /// Starts an engine on a data directory.
    pub(crate) async fn start(data: &Path) -> Result<Self> {
        let store = Store::open(data)?;
        let (puppet, begun) = Puppet::new();
        let engine = Engine::start(store.clone(), vec![Arc::new(puppet)]).await?;
        Ok(Self { engine, store, begun })
    }

    /// Begins a turn in each of `count` new threads.
    pub(crate) async fn speeches(&mut self, count: usize) -> Result<Vec<Speech>> {
        let path = std::env::temp_dir();
        let project = self.engine.add_project(path, "bench".to_owned()).await?;
        let mut speeches = Vec::with_capacity(count);
        for _ in 0..count {
            let id = ThreadId::from_uuid(Uuid::now_v7());
            let model = ModelSelection { model: puppet::MODEL.to_owned(), option: None };
            self.engine
                .create_thread(NewThread {
                    id: id.clone(),
                    project_id: project.id.clone(),
                    provider: ProviderId::known(puppet::ID),
                    model: Some(model),
                    access: Access::Supervised,
                    mode: Mode::Build,
                    title: None,
                })
                .await?;
            speeches.push(self.speech(&id).await?);
        }
        Ok(speeches)
    }

    /// Sends a message in a thread, and waits for its turn to begin. One at a time.
    pub(crate) async fn speech(&mut self, id: &ThreadId) -> Result<Speech> {
        let message = NewTurn::message(TurnId::from_uuid(Uuid::now_v7()), "Say something.");
        self.engine.send(id, message).await?;
        self.begun.recv().await.context("the turn did not begin")
    }

    /// Serves it on a port of its own, without the web app.
    pub(crate) async fn serve(self, data: &Path) -> Result<Served> {
        self.serve_page(data, Assets(&[])).await
    }

    /// Serves it on a port of its own, with this web app.
    pub(crate) async fn serve_page(self, data: &Path, page: Assets) -> Result<Served> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let token = Token::random().map_err(|error| anyhow!("no token: {error}"))?;
        let config = Config {
            version: "0".to_owned(),
            url: format!("http://{address}"),
            machine: "bench".to_owned(),
            home: data.to_owned(),
            data_dir: data.to_owned(),
            bound: address,
            hosts: Hosts::new(address.ip(), []),
            token: token.clone(),
            recent: RecentLog::default(),
        };
        let app = App::new(config, self.engine.clone(), self.store.clone(), page).await?;
        let (end, ended) = oneshot::channel::<()>();
        let running = tokio::spawn(server::run(listener, app, async move {
            let _ = ended.await;
        }));
        Ok(Served {
            stage: self,
            door: Door { url: format!("http://{address}"), token: token.reveal().to_owned() },
            end,
            running,
        })
    }
}

/// A server in this process.
pub(crate) struct Served {
    pub(crate) stage: Stage,
    pub(crate) door: Door,
    end: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Served {
    /// Ends the server and the engine.
    pub(crate) async fn stop(self) -> Result<()> {
        // It may have ended by itself.
        let _ = self.end.send(());
        self.running.await?;
        self.stage.engine.shutdown().await;
        Ok(())
    }
}
