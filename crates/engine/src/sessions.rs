//! Whole sessions: those that the agent has in a project, threads that go on with one of them, and
//! threads that begin where another one was.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    Access, AgentEvent, Change, ErrorCode, History, Input, InputKind, NativeSession, ProjectId,
    ProviderId, Refusal, ShellChange, Thread, ThreadId, ThreadState, Turn, TurnError, TurnId,
    TurnOrigin,
};
use providers::{OpenError, Place, Provider, ReadSession, SessionQuery, Sessions};
use store::StoreError;
use tokio::sync::{broadcast, oneshot};

use crate::EngineError;
use crate::actor::{BackTo, Command, now};
use crate::engine::{Engine, whole};

/// The most sessions of one page.
pub const MAX_SESSIONS: usize = 50;
/// Turns of a thread that are looked at to find the place where another one begins.
const MAX_LOOKED_AT: usize = 1000;
/// How long the agent may take to delete a session; it may have to be started for it.
const DELETING: Duration = Duration::from_secs(60);
/// How long a session may take to get its name.
const NAMING: Duration = Duration::from_secs(20);

/// A session to go on with in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContinueSession {
    /// The thread's id, chosen by the client; another thread's that has the session already wins.
    pub id: ThreadId,
    /// The project to work in.
    pub project_id: ProjectId,
    /// The provider whose session it is.
    pub provider: ProviderId,
    /// The provider's own id of the session.
    pub session: String,
    /// How much the agent may do unasked.
    pub access: Access,
    /// Whether to go on although somebody works in it.
    pub anyway: bool,
}

impl Engine {
    /// Lists the sessions of a project, the last used first, each with the thread that goes on with
    /// it, and whether there are more. Starts the agent if need be.
    ///
    /// # Errors
    /// [`EngineError::Agent`] when the agent cannot be asked.
    pub async fn sessions(
        &self,
        project: &ProjectId,
        provider: &ProviderId,
        query: SessionQuery,
    ) -> Result<(Vec<NativeSession>, bool), EngineError> {
        let (project, _) = self.shared.look_at(project).await?;
        let trusted = project.is_trusted();
        let place = Place { workspace: project.path.into(), trusted };
        let query = SessionQuery { limit: query.limit.clamp(1, MAX_SESSIONS), ..query };
        let mut list = self.whole_sessions(provider)?.list(&place, &query).await?;
        for session in &mut list.sessions {
            let thread = self.shared.store.thread_of_session(provider, &session.id).await?;
            session.thread = thread;
        }
        Ok((list.sessions, list.more))
    }

    /// Makes a thread that goes on with a session, its history in it. The same session again gives
    /// the same thread, whatever id was chosen.
    ///
    /// # Errors
    /// [`EngineError::Agent`] when the session is gone, at work or cannot be read.
    pub async fn continue_session(&self, new: ContinueSession) -> Result<Thread, EngineError> {
        let this = self.clone();
        whole(async move { this.continue_session_whole(new).await }).await
    }

    async fn continue_session_whole(&self, new: ContinueSession) -> Result<Thread, EngineError> {
        let ContinueSession { id, project_id, provider, session, access, anyway } = new;
        if let Some(known) = self.shared.store.thread_of_session(&provider, &session).await? {
            return self.thread(&known).await;
        }
        if self.shared.store.thread(&id).await?.is_some() {
            return Err(EngineError::IdTaken);
        }
        let (project, _) = self.shared.look_at(&project_id).await?;
        let trusted = project.is_trusted();
        let place = Place { workspace: project.path.clone().into(), trusted };
        let wanted =
            ReadSession { session: session.clone(), thread: id.clone(), known: Vec::new() };
        let reading = self.whole_sessions(&provider)?.read(&place, &wanted).await?;
        if reading.history.busy && !anyway {
            return Err(EngineError::SessionBusy);
        }
        let history = reading.history;
        let at = now();
        let row = Thread {
            access,
            session: Some(session),
            created_at: history.turns.first().map_or(at, |turn| turn.at),
            active_at: history.turns.last().map_or(at, |turn| turn.at),
            ..Thread::new(id, project_id, project.path, provider, at)
        };
        self.put_past(row, TurnOrigin::Elsewhere, history).await
    }

