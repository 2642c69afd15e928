//! The task that reads a session's events and tells the thread what they mean.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use codex_sdk::types::{Event, EventBody, TurnStatus};
use domain::{AgentEvent, InputKind, TurnId};
use tokio::sync::{mpsc, oneshot};

use super::super::errors::send_error;
use super::super::mapper::{Mapped, Run};
use super::super::router::{Asking, Lane};
use super::{COMPACTION, Inner, reading};
use crate::{SendError, Sighting};

/// Wishes that may wait for one session.
pub(in super::super) const MAX_CONTROL: usize = 64;

/// What is asked of the task besides mapping events.
pub(in super::super) enum Control {
    /// To read the session and tell what differs.
    Resync,
    /// To find out what became of a message.
    LookUp { turn: TurnId, key: String, reply: oneshot::Sender<Result<Sighting, SendError>> },
    /// To tell this, in the order of what else is told.
    Tell(Mapped),
    /// The same, and to say when it is told.
    TellFirst(Mapped, oneshot::Sender<()>),
    /// To end, unless a turn runs.
    Rest,
}

/// Maps a session's events until the session is closed or lost.
pub(in super::super) async fn run(
    inner: Arc<Inner>,
    mut lane: Lane,
    out: mpsc::Sender<AgentEvent>,
) {
    let task = Task { inner, out };
    loop {
        if !task.catch_up(&mut lane).await {
            break;
        }
        let open = tokio::select! {
            biased;
            event = lane.events.recv() => match event {
                Some(event) => task.event(event.what).await,
                None => false,
            },
            asking = lane.asks.recv() => match asking {
                Some(asking) => task.asked(&mut lane, asking.what).await,
                None => false,
            },
            Ok(()) = lane.lost.changed() => {
                let lost = lane.lost.borrow_and_update().clone();
                if let Some(error) = lost {
                    task.tell(vec![AgentEvent::Lost(error)]).await;
                }
                false
            }
            control = lane.control.recv() => match control {
                Some(control) => task.control(control).await,
                None => false,
            },
            // Not an event and not a wish: the session's reader is gone.
            () = task.out.closed() => false,
        };
        if !open {
            break;
        }
    }
    task.inner.closed.store(true, Ordering::SeqCst);
    drop(lane);
    task.inner.running.send_replace(None);
    task.inner.router.ended(&task.inner.id);
}

pub(super) struct Task {
    pub(super) inner: Arc<Inner>,
    pub(super) out: mpsc::Sender<AgentEvent>,
}

impl Task {
    async fn control(&self, control: Control) -> bool {
        match control {
            Control::Resync => self.resync().await,
            Control::Tell(mapped) => self.act(mapped).await,
            Control::TellFirst(mapped, told) => {
                let open = self.act(mapped).await;
                let _ = told.send(());
                open
            }
            Control::LookUp { turn, key, reply } => {
                let sighting = self.look_up(turn, &key).await;
                let _ = reply.send(sighting);
                !self.out.is_closed()
            }
            Control::Rest => {
                let rests = !self.inner.is_running();
                if rests {
                    self.inner.closed.store(true, Ordering::SeqCst);
                }
                !rests
            }
        }
    }

    async fn event(&self, event: Event) -> bool {
        if matches!(event.body, EventBody::TurnStarted(_)) {
            // Whose it is, the answer to the message says that is being handed over.
            drop(self.inner.starting.lock().await);
        }
        let mapped = self.inner.mapper().apply(event);
        // After what it means is known, so that whoever waits for the end finds it ended.
        self.inner.note_running();
        self.act(mapped).await
    }

    /// Reads the session if something of it was dropped.
    async fn catch_up(&self, lane: &mut Lane) -> bool {
        if !lane.lagged.swap(false, Ordering::Relaxed) {
            return true;
        }
        // What waits may end a turn whose last words were dropped: the session says it all.
        while lane.events.try_recv().is_ok() {}
        tracing::warn!(thread = self.inner.id, "events were dropped; reading the session");
        self.resync().await
    }

