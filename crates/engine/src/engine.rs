//! The engine's face: what can be asked of it, and which actor is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{
    Access, Answer, Change, Delivery, Input, ItemId, Mode, ModelSelection, NewTurn, PlanDecision,
    ProjectId, ProviderId, ProviderState, ProviderStatus, Refusal, RequestId, ShellChange, Thread,
    ThreadId, ThreadPatch, Turn, TurnId, Window,
};
use providers::Provider;
use store::{SearchQuery, SearchResult, Store, ThreadQuery};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::EngineError;
use crate::actor::{Actor, Command, MAX_COMMANDS, now};
use crate::feed::{Feed, Source, Waiting};
use crate::heads::Heads;
use crate::shell::{Shell, ShellFeed, ShellSource, watch_storage};

mod agents;
mod attachments;
mod projects;
mod queue;
mod settings;

/// Everything that threads share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) providers: Arc<Providers>,
    pub(crate) shell: Arc<Shell>,
    /// One look at a project at a time; at most one entry for each project.
    pub(crate) looks: Mutex<HashMap<ProjectId, Arc<tokio::sync::Mutex<()>>>>,
    pub(crate) heads: Arc<Heads>,
    actors: Mutex<Actors>,
}

#[derive(Default)]
struct Actors {
    live: HashMap<ThreadId, mpsc::Sender<Command>>,
    closed: bool,
}

/// The providers, in the order in which people are shown them.
pub(crate) struct Providers(Vec<Arc<dyn Provider>>);

impl Providers {
    pub(crate) fn get(&self, id: &ProviderId) -> Option<Arc<dyn Provider>> {
        self.0.iter().find(|provider| provider.id() == *id).cloned()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.0.iter()
    }

    /// Has everything removed that is kept of a thread beside the store.
    fn forget(&self, thread: &ThreadId) {
        for provider in &self.0 {
            provider.forget(thread);
        }
    }

    pub(crate) fn statuses(&self) -> Vec<ProviderStatus> {
        self.0.iter().map(|p| p.status().borrow().clone()).collect()
    }
}

impl Shared {
    fn actors(&self) -> MutexGuard<'_, Actors> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a thread off the list of live ones when nothing waits for it.
    ///
    /// Commands are only put into its mailbox under the same lock, so none can be lost.
    pub(crate) fn retire(&self, id: &ThreadId, mailbox: &mpsc::Receiver<Command>) -> bool {
        let mut actors = self.actors();
        mailbox.is_empty() && actors.live.remove(id).is_some()
    }

    /// Takes a thread off the list of live ones.
    pub(crate) fn forget(&self, id: &ThreadId) {
        self.actors().live.remove(id);
    }

    /// Shows a thread that was stored together with the changes of another, and makes it live, which
    /// begins its turn.
    pub(crate) fn found(self: &Arc<Self>, row: Thread) {
        let id = row.id.clone();
        self.shell.publish(ShellChange::Thread { thread: row });
        let (reply, _) = oneshot::channel();
        if let Err(error) = self.post(&id, Command::Follow { cursor: None, reply }) {
            tracing::warn!(thread = %id, %error, "a new thread begins when it is next looked at");
        }
    }

    /// Puts a command into a thread's mailbox, making the thread live if it is not.
    pub(crate) fn post(
        self: &Arc<Self>,
        id: &ThreadId,
        command: Command,
    ) -> Result<(), EngineError> {
        let mut actors = self.actors();
        if actors.closed {
            return Err(EngineError::ShuttingDown);
        }
        let mailbox = match actors.live.get(id) {
            // A mailbox is closed without being taken off the list only when its actor broke.
            Some(mailbox) if !mailbox.is_closed() => mailbox.clone(),
            _ => {
                let (mailbox, commands) = mpsc::channel(MAX_COMMANDS);
                actors.live.insert(id.clone(), mailbox.clone());
                tokio::spawn(Actor::run(id.clone(), self.clone(), commands));
                mailbox
            }
        };
        mailbox.try_send(command).map_err(|_| EngineError::Busy)
    }

