//! What is done before a message is handed over: what runs is stopped, and what a person put away is
//! taken back.

use std::time::Duration;

use codex_sdk::Error;
use codex_sdk::types::TurnStatus;
use domain::ErrorCode;
use serde_json::json;

use super::{Inner, reading};
use crate::SendError;
use crate::codex::errors::send_error;
use crate::codex::mapper::Run;

/// How long a turn of Codex may take to begin once it was answered, and to end once it was
/// interrupted: 10 ms are usual.
const QUIET: Duration = Duration::from_secs(5);

impl Inner {
    /// Stops whatever runs in the session, sub-agents and what they left running included.
    ///
    /// # Errors
    /// When something may still run: a message that is sent now would steer it.
    pub(super) async fn quiet(&self) -> Result<(), SendError> {
        let children = self.mapper().working_children();
        for (thread, turn) in children {
            // One that has ended meanwhile is refused.
            let params = json!({ "threadId": thread, "turnId": turn });
            let _ = self.client.ask("turn/interrupt", params).await;
            self.clean(&thread).await;
        }
        let running = self.running.borrow().clone();
        let Some(Run { native, .. }) = running else { return Ok(()) };
        self.stop_turn(&native).await?;
        // A command outlives the interrupt of its turn (0.169.0).
        self.clean(&self.id).await;
        Ok(())
    }

    /// Stops a turn that nobody wants, if it runs.
    pub(super) async fn stop_stray(&self, native: &str) -> Result<(), SendError> {
        let runs = self.running.borrow().as_ref().is_some_and(|run| run.native == native);
        let (wanted, alone) = {
            let mapper = self.mapper();
            (mapper.is_current(native), mapper.active().is_none())
        };
        if !runs || wanted {
            return Ok(());
        }
        if alone { self.quiet().await } else { self.stop_turn(native).await }
    }

    async fn stop_turn(&self, native: &str) -> Result<(), SendError> {
        let mut running = self.running.subscribe();
        let is = |run: &Option<Run>| run.as_ref().is_some_and(|run| run.native == native);
        // Before it has begun Codex takes no stop of it.
        let begun = running.wait_for(|run| !is(run) || run.as_ref().is_some_and(|run| run.told));
        let _ = tokio::time::timeout(QUIET, begun).await;
        let params = json!({ "threadId": self.id, "turnId": native });
        let refused = match self.client.ask("turn/interrupt", params).await {
            Ok(_) => false,
            // It has ended meanwhile.
            Err(Error::Refused(_)) => true,
            Err(error) => return Err(send_error(&error)),
        };
        let over = running.wait_for(|run| !is(run));
        if tokio::time::timeout(QUIET, over).await.is_ok() {
            return Ok(());
        }
        // Its end may have been missed: the session says it.
        let read = reading::turn(&self.client, &self.id, native).await;
        let ended = match read.map_err(|error| send_error(&error))? {
            Some(turn) => match turn.status {
                TurnStatus::Completed | TurnStatus::Interrupted | TurnStatus::Failed => true,
                TurnStatus::InProgress | TurnStatus::Unknown => false,
            },
            None => refused,
        };
        if !ended {
            return Err(SendError {
                code: ErrorCode::AgentUnavailable,
                message: "Codex did not stop the turn before; the message was not sent".to_owned(),
            });
        }
        self.mapper().over(native);
        self.note_running();
        Ok(())
    }

    /// Goes back to before a turn, if a person wanted that before this message.
    pub(super) async fn go_back(&self) -> Result<(), SendError> {
        let Some(turn) = self.waiting.get(&self.id) else { return Ok(()) };
        let params = json!({ "threadId": self.id, "beforeTurnId": turn });
        let went = match self.client.ask("thread/revert", params).await {
            // It may have gone back already, when the answer to that was lost.
            Err(Error::Refused(error)) => {
                match reading::is_there(&self.client, &self.id, &turn).await {
                    Ok(true) => Err(Error::Refused(error)),
                    Ok(false) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            went => went.map(|_| ()),
        };
        went.map_err(|error| SendError {
            message: format!("Codex did not go back: {error}"),
            ..send_error(&error)
        })?;
        self.waiting.done(&self.id);
        Ok(())
    }
}