    /// Makes a thread of what was said in another up to and with a turn, in a session of its own.
    /// The same id again gives the same thread.
    ///
    /// # Errors
    /// [`EngineError::TurnRuns`] while that turn has not ended.
    pub async fn fork_thread(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        id: ThreadId,
    ) -> Result<Thread, EngineError> {
        let (this, thread, turn) = (self.clone(), thread.clone(), turn.clone());
        whole(async move { this.fork_thread_whole(&thread, &turn, id).await }).await
    }

    async fn fork_thread_whole(
        &self,
        thread: &ThreadId,
        turn: &TurnId,
        id: ThreadId,
    ) -> Result<Thread, EngineError> {
        // One at a time, so that a command that comes twice makes one session.
        let _one_at_a_time = self.making.lock().await;
        let from = self.thread(thread).await?;
        if let Some(known) = self.shared.store.thread(&id).await? {
            let same = known.project_id == from.project_id && known.provider == from.provider;
            return if same { Ok(known) } else { Err(EngineError::IdTaken) };
        }
        let before = self.after_turn(&from, turn).await?;
        let Some(session) = from.session.clone() else {
            return Err(EngineError::Refused(Refusal::NoSession));
        };
        let (sessions, place) = (self.whole_sessions(&from.provider)?, self.place(&from).await?);
        let made = sessions.fork(&place, &session, before.as_deref()).await?;
        let row = Thread {
            title: forked_title(&from.title),
            titled_by_person: from.titled_by_person,
            model: from.model.clone(),
            access: from.access,
            mode: from.mode,
            session: Some(made.clone()),
            ..Thread::new(id.clone(), from.project_id, from.workspace, from.provider, now())
        };
        let wanted = ReadSession { session: made.clone(), thread: id, known: Vec::new() };
        let read = match sessions.read(&place, &wanted).await {
            Ok(reading) => self.put_past(row, TurnOrigin::Forked, reading.history).await,
            Err(error) => Err(error.into()),
        };
        if read.is_err()
            && let Err(error) = sessions.delete(&place, &made).await
        {
            // It can be found among the sessions of the project.
            tracing::warn!(session = made, %error, "a session that no thread has was left behind");
        }
        read
    }

    /// The key of the first message after a turn, `None` when it is the last.
    async fn after_turn(
        &self,
        thread: &Thread,
        turn: &TurnId,
    ) -> Result<Option<String>, EngineError> {
        let known = self.shared.store.turn(turn).await?.filter(|t| t.thread_id == thread.id);
        let known = known.ok_or(EngineError::UnknownTurn)?;
        if !known.state.is_terminal() {
            return Err(EngineError::TurnRuns);
        }
        if thread.is_taken_back(known.ordinal) {
            return Err(EngineError::Refused(Refusal::TakenBack));
        }
        let turns = self.shared.store.turns_after(&thread.id, known.ordinal, MAX_LOOKED_AT).await?;
        let had = turns.into_iter().filter(|turn| !thread.is_taken_back(turn.ordinal));
        Ok(had.into_iter().find_map(|turn| turn.prompt_key))
    }

    /// Stores a thread with the history of its session, all of it or nothing.
    async fn put_past(
        &self,
        row: Thread,
        origin: TurnOrigin,
        history: History,
    ) -> Result<Thread, EngineError> {
        let offered =
            |model: &domain::ModelSelection| self.check_model(&row.provider, model).is_ok();
        let model = row.model.clone().or(history.model).filter(offered);
        let title = if row.title.is_empty() { history.title } else { row.title.clone() };
        let row = Thread { title, model, context: history.context, ..row };
        let (id, at) = (row.id.clone(), now());
        let mut state = ThreadState::new(row.clone(), 0, 0);
        let past = Input::Past { origin, turns: history.turns, earlier: history.earlier };
        let mut outcome = state.apply(at, past)?;
        // The row first, since what follows belongs to it, and as it is after all that.
        outcome.changes.retain(|change| !matches!(change, Change::Thread { .. }));
        let thread =
            Thread { unread: false, seq: state.thread().seq.max(1), ..state.thread().clone() };
        outcome.changes.insert(0, Change::Thread { thread: thread.clone() });
        match self.shared.store.commit(&id, thread.seq, outcome.changes).await {
            Ok(()) => {}
            // Somebody else went on with it meanwhile.
            Err(StoreError::SessionTaken { thread }) => return self.thread(&thread).await,
            Err(error) => return Err(error.into()),
        }
        self.shared.shell.publish(ShellChange::Thread { thread: thread.clone() });
        Ok(thread)
    }