    pub(crate) async fn ask<T>(
        self: &Arc<Self>,
        id: &ThreadId,
        command: impl FnOnce(oneshot::Sender<Result<T, EngineError>>) -> Command,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.post(id, command(reply))?;
        answer.await.unwrap_or(Err(EngineError::Busy))
    }
}

/// A thread to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewThread {
    /// The id, chosen by the client.
    pub id: ThreadId,
    /// The project to work in.
    pub project_id: ProjectId,
    /// The provider that drives it.
    pub provider: ProviderId,
    /// What it runs on.
    pub model: Option<ModelSelection>,
    /// How much the agent may do unasked.
    pub access: Access,
    /// What its turns are for.
    pub mode: Mode,
    /// A title of a person's; else the first message gives one.
    pub title: Option<String>,
}

/// What can be asked of Baton. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
    epoch: Arc<str>,
    pub(crate) making: Arc<tokio::sync::Mutex<()>>,
    /// One change of the settings at a time, so that they are told in the order they are stored.
    setting: Arc<tokio::sync::Mutex<()>>,
}

impl Engine {
    /// Starts: applies the stored settings of the providers, and makes those threads live that had
    /// something under way, however many others there are. People see the providers in this order.
    ///
    /// # Errors
    /// [`EngineError::Storage`] when the store cannot be read.
    pub async fn start(
        store: Store,
        providers: Vec<Arc<dyn Provider>>,
    ) -> Result<Self, EngineError> {
        let providers = Providers(providers);
        let shared = Arc::new(Shared {
            store,
            providers: Arc::new(providers),
            shell: Arc::new(Shell::new()),
            looks: Mutex::default(),
            heads: Arc::default(),
            actors: Mutex::default(),
        });
        let epoch = Uuid::now_v7().simple().to_string().into();
        let engine = Self { shared, epoch, making: Arc::default(), setting: Arc::default() };
        let (shell, store) = (engine.shared.shell.clone(), engine.shared.store.clone());
        tokio::spawn(watch_storage(shell, store));
        for provider in &engine.shared.providers.0 {
            engine.watch(provider);
            engine.watch_deletions(provider);
            let key = inventory_key(&provider.id());
            if let Some(inventory) = engine.shared.store.value(&key).await? {
                provider.restore(inventory);
            }
            let settings = engine.shared.store.provider_settings(&provider.id()).await?;
            provider.entrust(engine.shared.store.value(&secret_key(&provider.id())).await?);
            let provider = provider.clone();
            // The look that follows may take seconds; sessions wait for the settings, not for it.
            tokio::spawn(async move { provider.configure(settings.unwrap_or_default()).await });
        }
        engine.clean_attachments();
        for thread in engine.shared.store.unfinished_threads().await? {
            // Making it live is enough: it finds what was under way by itself.
            let (reply, _) = oneshot::channel();
            engine.shared.post(&thread, Command::Follow { cursor: None, reply })?;
        }
        Ok(engine)
    }

    /// Tells the shell whenever a provider changes, and keeps its models for the next start.
    fn watch(&self, provider: &Arc<dyn Provider>) {
        let (shell, store) = (self.shared.shell.clone(), self.shared.store.clone());
        let mut status = provider.status();
        let mut inventory = provider.inventory();
        let id = provider.id();
        tokio::spawn(async move {
            loop {
                let change = tokio::select! {
                    Ok(()) = status.changed() => {
                        ShellChange::Provider { status: status.borrow_and_update().clone() }
                    }
                    Ok(()) = inventory.changed() => {
                        let models = inventory.borrow_and_update().clone();
                        if let Err(error) = store.put_value(&inventory_key(&id), &models).await {
                            tracing::warn!(%error, "the models could not be kept");
                        }
                        ShellChange::ModelsChanged { provider: id.clone() }
                    }
                    else => return,
                };
                shell.publish(change);
            }
        });
    }

    /// How many threads are held in memory; the others are in the store alone.
    #[must_use]
    pub fn live_threads(&self) -> usize {
        self.shared.actors().live.len()
    }

    /// The name of this run, which cursors belong to.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Makes a thread. The same id again gives the same thread.
    ///
    /// # Errors
    /// [`EngineError::IdTaken`] when the id is another thread's.
    pub async fn create_thread(&self, new: NewThread) -> Result<Thread, EngineError> {
        let this = self.clone();
        whole(async move { this.create_thread_whole(new).await }).await
    }

