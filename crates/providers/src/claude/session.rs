//! One Claude Code session behind a thread: its face to the engine. What is done is done by its
//! task, one thing after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{Access, Answer, InputKind, Mode, Request, TurnId};
use tokio::sync::{mpsc, oneshot};

use super::errors;
use crate::{AnswerError, Prompt, SendError, Session, Sighting};

mod answers;
mod ending;
mod interrupts;
mod process;
mod task;
#[cfg(test)]
mod tests;
mod titles;
mod wire;

pub(super) use task::{Task, run};
pub(super) use wire::{COMPACTION, given_at, uuid};

/// Wishes that may wait for a session's task.
pub(super) const MAX_CONTROL: usize = 64;
/// What is shared between a session's face and its task.
pub(super) struct Inner {
    /// The newest id of it.
    id: Mutex<String>,
    /// What the thread wants to be in force.
    wish: Mutex<(Access, Mode)>,
    /// The last line of the transcript that counts, until a message made another the last.
    back: Mutex<Option<String>>,
}

impl Inner {
    pub(super) fn new(id: String, access: Access) -> Self {
        Self { id: Mutex::new(id), wish: Mutex::new((access, Mode::Build)), back: Mutex::default() }
    }

    fn wish(&self) -> MutexGuard<'_, (Access, Mode)> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn back(&self) -> MutexGuard<'_, Option<String>> {
        self.back.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self) -> MutexGuard<'_, String> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something to be done for a session.
pub(super) enum Control {
    Send {
        prompt: Box<Prompt>,
        reply: oneshot::Sender<Result<(), SendError>>,
    },
    Interrupt {
        turn: TurnId,
        reply: oneshot::Sender<Result<(), SendError>>,
    },
    Abandon {
        turn: TurnId,
    },
    Answer {
        key: String,
        answer: Answer,
        reply: oneshot::Sender<Result<(), AnswerError>>,
    },
    ApplyAccess {
        reply: oneshot::Sender<()>,
    },
    LookUp {
        turn: TurnId,
        key: String,
        reply: oneshot::Sender<Result<Sighting, SendError>>,
    },
    /// Takes the conversation back to this line of the transcript; `None` undoes that.
    TakeBack {
        until: Option<String>,
        reply: oneshot::Sender<Result<(), SendError>>,
    },
    /// Names the conversation, if its process runs; says whether it does.
    Rename {
        title: String,
        reply: oneshot::Sender<bool>,
    },
    /// Ends its process: always, or only while it does nothing.
    Rest {
        end: crate::shared::ends::End,
        force: bool,
        reply: oneshot::Sender<()>,
    },
    Close {
        reply: oneshot::Sender<()>,
    },
}

/// A session's face to the engine.
pub(super) struct ClaudeSession {
    pub(super) inner: Arc<Inner>,
    pub(super) control: mpsc::Sender<Control>,
}

impl ClaudeSession {
    async fn ask<T>(&self, wish: impl FnOnce(oneshot::Sender<T>) -> Control) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.control.send(wish(reply)).await.ok()?;
        answer.await.ok()
    }
}

#[async_trait]
impl Session for ClaudeSession {
    fn id(&self) -> String {
        self.inner.id().clone()
    }

    fn prompt_key(&self, kind: InputKind) -> String {
        // Without randomness nothing starts, and there is no name that could be twice.
        let uuid = claude_sdk::random_uuid().unwrap_or_default();
        let back = self.inner.back().clone();
        wire::key(kind, crate::shared::now(), back.as_deref(), &uuid)
    }

    async fn send(&self, prompt: Prompt) -> Result<(), SendError> {
        let prompt = Box::new(prompt);
        let sent = self.ask(|reply| Control::Send { prompt, reply }).await;
        sent.unwrap_or_else(|| Err(errors::closed()))
    }

    async fn look_up(&self, turn: &TurnId, prompt_key: &str) -> Result<Sighting, SendError> {
        let (turn, key) = (turn.clone(), prompt_key.to_owned());
        let found = self.ask(|reply| Control::LookUp { turn, key, reply }).await;
        found.unwrap_or_else(|| Err(errors::closed()))
    }

    async fn resync(&self) {
        // All that the agent tells comes in order and over one pipe: there is nothing to read.
    }

    async fn interrupt(&self, turn: &TurnId) -> Result<(), SendError> {
        let turn = turn.clone();
        // A session that is closed runs nothing.
        self.ask(|reply| Control::Interrupt { turn, reply }).await.unwrap_or(Ok(()))
    }

    fn abandon(&self, turn: &TurnId) {
        let wish = Control::Abandon { turn: turn.clone() };
        if let Err(mpsc::error::TrySendError::Full(wish)) = self.control.try_send(wish) {
            let control = self.control.clone();
            tokio::spawn(async move {
                let _ = control.send(wish).await;
            });
        }
    }

    async fn answer(&self, request: &Request, answer: &Answer) -> Result<(), AnswerError> {
        let (key, answer) = (request.key.clone(), answer.clone());
        let given = self.ask(|reply| Control::Answer { key, answer, reply }).await;
        given.unwrap_or(Err(AnswerError::Gone))
    }

    fn want(&self, access: Access, mode: Mode) {
        *self.inner.wish() = (access, mode);
    }

    async fn apply_access(&self) -> Result<(), SendError> {
        // A session that is closed has nothing that could go by it.
        let _ = self.ask(|reply| Control::ApplyAccess { reply }).await;
        Ok(())
    }

    async fn close(&self) {
        let _ = self.ask(|reply| Control::Close { reply }).await;
    }
}
