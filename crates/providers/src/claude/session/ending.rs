//! How a session's process ends.

use std::sync::Arc;

use claude_sdk::Claude;
use domain::TurnOutcome;
use serde_json::json;

use super::super::mapper::{self, Mapped};
use super::task::{GRACE, KNOWN, STOP, State};
use crate::SendError;
use crate::shared::ends::End;

impl State {
    /// Takes that the process has ended by itself.
    pub(super) async fn process_ended(&mut self) -> bool {
        let Some(running) = self.running.take() else { return true };
        let mut exit = running.claude.exit();
        let exit = tokio::time::timeout(KNOWN, exit.wait()).await.ok().flatten();
        if exit.is_none() {
            // It closed its output and stays.
            self.end(running.claude, "it no longer says anything");
        }
        let failed = exit.as_ref().is_none_or(|exit| !exit.status.success());
        let said = exit.map(|exit| exit.stderr).unwrap_or_default();
        let working = self.task.mapper.turn().is_some();
        if failed && working {
            self.failures.note(said.last().map_or("it ended while it worked", String::as_str));
        }
        self.stop_at = None;
        let mapped = self.task.mapper.lost(mapper::died(&said));
        self.settle(mapped).await
    }

    /// Ends the process on purpose, and with it the turn that runs.
    pub(super) async fn end_process(&mut self, end: End) {
        let who = super::super::NAME;
        if let Some(sending) = self.sending.take() {
            let domain::TurnError { code, message, .. } = end.error(who);
            let _ = sending.reply.send(Err(SendError { code, message }));
        }
        if let Some(running) = &self.running
            && self.task.mapper.turn().is_some()
        {
            let interrupt = json!({ "subtype": "interrupt" });
            let _ = running.claude.control(interrupt, STOP).await;
        }
        self.end_running("it is to end");
        let mut mapped = Mapped::default();
        if self.task.mapper.turn().is_some() {
            let outcome = TurnOutcome::Failed(end.error(who));
            self.task.mapper.end(outcome, &mut mapped);
        }
        let _ = self.settle(mapped).await;
        self.ended().await;
    }

    /// Ends the process that runs, in the background.
    pub(super) fn end_running(&mut self, reason: &'static str) {
        if let Some(running) = self.running.take() {
            // What it still tells is nobody's.
            drop(running.frames);
            self.end(running.claude, reason);
        }
    }

    fn end(&mut self, claude: Arc<Claude>, reason: &'static str) {
        self.ending.spawn(async move {
            claude.stop(reason, GRACE).await;
        });
    }

    /// Waits for processes that are being ended.
    pub(super) async fn ended(&mut self) {
        self.ending.wait().await;
    }
}