    /// Has the agent shorten its context, after what waits already. The same id again gives the
    /// same turn.
    ///
    /// # Errors
    /// A refusal, or an unusable provider.
    pub async fn compact(&self, thread: &ThreadId, id: TurnId) -> Result<Turn, EngineError> {
        let row = self.thread(thread).await?;
        if let Some(known) = self.shared.store.turn(&id).await? {
            let same = known.thread_id == *thread;
            return if same { Ok(known) } else { Err(EngineError::IdTaken) };
        }
        self.whole_sessions(&row.provider)?;
        self.input(thread, Input::Compact(id.clone())).await?;
        self.shared.store.turn(&id).await?.ok_or(EngineError::UnknownTurn)
    }

    /// Lets a thread go on in a new session, because the one it had is gone. What was said stays
    /// in the thread; the agent is told nothing of it.
    ///
    /// # Errors
    /// [`EngineError::Refused`] while a turn runs.
    pub async fn renew_session(&self, thread: &ThreadId) -> Result<Thread, EngineError> {
        self.input(thread, Input::Renew).await?;
        self.thread(thread).await
    }

    /// Takes the conversation back to before a turn's message, from the next message on. Files are
    /// not touched.
    ///
    /// # Errors
    /// A refusal while something runs or waits, or for a turn that the agent does not have; or why
    /// the agent did not go back.
    pub async fn go_back(&self, thread: &ThreadId, turn: &TurnId) -> Result<Thread, EngineError> {
        let row = self.thread(thread).await?;
        let known = self.shared.store.turn(turn).await?.filter(|t| t.thread_id == *thread);
        let known = known.ok_or(EngineError::UnknownTurn)?;
        if !known.state.is_terminal() {
            return Err(EngineError::TurnRuns);
        }
        if known.input.kind != InputKind::Message {
            return Err(EngineError::Refused(Refusal::NotAMessage));
        }
        let key = known.prompt_key.ok_or(EngineError::Refused(Refusal::NeverSent))?;
        self.whole_sessions(&row.provider)?;
        let to = BackTo { turn: known.id, ordinal: known.ordinal, key };
        self.shared.ask(thread, |reply| Command::Back { to: Some(to), reply }).await?;
        self.thread(thread).await
    }

    /// Undoes [`Engine::go_back`], as long as no message was sent. When there is nothing to undo
    /// that is a success.
    ///
    /// # Errors
    /// A refusal while a turn runs, or why the agent did not do it.
    pub async fn bring_back(&self, thread: &ThreadId) -> Result<Thread, EngineError> {
        self.shared.ask(thread, |reply| Command::Back { to: None, reply }).await?;
        self.thread(thread).await
    }

    /// Deletes a thread together with its session at the agent, stopping what runs: the session first,
    /// so that a thread whose session could not be deleted is still there.
    ///
    /// # Errors
    /// [`EngineError::Agent`] when the agent did not delete the session; then nothing is deleted.
    pub async fn delete_thread_and_session(&self, id: &ThreadId) -> Result<(), EngineError> {
        let (this, id) = (self.clone(), id.clone());
        whole(async move {
            let row = this.thread(&id).await?;
            if let Some(session) = row.session.as_ref().filter(|_| !row.session_gone) {
                let sessions = this.whole_sessions(&row.provider)?;
                let place = this.place(&row).await?;
                let deleted = tokio::time::timeout(DELETING, sessions.delete(&place, session));
                deleted.await.unwrap_or_else(|_| Err(not_deleted()))?;
            }
            this.delete_thread(&id).await
        })
        .await
    }

