//! Interrupts on their way: one that is late must not hit the next turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use claude_sdk::Claude;
use domain::ErrorCode;
use serde_json::json;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use super::task::STOP;
use crate::SendError;

/// The interrupts of a process that it has not answered. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Interrupts {
    under_way: TaskTracker,
    /// One was never answered: it may be done at any time.
    unanswered: Arc<AtomicBool>,
}

impl Interrupts {
    pub(super) fn new() -> Self {
        let under_way = TaskTracker::new();
        // It is only waited for until nothing is in it.
        under_way.close();
        Self { under_way, unanswered: Arc::default() }
    }

    /// Tells the agent to end what it does; what comes of that, once it has answered.
    pub(super) fn tell(&self, claude: Arc<Claude>) -> oneshot::Receiver<Result<(), SendError>> {
        let (reply, answer) = oneshot::channel();
        let unanswered = self.unanswered.clone();
        self.under_way.spawn(async move {
            let told = claude.control(json!({ "subtype": "interrupt" }), STOP).await;
            if told.is_err() {
                unanswered.store(true, Ordering::SeqCst);
            }
            let _ = reply.send(told.map(|_| ()).map_err(|error| SendError {
                code: ErrorCode::AgentUnavailable,
                message: error.to_string(),
            }));
        });
        answer
    }

    /// Waits until none is under way; whether all were answered, so that none can come later.
    pub(super) async fn are_over(&self) -> bool {
        self.under_way.wait().await;
        !self.unanswered.load(Ordering::SeqCst)
    }
}
