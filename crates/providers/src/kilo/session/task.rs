//! The task that reads a session's events and tells the thread what they mean.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{AgentEvent, ErrorCode, TurnError, TurnId};
use kilo_sdk::{Error, QuestionId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::super::mapper::{Mapped, Mapper};
use super::super::router::{Frame, Lane, Link};
use super::reading::Beginning;
use super::wire::Key;
use super::{Inner, commands, reading};
use crate::{SendError, Sighting};

/// Events that may wait for one session; what comes when they do is dropped and read again.
pub(in super::super) const MAX_INBOUND: usize = 4096;
/// Bytes of such events, as Kilo sent them; one alone may have more. The rule is the same.
pub(in super::super) const MAX_INBOUND_BYTES: usize = 32 * 1024 * 1024;
/// Wishes that may wait for one session.
pub(in super::super) const MAX_CONTROL: usize = 64;
/// How long Kilo may take a message after it reported an error for it.
const REFUSAL: Duration = Duration::from_secs(2);

/// How long to wait after the session could not be read; twice as long after each further time.
const RETRY: Duration = Duration::from_secs(2);
/// The longest such wait.
const MAX_RETRY: Duration = Duration::from_secs(30);
/// How long the session of a running turn may be neither readable nor heard of before the turn
/// fails. A server that starts anew or is busy is back well before.
const UNREADABLE: Duration = Duration::from_secs(120);
/// How long after an event of a session more of them may be on their way.
const QUIET: Duration = Duration::from_secs(2);
/// How long a turn that Kilo has closed stays open for what was missed of it to be read.
const CLOSING: Duration = Duration::from_secs(10);

/// What is asked of the task besides mapping events.
pub(in super::super) enum Control {
    /// To read the session and tell what differs.
    Resync,
    /// To find out what became of a message.
    LookUp { turn: TurnId, key: Key, reply: oneshot::Sender<Result<Sighting, SendError>> },
    /// To tell that Kilo is about to be asked to run a command.
    Calling { turn: TurnId },
    /// To note what Kilo answered to that.
    Called { turn: TurnId, result: Result<(), Error> },
    /// To note what Kilo answered to the wish for a compaction.
    Compacted { turn: TurnId, result: Result<(), Error> },
    /// To end, unless a turn runs.
    Rest,
    /// To tell that the server is gone, and end.
    Lost(TurnError),
}

/// Maps a session's events until the session is closed or lost.
pub(in super::super) async fn run(
    inner: Arc<Inner>,
    mut lane: Lane,
    out: mpsc::Sender<AgentEvent>,
) {
    let heard = Instant::now();
    let link = Link::default();
    let mut task =
        Task { inner, out, link, refusal: None, retry: None, unread: None, heard, closing: None };
    loop {
        if lane.lagged.swap(false, Ordering::Relaxed) {
            // What waits may end a turn whose last words were dropped: the session says it all.
            while lane.events.try_recv().is_ok() {}
            tracing::warn!(session = %task.inner.id, "events were dropped; reading the session");
            if !task.resync().await {
                break;
            }
        }
        let (refusal, retry) = (task.refusal.as_ref().map(|(at, _)| *at), task.retry);
        let open = tokio::select! {
            biased;
            Ok(()) = lane.link.changed() => {
                let link = *lane.link.borrow_and_update();
                task.link(link).await
            }
            control = lane.control.recv() => match control {
                Some(control) => task.control(control).await,
                None => false,
            },
            event = lane.events.recv() => match event {
                Some(frame) => task.event(frame).await,
                None => false,
            },
            () = at(refusal) => {
                let refused = task.refusal.take();
                let events = refused.map(|(_, turn)| task.inner.mapper().refuse(&turn));
                task.tell(events.unwrap_or_default()).await
            }
            () = at(retry) => task.resync().await,
            // Not an event and not a wish: the session's reader is gone.
            () = task.out.closed() => false,
        };
        if !open {
            break;
        }
    }
    task.inner.close();
    drop(lane);
    task.inner.router.ended(&task.inner.id);
}

struct Task {
    inner: Arc<Inner>,
    out: mpsc::Sender<AgentEvent>,
    /// How the link to the server was when it was last looked at.
    link: Link,
    /// When a message that Kilo reported an error for counts as refused, and whose it is.
    refusal: Option<(Instant, TurnId)>,
    /// When a session that could not be read is read again.
    retry: Option<Instant>,
    /// Since when it cannot be read.
    unread: Option<Unread>,
    /// When it was last heard of.
    heard: Instant,
    /// The turn that Kilo has closed, and when it ends although not all of it was read.
    closing: Option<(TurnId, Instant)>,
}

impl Task {
    /// Does what is asked; false when there is nothing more to do.
    async fn control(&mut self, control: Control) -> bool {
        match control {
            Control::Resync => self.resync().await,
            Control::Compacted { turn, result } => self.compacted(&turn, result).await,
            Control::Calling { turn } => {
                let events = self.inner.mapper().called(&turn);
                self.tell(events).await
            }
            Control::Called { turn, result } => self.called(&turn, result).await,
            Control::LookUp { turn, key, reply } => {
                let sighting = self.look_up(turn, key).await;
                let _ = reply.send(sighting);
                !self.out.is_closed()
            }
            Control::Rest => !self.inner.close_unused(),
            Control::Lost(error) => {
                self.tell(vec![AgentEvent::Lost(error)]).await;
                false
            }
        }
    }

    /// Notes how the link is now. Something may have been missed whether or not it is up again.
    async fn link(&mut self, link: Link) -> bool {
        let before = std::mem::replace(&mut self.link, link);
        {
            let mut mapper = self.inner.mapper();
            if link.missed != before.missed {
                mapper.link(true);
            }
            mapper.link(link.is_down());
        }
        let down = link.is_down();
        if down != before.is_down() && !self.tell(vec![AgentEvent::Reconnecting(down)]).await {
            return false;
        }
        if down { !self.out.is_closed() } else { self.resync().await }
    }

    async fn event(&mut self, frame: Frame) -> bool {
        self.heard = Instant::now();
        let Frame { envelope, raw, .. } = frame;
        let log = self.inner.log.clone();
        let plan = self.inner.mapper().plan_wanted(&envelope.event);
        if let Some(path) = plan {
            let text = reading::plan(&self.inner, &path).await;
            if let Some(log) = &log {
                log.plan(&path, text.as_deref());
            }
            self.inner.mapper().set_plan(path, text);
        }
        let mapped = {
            let mut mapper = self.inner.mapper();
            let ran = mapper.active().is_some();
            let mapped = mapper.apply(envelope);
            if let Some((log, raw)) = log.zip(raw) {
                log.frame(&raw, ran, &mapped);
            }
            mapped
        };
        self.settle(mapped).await
    }

    async fn settle(&mut self, mapped: Mapped) -> bool {
        let resync = mapped.resync;
        let open = self.act(mapped).await;
        if open && resync { self.resync().await } else { open }
    }

    /// Does what came of an event or a snapshot, save for reading the session again.
    async fn act(&mut self, mapped: Mapped) -> bool {
        if let Some(turn) = mapped.refused {
            self.refusal = Some((Instant::now() + REFUSAL, turn));
        }
        for ask in mapped.implied {
            let inner = self.inner.clone();
            tokio::spawn(async move { inner.allow(&ask).await });
        }
        if let Some((ask, label)) = mapped.housekeeping {
            let instance = self.inner.at(&ask);
            tokio::spawn(async move {
                let id = QuestionId::from(ask.key.as_str());
                let _ = instance.reply_question(&id, &[vec![label]]).await;
            });
        }
        if mapped.stray_turn && self.inner.stopped.load(Ordering::Relaxed) {
            // The message of a turn that was stopped was taken after all.
            let inner = self.inner.clone();
            tokio::spawn(async move { inner.stop_stray().await });
        }
        if self.inner.mapper().is_untidy() {
            let inner = self.inner.clone();
            tokio::spawn(async move { inner.tidy().await });
        }
        self.tell(mapped.events).await
    }

    async fn tell(&self, events: Vec<AgentEvent>) -> bool {
        for event in events {
            if self.out.send(event).await.is_err() {
                return false;
            }
        }
        true
    }

    async fn resync(&mut self) -> bool {
        self.retry = None;
        let active = {
            let mapper = self.inner.mapper();
            mapper.active().map(|(_, message)| (message.clone(), mapper.awaits_compaction()))
        };
        let Some((message, awaited)) = active else {
            self.unread = None;
            self.inner.mapper().caught_up();
            return true;
        };
        let deadline = self.closing_deadline();
        let from =
            if awaited { Beginning::Compaction(&message) } else { Beginning::Message(&message) };
        let reading = reading::read(&self.inner, from);
        let read = match deadline {
            Some(deadline) => {
                timeout_at(deadline, reading).await.unwrap_or(Err(Error::Timeout(CLOSING)))
            }
            None => reading.await,
        };
        let error = match read {
            Ok(mut snapshot) => {
                snapshot.quiet = self.heard.elapsed() > QUIET;
                if let Some(path) = Mapper::plan_in(&snapshot) {
                    let text = reading::plan(&self.inner, &path).await;
                    self.inner.mapper().set_plan(path, text);
                }
                self.unread = None;
                let mapped = self.inner.mapper().merge(&snapshot);
                if let Some(log) = &self.inner.log {
                    log.read(&mapped);
                }
                return self.act(mapped).await;
            }
            Err(error) => error,
        };
        tracing::warn!(session = %self.inner.id, %error, "the session could not be read");
        let now = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            let (events, goes_on) = {
                let mut mapper = self.inner.mapper();
                (mapper.end_unread(), mapper.active().is_some())
            };
            // Of the message that waited for it the beginning may have been missed.
            self.retry = goes_on.then(|| now + RETRY);
            return self.tell(events).await;
        }
        let unread = self.unread.get_or_insert(Unread { since: now, tries: 0 });
        let Some(again) = unread.again(now, self.heard) else {
            return self.unreadable(&error).await;
        };
        self.retry = Some(deadline.map_or(again, |deadline| again.min(deadline)));
        !self.out.is_closed()
    }

    /// Ends a turn of which nothing can be known any more, and stops what may run of it.
    async fn unreadable(&mut self, error: &Error) -> bool {
        self.unread = None;
        let Some(turn) = self.inner.mapper().active().map(|(turn, _)| turn.clone()) else {
            return true;
        };
        let events = self.inner.mapper().fail(unreadable(error));
        self.inner.note_stop(&turn);
        let inner = self.inner.clone();
        tokio::spawn(async move { inner.quiet(&turn).await });
        self.tell(events).await
    }

    /// When the running turn ends whether or not it can be read, if Kilo has closed it.
    fn closing_deadline(&mut self) -> Option<Instant> {
        let Some(turn) = self.inner.mapper().closing().cloned() else {
            self.closing = None;
            return None;
        };
        let known = self.closing.as_ref().filter(|(of, _)| *of == turn).map(|(_, at)| *at);
        let deadline = known.unwrap_or_else(|| Instant::now() + CLOSING);
        self.closing = Some((turn, deadline));
        Some(deadline)
    }

    /// Ends a compaction that was refused before it began, and reads the end of any other that
    /// has not been told.
    async fn compacted(&mut self, turn: &TurnId, result: Result<(), Error>) -> bool {
        match result {
            Err(error) if !error.outcome_unknown() => {
                tracing::warn!(session = %self.inner.id, %error, "Kilo did not compact");
                let events = self.inner.mapper().refuse_for(turn, &error);
                if events.is_empty() { self.resync().await } else { self.tell(events).await }
            }
            Ok(()) | Err(_) => self.resync().await,
        }
    }

    /// Ends a command that was refused before it had a message. What has one goes by what is told
    /// of it, and is read in case that was missed.
    async fn called(&mut self, turn: &TurnId, result: Result<(), Error>) -> bool {
        let error = match result {
            Err(error) if self.inner.mapper().is_untaken(turn) => error,
            Ok(()) | Err(_) => {
                let runs = self.inner.mapper().active().is_some_and(|(active, _)| active == turn);
                return if runs { self.resync().await } else { !self.out.is_closed() };
            }
        };
        tracing::warn!(session = %self.inner.id, %error, "Kilo did not run a command");
        let cut = matches!(error, Error::Broken(_) | Error::Timeout(_));
        if cut {
            self.inner.lose_call(turn);
        }
        // The reason is told on the event stream, which may be behind the answer; and when it was
        // the server's end, that is told in a moment.
        let said = !matches!(error, Error::Server(_)) || self.inner.mapper().has_reason(turn);
        if cut || !said && !self.inner.was_stopped(turn) {
            self.refusal = Some((Instant::now() + REFUSAL, turn.clone()));
            return !self.out.is_closed();
        }
        let events = self.inner.mapper().refuse_for(turn, &error);
        self.tell(events).await
    }

    async fn look_up(&mut self, turn: TurnId, key: Key) -> Result<Sighting, SendError> {
        let kind = key.kind();
        let was_called = matches!(key, Key::Command(_));
        let message = match key {
            Key::Message(message) | Key::Command(message) => message,
            Key::Compaction(older) => {
                let found = reading::compaction(&self.inner.instance, &self.inner.id, &older);
                match found.await.map_err(|e| super::send_error(&e))? {
                    Some(found) => found,
                    None => return Ok(Sighting::Absent),
                }
            }
        };
        if let Some(log) = &self.inner.log {
            log.prompt(&turn, &message, kind, None);
        }
        self.inner.mapper().begin(turn, message.clone(), kind, None);
        // One request says whether it is there, however much came after it.
        let present = reading::is_present(&self.inner.instance, &self.inner.id, &message).await;
        if !present.map_err(|e| super::send_error(&e))? {
            if was_called {
                // What it did is in no session: it is not run again.
                let events = self.inner.mapper().fail(commands::unseen());
                self.tell(events).await;
                return Ok(Sighting::Present);
            }
            return Ok(Sighting::Absent);
        }
        // What cannot be read now is read again in a while.
        self.resync().await;
        Ok(Sighting::Present)
    }
}

