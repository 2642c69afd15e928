//! Reading a session as it is now.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kilo_sdk::types::MessageWithParts;
use kilo_sdk::{Error, Instance, MessageId, SessionId};

use super::super::mapper::Snapshot;
use super::Inner;

/// Messages read at once.
const PAGE: u32 = 50;
/// Pages read back to the turn's message; a turn with more steps keeps what was told of them.
const MAX_PAGES: u32 = 20;
/// Sub-agents whose messages are read, the newest first.
const MAX_CHILDREN: usize = 20;
/// How old a message without an answer is when Kilo, idle, will certainly not answer it.
const TAKEN_UP: Duration = Duration::from_secs(10);

/// Reads what belongs to the turn of `message`: messages, sub-agents, state, and what is asked.
///
/// The state is read before the messages: a turn that ends in between shows as busy and is read
/// again later, rather than as ended without its last words.
pub(super) async fn read(inner: &Inner, message: &MessageId) -> Result<Snapshot, Error> {
    let instance = &inner.instance;
    let status = instance.statuses().await?.remove(&inner.id);
    let messages = since(instance, &inner.id, message).await?;
    let mut children = Vec::new();
    let mut sessions = instance.children(&inner.id).await?;
    sessions.sort_by(|a, b| b.time.created.total_cmp(&a.time.created));
    let began = message.time_ms(now_ms());
    for child in sessions.into_iter().take(MAX_CHILDREN) {
        if began.is_none_or(|began| child.time.created >= as_number(began)) {
            // Its start may have been missed; what it does from now on is for this session.
            inner.router.adopt(&child.id, &inner.id);
            let page = instance.messages(&child.id, PAGE, None).await?;
            children.push((child, page.messages));
        }
    }
    let age = began.map(|began| now_ms().saturating_sub(began));
    Ok(Snapshot {
        messages,
        children,
        status,
        permissions: instance.permissions().await?,
        questions: instance.questions().await?,
        waits: instance.network_waits().await?,
        settled: age.is_some_and(|age| u128::from(age) > TAKEN_UP.as_millis()),
    })
}

async fn since(
    instance: &Instance,
    session: &SessionId,
    message: &MessageId,
) -> Result<Vec<MessageWithParts>, Error> {
    let mut messages: Vec<MessageWithParts> = Vec::new();
    let mut before: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let page = instance.messages(session, PAGE, before.as_deref()).await?;
        let reached = page.messages.first().is_none_or(|m| m.info.id() <= *message);
        messages.splice(0..0, page.messages);
        before = page.older;
        if reached || before.is_none() {
            break;
        }
    }
    messages.retain(|m| m.info.id() >= *message);
    Ok(messages)
}

/// The text of a plan file, or nothing when it cannot be read. Kilo confines the path to the
/// session's directory.
pub(super) async fn plan(inner: &Inner, path: &str) -> Option<String> {
    let file = inner.instance.file_content(path).await.ok()?;
    (file.kind == "text" && !file.content.is_empty()).then_some(file.content)
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
fn as_number(ms: u64) -> f64 {
    ms as f64
}
