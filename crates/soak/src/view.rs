//! What a client has of a thread: a snapshot and the changes since.

use std::collections::BTreeMap;

use domain::{Body, Change, Item, ItemId, Request, RequestId, Thread, Turn, TurnId, Window};
use protocol::Cursor;

/// A thread as a client has it.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) cursor: Cursor,
    pub(crate) thread: Thread,
    pub(crate) turns: BTreeMap<TurnId, Turn>,
    pub(crate) items: BTreeMap<ItemId, Item>,
    pub(crate) requests: BTreeMap<RequestId, Request>,
}

impl View {
    /// Takes a snapshot in place of what was known, but for what is older than the snapshot: pages
    /// keep the older turns they have loaded.
    pub(crate) fn new(cursor: Cursor, window: Window) -> Self {
        Self {
            cursor,
            thread: window.thread,
            turns: window.turns.into_iter().map(|turn| (turn.id.clone(), turn)).collect(),
            items: window.items.into_iter().map(|item| (item.id.clone(), item)).collect(),
            requests: window.requests.into_iter().map(|r| (r.id.clone(), r)).collect(),
        }
    }

    /// Applies changes; says what does not fit.
    pub(crate) fn apply(&mut self, cursor: Cursor, changes: Vec<Change>) -> Result<(), String> {
        for change in changes {
            match change {
                Change::Thread { thread } => self.thread = thread,
                Change::Turn { turn } => self.turn(turn)?,
                Change::Item { item } => {
                    self.items.insert(item.id.clone(), item);
                }
                Change::ItemRemoved { id } => {
                    self.items.remove(&id);
                }
                Change::Text { item, at, text } => {
                    if let Some(item) = self.items.get_mut(&item) {
                        extend(&mut item.body, at, &text)?;
                    }
                }
                Change::Request { request } => {
                    if request.state.is_open() {
                        self.requests.insert(request.id.clone(), request);
                    } else {
                        self.requests.remove(&request.id);
                    }
                }
                Change::ItemBody { .. } | Change::TurnText { .. } => {
                    return Err("what is for the store alone was sent".to_owned());
                }
            }
        }
        self.cursor = cursor;
        Ok(())
    }

    fn turn(&mut self, turn: Turn) -> Result<(), String> {
        if let Some(known) = self.turns.get(&turn.id)
            && known.state != turn.state
            && !known.state.may_become(turn.state)
        {
            return Err(format!("{}: {:?} became {:?}", turn.id, known.state, turn.state));
        }
        self.turns.insert(turn.id.clone(), turn);
        Ok(())
    }

    /// What differs from a window of the server that was read while nothing went on.
    pub(crate) fn differs(&self, window: &Window) -> Option<String> {
        let plain = |thread: &Thread| serde_json::json!(thread);
        if plain(&self.thread) != plain(&window.thread) {
            return Some(format!("the row: {:?} instead of {:?}", self.thread, window.thread));
        }
        for turn in &window.turns {
            if self.turns.get(&turn.id) != Some(turn) {
                return Some(format!("{:?} instead of {turn:?}", self.turns.get(&turn.id)));
            }
        }
        for item in &window.items {
            let Some(known) = self.items.get(&item.id) else {
                return Some(format!("nothing instead of {item:?}"));
            };
            let whole = !known.body.is_shortened() && !item.body.is_shortened();
            let bodies = known.body.len() == item.body.len()
                && (!whole || known.body.head == item.body.head);
            let bare = |item: &Item| Item { body: Body::default(), ..item.clone() };
            if !bodies || bare(known) != bare(item) {
                return Some(format!("{known:?} instead of {item:?}"));
            }
        }
        let open: Vec<&RequestId> = window.requests.iter().map(|request| &request.id).collect();
        let known: Vec<&RequestId> = self.requests.keys().collect();
        let same = open.len() == known.len() && open.iter().all(|id| known.contains(id));
        (!same).then(|| format!("requests {known:?} instead of {open:?}"))
    }
}

/// Puts a piece at its position: what is known is skipped, and a hole is wrong, since the server
/// sends none.
fn extend(body: &mut Body, at: u64, piece: &str) -> Result<(), String> {
    let len = body.len();
    let Some(known) = len.checked_sub(at) else {
        return Err(format!("a piece at {at} of a text of {len}"));
    };
    let mut units = 0_u64;
    let fresh = piece.char_indices().find(|(_, c)| {
        let here = units >= known;
        units += u64::try_from(c.len_utf16()).unwrap_or(1);
        here
    });
    let fresh = fresh.map_or("", |(from, _)| piece.get(from..).unwrap_or_default());
    let end = if body.is_shortened() { &mut body.tail } else { &mut body.head };
    end.push_str(fresh);
    Ok(())
}