    /// Has threads say that their session is gone when it is deleted at the agent, also while they
    /// do not have it open.
    pub(crate) fn watch_deletions(&self, provider: &Arc<dyn Provider>) {
        let Some(mut deletions) = provider.sessions().and_then(|s| s.deletions()) else { return };
        let (id, shared) = (provider.id(), Arc::downgrade(&self.shared));
        tokio::spawn(async move {
            loop {
                let session = match deletions.recv().await {
                    Ok(session) => session,
                    Err(broadcast::error::RecvError::Lagged(_)) => continue,
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                let Some(shared) = shared.upgrade() else { return };
                match shared.store.thread_of_session(&id, &session).await {
                    Ok(Some(thread)) => {
                        let (reply, _) = oneshot::channel();
                        let input = Input::Agent(AgentEvent::Lost(deleted()));
                        // Of a thread that cannot be told it shows at its next message.
                        let _ = shared.post(&thread, Command::Input { input, reply });
                    }
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%error, "a deleted session was not looked for"),
                }
            }
        });
    }

    /// The command that opens a thread's session in the agent's own interface, if it has one.
    ///
    /// # Errors
    /// [`EngineError::UnknownThread`], or that the provider has no such command.
    pub async fn session_command(&self, thread: &ThreadId) -> Result<Option<String>, EngineError> {
        let row = self.thread(thread).await?;
        let sessions = self.whole_sessions(&row.provider)?;
        let place = self.place(&row).await?;
        Ok(row.session.as_ref().map(|session| sessions.command(&place, session)))
    }

    /// Names the session as a person named its thread, in the background. An agent that does not
    /// run is not started for it: it is told when the session is next opened.
    pub(crate) fn pass_name_on(&self, thread: &Thread) {
        let Ok(provider) = self.provider(&thread.provider) else { return };
        if provider.status().borrow().running {
            let (this, thread) = (self.clone(), thread.clone());
            tokio::spawn(async move {
                match this.place(&thread).await {
                    Ok(place) => name_session(provider.as_ref(), &place, &thread).await,
                    Err(error) => tracing::warn!(thread = %thread.id, %error, "not named"),
                }
            });
        }
    }

    pub(crate) fn whole_sessions(
        &self,
        provider: &ProviderId,
    ) -> Result<Arc<dyn Sessions>, EngineError> {
        self.check_provider(provider)?;
        self.provider(provider)?.sessions().ok_or(EngineError::NotOffered)
    }

    /// Where a thread works, looked at now: what is asked of an agent there makes it read the
    /// project.
    pub(crate) async fn place(&self, thread: &Thread) -> Result<Place, EngineError> {
        let (project, _) = self.shared.look_at(&thread.project_id).await?;
        let trusted = project.is_trusted();
        Ok(Place { workspace: thread.workspace.clone().into(), trusted })
    }
}

/// Names a thread's session as a person named the thread. A failure is of no matter to the thread.
pub(crate) async fn name_session(provider: &dyn Provider, place: &Place, thread: &Thread) {
    let (Some(sessions), Some(session)) = (provider.sessions(), &thread.session) else { return };
    if !thread.titled_by_person {
        return;
    }
    let named = sessions.rename(place, session, &thread.title);
    match tokio::time::timeout(NAMING, named).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(thread = %thread.id, %error, "the session did not take its name");
        }
        Err(_) => tracing::warn!(thread = %thread.id, "the session did not take its name in time"),
    }
}

fn not_deleted() -> OpenError {
    OpenError {
        code: ErrorCode::AgentUnavailable,
        message: "the agent did not delete its session in a minute".to_owned(),
        hint: Some("try again, or delete the thread alone".to_owned()),
    }
}

fn deleted() -> TurnError {
    TurnError {
        code: ErrorCode::SessionLost,
        message: "the session was deleted at the agent".to_owned(),
        hint: Some("send the message again to go on in a new session".to_owned()),
        retryable: true,
    }
}

/// What a fork is called until it has a name of its own.
fn forked_title(title: &str) -> String {
    const ADDED: &str = " (fork)";
    let room = domain::MAX_TITLE_CHARS - ADDED.len();
    let base = title.trim_end_matches(ADDED);
    if base.is_empty() {
        return String::new();
    }
    let base: String = base.chars().take(room).collect();
    format!("{base}{ADDED}")
}
