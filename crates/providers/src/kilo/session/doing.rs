//! Whether a session is in use: by a turn that runs, or by a message on its way to being one.
//!
//! Whoever ends or renews what sessions live on goes by this. A message counts from the first look
//! before it is handed over; a session that was closed takes none.

use std::sync::{MutexGuard, PoisonError};

use domain::ErrorCode;
use tokio::sync::MutexGuard as AsyncMutexGuard;

use super::{Gate, Inner};
use crate::SendError;

/// What a session is used for besides its turn.
#[derive(Default)]
pub(super) struct Doing {
    /// Messages that are being handed over.
    sending: u32,
    /// Its task has ended, or is about to.
    closed: bool,
}

/// A message on its way; it counts until this is dropped.
#[must_use]
pub(super) struct Sending<'a>(&'a Inner);

/// While this is kept, no message is handed over.
#[must_use]
pub(in crate::kilo) struct Held<'a> {
    _gate: AsyncMutexGuard<'a, Gate>,
}

impl Inner {
    /// Whether a turn runs in it, or a message is being handed over.
    pub(in crate::kilo) fn is_running(&self) -> bool {
        let doing = self.doing();
        doing.sending > 0 || self.mapper().active().is_some()
    }

    /// Begins to hand a message over.
    pub(super) fn sending(&self) -> Result<Sending<'_>, SendError> {
        let mut doing = self.doing();
        if doing.closed {
            return Err(closed());
        }
        doing.sending += 1;
        Ok(Sending(self))
    }

    /// Fails when nobody would hear what comes of a message.
    pub(super) fn still_open(&self) -> Result<(), SendError> {
        if self.doing().closed { Err(closed()) } else { Ok(()) }
    }

    /// Closes it to messages, unless it is in use; says whether it is closed.
    pub(in crate::kilo) fn close_unused(&self) -> bool {
        let mut doing = self.doing();
        doing.closed |= doing.sending == 0 && self.mapper().active().is_none();
        doing.closed
    }

    /// Closes it to messages.
    pub(super) fn close(&self) {
        self.doing().closed = true;
    }

    /// Keeps messages back for as long as the answer lives, unless it is in use.
    pub(in crate::kilo) fn hold(&self) -> Option<Held<'_>> {
        let gate = self.gate.try_lock().ok()?;
        (!self.is_running()).then_some(Held { _gate: gate })
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        let mut doing = self.0.doing();
        doing.sending = doing.sending.saturating_sub(1);
    }
}

fn closed() -> SendError {
    SendError {
        code: ErrorCode::AgentDied,
        message: "the session was closed before it had the message".to_owned(),
    }
}
