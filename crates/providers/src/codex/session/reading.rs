//! Reading a session: a turn by its id, or by our name of its message.

use codex_sdk::types::{Event, EventBody, Item, ItemBody, Page, Turn, TurnStatus};
use codex_sdk::{Client, Error};
use domain::Timestamp;
use serde_json::json;

use super::COMPACTION;
use crate::codex::mapper::past::TURN;

/// Turns that are read at once.
const PAGE: u32 = 20;
/// Pages in which a message is looked for; it is among the newest.
const MAX_PAGES: u32 = 10;
/// Pages in which a turn is looked for that may be any.
const MAX_PAGES_OF_ALL: u32 = 100;

/// Reads a page of turns, the newest first.
pub(in crate::codex) async fn page(
    client: &Client,
    thread: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Turn>, Error> {
    let params = json!({
        "threadId": thread,
        "itemsView": "full",
        "sortDirection": "desc",
        "limit": limit,
        "cursor": cursor,
    });
    client.request("thread/turns/list", params).await
}

/// Reads one of the newest turns.
pub(super) async fn turn(client: &Client, thread: &str, id: &str) -> Result<Option<Turn>, Error> {
    search(client, thread, |turn| turn.id == id).await
}

/// Whether a session has a turn; of one too long to be read to its beginning it is said that it has.
pub(super) async fn is_there(client: &Client, thread: &str, id: &str) -> Result<bool, Error> {
    let mut cursor = None;
    for _ in 0..MAX_PAGES_OF_ALL {
        let read = page(client, thread, cursor.as_deref(), PAGE).await;
        let Page { data, next_cursor } = match read {
            // Nothing of it is stored.
            Err(Error::Refused(_)) if cursor.is_none() => return Ok(false),
            read => read?,
        };
        if data.iter().any(|turn| turn.id == id) {
            return Ok(true);
        }
        match next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Finds the turn of a message.
pub(in crate::codex) async fn find(
    client: &Client,
    thread: &str,
    key: &str,
) -> Result<Option<Turn>, Error> {
    if let Some(at) = key.strip_prefix(COMPACTION) {
        return search(client, thread, |turn| is_compaction_after(turn, at)).await;
    }
    if let Some(id) = key.strip_prefix(TURN) {
        return turn(client, thread, id).await;
    }
    search(client, thread, |turn| turn.items.iter().any(|item| is_message(item, key))).await
}

async fn search(
    client: &Client,
    thread: &str,
    wanted: impl Fn(&Turn) -> bool,
) -> Result<Option<Turn>, Error> {
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let read = page(client, thread, cursor.as_deref(), PAGE).await;
        let Page { data, next_cursor } = match read {
            // Nothing of a thread is stored before its first turn (0.169.0).
            Err(Error::Refused(_)) if cursor.is_none() => return Ok(None),
            read => read?,
        };
        if let Some(found) = data.into_iter().find(|turn| wanted(turn)) {
            return Ok(Some(found));
        }
        match next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(None),
        }
    }
    Ok(None)
}

fn is_message(item: &Item, key: &str) -> bool {
    matches!(&item.body, ItemBody::UserMessage { client_id: Some(id), .. } if id == key)
}

/// Whether a turn is a compaction that began after it was named: its name tells the time.
fn is_compaction_after(turn: &Turn, name: &str) -> bool {
    let compacts = turn.items.iter().any(|item| item.body == ItemBody::Compaction);
    let began = turn.started_at.unwrap_or_default() * 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "times are far from the bounds")]
    let began = began as Timestamp;
    // Codex tells whole seconds.
    compacts && named_at(name).is_some_and(|named| began + 1000 > named)
}

/// When a name of ours was made.
pub(in crate::codex) fn named_at(name: &str) -> Option<Timestamp> {
    let (seconds, nanos) = uuid::Uuid::parse_str(name).ok()?.get_timestamp()?.to_unix();
    Timestamp::try_from(seconds * 1000 + u64::from(nanos / 1_000_000)).ok()
}

/// What items that were read tell, as if they happened now.
pub(in crate::codex) fn items(thread: &str, turn: &str, items: Vec<Item>) -> Vec<Event> {
    let event = |item| Event {
        thread: Some(thread.to_owned()),
        turn: Some(turn.to_owned()),
        body: EventBody::ItemCompleted(item),
    };
    items.into_iter().map(event).collect()
}

/// What a turn that was read tells, as if it happened now.
pub(super) fn events(thread: &str, mut turn: Turn) -> Vec<Event> {
    let items = std::mem::take(&mut turn.items);
    let event = |body| Event { thread: Some(thread.to_owned()), turn: Some(turn.id.clone()), body };
    let mut events = vec![event(EventBody::TurnStarted(turn.clone()))];
    events.extend(items.into_iter().map(|item| event(EventBody::ItemCompleted(item))));
    let over = match turn.status {
        TurnStatus::Completed | TurnStatus::Interrupted | TurnStatus::Failed => true,
        TurnStatus::InProgress | TurnStatus::Unknown => false,
    };
    if over {
        events.push(event(EventBody::TurnCompleted(turn.clone())));
    }
    events
}