    async fn create_thread_whole(&self, new: NewThread) -> Result<Thread, EngineError> {
        let _one_at_a_time = self.making.lock().await;
        if let Some(known) = self.shared.store.thread(&new.id).await? {
            let same = known.project_id == new.project_id && known.provider == new.provider;
            return if same { Ok(known) } else { Err(EngineError::IdTaken) };
        }
        let project = self.project(&new.project_id).await?;
        self.shared.providers.get(&new.provider).ok_or(EngineError::UnknownProvider)?;
        if let Some(model) = &new.model {
            self.check_model(&new.provider, model)?;
        }
        let created_at = now();
        let title = new.title.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let thread = Thread {
            titled_by_person: title.is_some(),
            title: title.unwrap_or_default(),
            model: new.model,
            access: new.access,
            mode: new.mode,
            seq: 1,
            ..Thread::new(new.id, new.project_id, project.path, new.provider, created_at)
        };
        let row = Change::Thread { thread: thread.clone() };
        self.shared.store.commit(&thread.id, thread.seq, vec![row]).await?;
        self.shared.shell.publish(ShellChange::Thread { thread: thread.clone() });
        Ok(thread)
    }

    /// A thread's row.
    ///
    /// # Errors
    /// [`EngineError::UnknownThread`].
    pub async fn thread(&self, id: &ThreadId) -> Result<Thread, EngineError> {
        self.shared.store.thread(id).await?.ok_or(EngineError::UnknownThread)
    }