/// A session that cannot be read.
struct Unread {
    since: Instant,
    tries: u32,
}

impl Unread {
    /// When to read again; `None` when there is no use in it any more. What is `heard` of goes on,
    /// whether or not it can be read.
    fn again(&mut self, now: Instant, heard: Instant) -> Option<Instant> {
        let pause = RETRY.saturating_mul(1 << self.tries.min(16)).min(MAX_RETRY);
        self.tries += 1;
        (now - self.since.max(heard) < UNREADABLE).then(|| now + pause)
    }
}

fn unreadable(error: &Error) -> TurnError {
    TurnError {
        code: ErrorCode::AgentUnavailable,
        message: format!("Kilo no longer says what became of the turn: {error}"),
        hint: Some("send the message again; if it happens again, start Kilo anew".to_owned()),
        retryable: true,
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries to read without success until it is given up; the pauses, and how long it took.
    fn tries(heard_for: Duration) -> (Vec<u64>, Duration) {
        let start = Instant::now();
        let (mut now, mut unread) = (start, Unread { since: start, tries: 0 });
        let mut pauses = Vec::new();
        while let Some(again) = unread.again(now, now.min(start + heard_for)) {
            pauses.push((again - now).as_secs());
            now = again;
        }
        (pauses, now - start)
    }

    #[test]
    fn what_cannot_be_read_is_read_ever_more_seldom_and_given_up_once_it_is_silent() {
        let (pauses, took) = tries(Duration::ZERO);
        assert_eq!(pauses, [2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(took, UNREADABLE);
        let hour = Duration::from_secs(3600);
        let (_, took) = tries(hour);
        assert!(took >= hour + UNREADABLE, "what is heard of goes on: {took:?}");
    }
}