    /// Takes a request, after the events that came before it, which say what it is about.
    pub(super) async fn asked(&self, lane: &mut Lane, asking: Asking) -> bool {
        for _ in 0..lane.events.len() {
            let Ok(event) = lane.events.try_recv() else { break };
            if !self.event(event.what).await {
                return false;
            }
        }
        if !self.catch_up(lane).await {
            return false;
        }
        let Asking { id, method, ask } = asking;
        let mapped = self.inner.mapper().asked(id, &method, &ask);
        self.act(mapped).await
    }

    async fn act(&self, mapped: Mapped) -> bool {
        let Mapped { mut events, replies, stray, unsteered } = mapped;
        events.extend(self.inner.reply(replies).await);
        if let Some(native) = stray {
            let inner = self.inner.clone();
            tokio::spawn(async move {
                let _alone = inner.gate.lock().await;
                if let Err(error) = inner.stop_stray(&native).await {
                    tracing::debug!(thread = inner.id, %error, "a stray turn was not stopped");
                }
            });
        }
        let open = self.tell(events).await;
        if unsteered {
            self.send_unsteered();
        }
        open
    }

    /// Sends the message that was to steer a turn which ended before it took it.
    fn send_unsteered(&self) {
        let Some(prompt) = self.inner.kept().take() else { return };
        let inner = self.inner.clone();
        let out = self.out.clone();
        tokio::spawn(async move {
            let sent = async {
                let input = inner.input(&prompt).await?;
                let _alone = inner.gate.lock().await;
                inner.send_now(&prompt, input).await
            };
            if let Err(error) = sent.await {
                let event = domain::TurnEvent::Ended(domain::TurnOutcome::Failed(error.into()));
                let _ = out.send(AgentEvent::Turn { turn: prompt.turn.clone(), event }).await;
            }
        });
    }

    async fn tell(&self, events: Vec<AgentEvent>) -> bool {
        for event in events {
            if self.out.send(event).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Reads the running turn and tells what differs.
    async fn resync(&self) -> bool {
        let native = {
            let mapper = self.inner.mapper();
            mapper.active().and_then(|(_, native)| native.map(str::to_owned))
        };
        let Some(native) = native else { return !self.out.is_closed() };
        match reading::turn(&self.inner.client, &self.inner.id, &native).await {
            Ok(Some(turn)) => self.replay(turn).await,
            Ok(None) => !self.out.is_closed(),
            Err(error) => {
                tracing::warn!(thread = self.inner.id, %error, "the session could not be read");
                !self.out.is_closed()
            }
        }
    }

    /// Tells what a turn says that was read.
    async fn replay(&self, turn: codex_sdk::types::Turn) -> bool {
        for event in reading::events(&self.inner.id, turn) {
            if !self.event(event).await {
                return false;
            }
        }
        true
    }

    async fn look_up(&self, turn: TurnId, key: &str) -> Result<Sighting, SendError> {
        let kind =
            if key.starts_with(COMPACTION) { InputKind::Compact } else { InputKind::Message };
        let found = reading::find(&self.inner.client, &self.inner.id, key).await;
        let Some(found) = found.map_err(|e| send_error(&e))? else {
            return Ok(Sighting::Absent);
        };
        let mode = self.inner.wish().1;
        {
            let mut mapper = self.inner.mapper();
            let known = mapper.active().is_some_and(|(active, native)| {
                *active == turn && native == Some(found.id.as_str())
            });
            if !known {
                mapper.begin(turn.clone(), key.to_owned(), kind, mode);
                mapper.found(&turn, &found.id);
            }
        }
        // Cut by the end of its process, it reads as interrupted though nobody stopped it.
        let cut = found.status == TurnStatus::Interrupted && !self.inner.was_stopped(&turn);
        let runs = |run: &Run| run.native == found.id;
        let running = self.inner.running.borrow().as_ref().is_some_and(runs);
        let id = found.id.clone();
        let mut events = reading::events(&self.inner.id, found);
        let ends = matches!(events.last(), Some(Event { body: EventBody::TurnCompleted(_), .. }));
        if ends && cut {
            events.pop();
        }
        for event in events {
            self.event(event).await;
        }
        if cut || (!ends && !running) {
            let failed = {
                let mut mapper = self.inner.mapper();
                mapper.over(&id);
                mapper.fail(super::super::errors::died(""))
            };
            self.inner.note_running();
            self.act(failed).await;
        }
        tracing::debug!(thread = self.inner.id, turn = id, "a message was looked up");
        Ok(Sighting::Present)
    }
}
