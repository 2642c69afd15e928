//! The session's title: a few words that the agent has its model make of the first message.
//!
//! For a new session it does so by itself with the first message, and writes the title into the
//! transcript without telling it (2.1.197). Asked for it before the message it does the same once, and
//! tells it. It is asked beside the turn, which neither waits for it nor ends later.

use std::sync::Arc;
use std::time::Duration;

use claude_sdk::Claude;
use domain::{AgentEvent, InputKind};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::task::State;
use crate::Prompt;
use crate::shared::shorten::line;

/// How long the title may take; one that takes longer is done without.
const MADE: Duration = Duration::from_secs(60);
/// How often it is asked for in a session.
const MAX_TRIES: u8 = 3;
/// Characters of a message: of fewer the agent makes no title (2.1.197).
const MIN_CHARS: usize = 10;
/// Characters of a message that a title is made of.
const MAX_CHARS: usize = 4_000;

/// The title that a session has yet to get.
pub(super) struct Titles {
    /// How often it may still be asked for; none once there is one.
    tries: u8,
    /// The request for it that is under way: one at a time.
    pub(super) asked: JoinSet<Option<String>>,
}

impl Titles {
    /// Of a session that is new, or that has its title, or goes without.
    pub(super) fn new(new: bool) -> Self {
        Self { tries: if new { MAX_TRIES } else { 0 }, asked: JoinSet::new() }
    }

    /// Asks for a title of the message that is given next.
    pub(super) fn ask(&mut self, claude: &Arc<Claude>, prompt: &Prompt) {
        let text = prompt.text.trim();
        let says_something = prompt.kind == InputKind::Message
            && !text.starts_with('/')
            && text.chars().nth(MIN_CHARS - 1).is_some();
        if self.tries == 0 || !self.asked.is_empty() || !says_something {
            return;
        }
        let text: String = text.chars().take(MAX_CHARS).collect();
        let request =
            json!({ "subtype": "generate_session_title", "description": text, "persist": true });
        // On its way before the message is: otherwise the agent makes one by itself, too.
        let Ok(request) = claude.request(&request) else { return };
        self.tries -= 1;
        self.asked.spawn(async move {
            let answer = request.answer(MADE).await;
            let answer = answer.inspect_err(|error| tracing::debug!(%error, "there is no title"));
            let title = answer.ok()?.get("title").and_then(Value::as_str).map(line)?;
            Some(title).filter(|title| !title.is_empty())
        });
    }
}

impl State {
    /// Tells a title that was made; false when nobody reads any more.
    pub(super) async fn titled(&mut self, title: Option<String>) -> bool {
        let Some(title) = title else { return true };
        self.titles.tries = 0;
        self.task.out.send(AgentEvent::Title(title)).await.is_ok()
    }
}