    /// Threads by query, last active first, and whether there are more.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub async fn threads(&self, query: ThreadQuery) -> Result<(Vec<Thread>, bool), EngineError> {
        Ok(self.shared.store.threads(query).await?)
    }

    /// Finds messages by their words, what was said last first.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub async fn search(&self, query: SearchQuery) -> Result<SearchResult, EngineError> {
        Ok(self.shared.store.search(query).await?)
    }

    /// Changes a thread's row. A changed access is in force when this returns: the agent goes by it,
    /// or has not said so for ten seconds. One that does not take it is stopped.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the change is not allowed.
    pub async fn patch_thread(
        &self,
        id: &ThreadId,
        patch: ThreadPatch,
    ) -> Result<Thread, EngineError> {
        if let Some(model) = &patch.model {
            let provider = self.thread(id).await?.provider;
            self.check_model(&provider, model)?;
        }
        let renamed = patch.title.is_some();
        self.input(id, Input::Patch(patch)).await?;
        let thread = self.thread(id).await?;
        if renamed {
            self.pass_name_on(&thread);
        }
        Ok(thread)
    }

    /// Deletes a thread with everything in it, stopping what runs. The agent's own session stays.
    ///
    /// # Errors
    /// [`EngineError::UnknownThread`].
    pub async fn delete_thread(&self, id: &ThreadId) -> Result<(), EngineError> {
        let this = self.clone();
        let id = id.clone();
        whole(async move { this.delete_thread_whole(&id).await }).await
    }

    async fn delete_thread_whole(&self, id: &ThreadId) -> Result<(), EngineError> {
        self.shared.ask(id, |reply| Command::Delete { reply }).await?;
        self.shared.providers.forget(id);
        self.shared.shell.publish(ShellChange::ThreadRemoved { id: id.clone() });
        Ok(())
    }

    /// Accepts a message. When this returns, the message is stored and will not be lost. The same
    /// id again gives the same turn.
    ///
    /// # Errors
    /// A refusal, an unusable provider or model, or a store that cannot write.
    pub async fn send(&self, thread: &ThreadId, new: NewTurn) -> Result<Turn, EngineError> {
        let row = self.thread(thread).await?;
        let id = new.id.clone();
        if let Some(known) = self.shared.store.turn(&id).await? {
            let same = known.thread_id == *thread;
            return if same { Ok(known) } else { Err(EngineError::IdTaken) };
        }
        self.check_provider(&row.provider)?;
        if new.delivery == Delivery::Steer {
            self.check_steer(&row.provider)?;
        }
        // What the project's configuration does may have changed since the session was opened.
        self.shared.look_at(&row.project_id).await?;
        if let Some(model) = new.model.as_ref().or(row.model.as_ref()) {
            self.check_model(&row.provider, model)?;
            self.check_abilities(&row.provider, model, &new.attachments)?;
        }
        self.input(thread, Input::Submit(new)).await?;
        self.shared.store.turn(&id).await?.ok_or(EngineError::UnknownTurn)
    }

    pub(crate) fn check_provider(&self, id: &ProviderId) -> Result<(), EngineError> {
        let provider = self.shared.providers.get(id).ok_or(EngineError::UnknownProvider)?;
        let status = provider.status().borrow().clone();
        match status.state {
            // What is not known yet is found out by trying.
            ProviderState::Ready | ProviderState::Unknown => Ok(()),
            _ if status.checking => Ok(()),
            ProviderState::Disabled
            | ProviderState::NotInstalled
            | ProviderState::WrongProgram
            | ProviderState::TooOld
            | ProviderState::Broken
            | ProviderState::SignedOut => {
                Err(EngineError::ProviderUnavailable { message: status.message, fix: status.fix })
            }
        }
    }

    pub(crate) fn check_model(
        &self,
        id: &ProviderId,
        model: &ModelSelection,
    ) -> Result<(), EngineError> {
        let provider = self.shared.providers.get(id).ok_or(EngineError::UnknownProvider)?;
        let inventory = provider.inventory();
        let inventory = inventory.borrow();
        if !inventory.known || inventory.models.iter().any(|m| m.id == model.model) {
            return Ok(());
        }
        let near = inventory.near(&model.model);
        Err(EngineError::UnknownModel { model: model.model.clone(), near })
    }

    /// Stops what runs. Stopping nothing is a success.
    ///
    /// # Errors
    /// [`EngineError::UnknownThread`].
    pub async fn stop(&self, thread: &ThreadId) -> Result<(), EngineError> {
        self.input(thread, Input::Stop).await
    }

    /// Lets a held queue go on.
    ///
    /// # Errors
    /// [`EngineError::UnknownThread`].
    pub async fn release(&self, thread: &ThreadId) -> Result<(), EngineError> {
        self.input(thread, Input::Release).await
    }

    /// Answers a request. A plan that is accepted in a new thread has that thread when this returns,
    /// and accepting it again gives the same one.
    ///
    /// # Errors
    /// [`EngineError::TooLate`] when it is closed or was answered, with how; [`EngineError::Refused`]
    /// when there is no such request or the answer does not fit.
    pub async fn answer(
        &self,
        thread: &ThreadId,
        request: &RequestId,
        answer: Answer,
    ) -> Result<Option<ThreadId>, EngineError> {
        let elsewhere =
            matches!(&answer, Answer::Plan { decision: PlanDecision::AcceptInNewThread, .. });
        let founded = elsewhere.then(|| ThreadId::derive(request));
        let answered = self.input(thread, Input::Answer { request: request.clone(), answer }).await;
        match (answered, founded) {
            (Ok(()), founded) => Ok(founded),
            // The same command again, or another device's: it has happened.
            (Err(error), Some(founded)) => match self.shared.store.thread(&founded).await? {
                Some(_) => Ok(Some(founded)),
                None => Err(error),
            },
            (Err(EngineError::Refused(refusal)), None) => {
                Err(self.too_late(thread, request, refusal).await)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Says of a refused answer how the request stands, when that is why.
    async fn too_late(
        &self,
        thread: &ThreadId,
        request: &RequestId,
        refusal: Refusal,
    ) -> EngineError {
        if !matches!(refusal, Refusal::RequestClosed | Refusal::AlreadyAnswering) {
            return EngineError::Refused(refusal);
        }
        match self.shared.store.request(request).await {
            Ok(Some(found)) if found.thread_id == *thread => {
                EngineError::TooLate { refusal, state: Box::new(found.state) }
            }
            _ => EngineError::Refused(refusal),
        }
    }

    pub(crate) async fn input(&self, thread: &ThreadId, input: Input) -> Result<(), EngineError> {
        self.shared.ask(thread, |reply| Command::Input { input, reply }).await
    }

    /// The newest part of a conversation, or the part before a position.
    ///
    /// # Errors
    /// [`EngineError::UnknownThread`].
    pub async fn window(
        &self,
        thread: &ThreadId,
        before: Option<u64>,
    ) -> Result<Window, EngineError> {
        self.shared.store.window(thread, before).await?.ok_or(EngineError::UnknownThread)
    }

    /// The whole long text of an item.
    ///
    /// # Errors
    /// [`EngineError::UnknownItem`].
    pub async fn item_body(&self, thread: &ThreadId, item: &ItemId) -> Result<String, EngineError> {
        self.shared.store.item_body(thread, item).await?.ok_or(EngineError::UnknownItem)
    }

    /// The whole message of a turn.
    ///
    /// # Errors
    /// [`EngineError::UnknownTurn`].
    pub async fn turn_text(&self, thread: &ThreadId, turn: &TurnId) -> Result<String, EngineError> {
        let known = self.shared.store.turn(turn).await?.filter(|t| t.thread_id == *thread);
        let known = known.ok_or(EngineError::UnknownTurn)?;
        self.shared.store.turn_text(&known.id).await?.ok_or(EngineError::UnknownTurn)
    }

    /// Follows a thread, from the number of the last change that is known in this epoch.
    ///
    /// # Errors
    /// [`EngineError::UnknownThread`].
    pub async fn follow_thread(
        &self,
        id: &ThreadId,
        cursor: Option<u64>,
    ) -> Result<Feed<Window, Change>, EngineError> {
        let source = ThreadSource { shared: self.shared.clone(), id: id.clone() };
        Feed::open(Box::new(source), cursor).await
    }

    /// Follows the shell, from the number of the last change that is known in this epoch.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub async fn follow_shell(&self, cursor: Option<u64>) -> Result<ShellFeed, EngineError> {
        let source = ShellSource {
            shell: self.shared.shell.clone(),
            store: self.shared.store.clone(),
            providers: self.shared.providers.clone(),
            heads: self.shared.heads.clone(),
        };
        Feed::open(Box::new(source), cursor).await
    }

    /// Ends in order: running turns are stopped, sessions closed, agent processes ended, the
    /// store drained. Nothing is accepted any more.
    pub async fn shutdown(&self) {
        let live: Vec<_> = {
            let mut actors = self.shared.actors();
            actors.closed = true;
            actors.live.drain().map(|(_, mailbox)| mailbox).collect()
        };
        let mut ends = tokio::task::JoinSet::new();
        for mailbox in live {
            ends.spawn(async move {
                let (reply, ended) = oneshot::channel();
                if mailbox.send(Command::Shutdown { reply }).await.is_ok() {
                    let _ = ended.await;
                }
            });
        }
        while ends.join_next().await.is_some() {}
        for provider in &self.shared.providers.0 {
            provider.shutdown().await;
        }
        if let Err(error) = self.shared.store.close().await {
            tracing::error!(%error, "the store did not close cleanly");
        }
    }
}

/// Does a command as a whole, even when whoever asked for it goes away meanwhile.
pub(crate) async fn whole<T: Send + 'static>(
    command: impl Future<Output = Result<T, EngineError>> + Send + 'static,
) -> Result<T, EngineError> {
    tokio::spawn(command).await.unwrap_or(Err(EngineError::Busy))
}

fn secret_key(provider: &ProviderId) -> String {
    format!("secret:{provider}")
}

fn inventory_key(provider: &ProviderId) -> String {
    format!("inventory:{provider}")
}

/// Where a thread feed's snapshots come from.
struct ThreadSource {
    shared: Arc<Shared>,
    id: ThreadId,
}

#[async_trait]
impl Source<Window, Change> for ThreadSource {
    async fn follow(&self, cursor: Option<u64>) -> Result<Arc<Waiting<Change>>, EngineError> {
        self.shared.ask(&self.id, |reply| Command::Follow { cursor, reply }).await
    }

    async fn snapshot(&self) -> Result<(u64, Window), EngineError> {
        let window = self.shared.store.window(&self.id, None).await?;
        let window = window.ok_or(EngineError::UnknownThread)?;
        Ok((window.thread.seq, window))
    }
}
