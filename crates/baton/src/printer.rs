//! What `baton run` prints of a turn while it happens.

use std::collections::HashMap;
use std::io::{self, Write as _};

use domain::{
    Change, Item, ItemContent, ItemId, Request, RequestState, Thread, Turn, TurnId, Window,
};
use serde_json::json;

/// Prints one turn to standard output: the agent's text, or every change as JSON.
pub(crate) struct Printer {
    turn: TurnId,
    json: bool,
    /// The items of the turn that are printed as text, and how much of each was, in UTF-16 units.
    shown: HashMap<ItemId, u64>,
    /// The item whose text was printed last.
    last: Option<ItemId>,
    ends_with_newline: bool,
}

/// What a change means to whoever waits for the turn.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The turn as it is now.
    pub(crate) turn: Option<Turn>,
    /// Requests of the turn as they are now.
    pub(crate) requests: Vec<Request>,
    /// Items whose whole text has to be fetched to print what is missing.
    pub(crate) missing: Vec<ItemId>,
}

impl Printer {
    pub(crate) fn new(turn: TurnId, json: bool) -> Self {
        Self { turn, json, shown: HashMap::new(), last: None, ends_with_newline: true }
    }

    /// Prints what a snapshot has of the turn and was not printed yet.
    pub(crate) fn snapshot(&mut self, window: Window) -> io::Result<News> {
        let mut news = News::default();
        let Window { thread, turns, items, requests, .. } = window;
        let changes = turns
            .into_iter()
            .map(|turn| Change::Turn { turn })
            .chain(items.into_iter().map(|item| Change::Item { item }))
            .chain(requests.into_iter().map(|request| Change::Request { request }))
            .chain([Change::Thread { thread }]);
        for change in changes {
            self.change(change, &mut news)?;
        }
        io::stdout().flush()?;
        Ok(news)
    }

    /// Prints changes.
    pub(crate) fn changes(&mut self, changes: Vec<Change>) -> io::Result<News> {
        let mut news = News::default();
        for change in changes {
            self.change(change, &mut news)?;
        }
        io::stdout().flush()?;
        Ok(news)
    }

    /// Prints what is missing of an item whose whole text was fetched.
    pub(crate) fn whole(&mut self, item: &ItemId, text: &str) -> io::Result<()> {
        self.text(item, 0, text)?;
        io::stdout().flush()
    }

    /// Ends the line that was begun, before something else is said: no agent goes on with a sentence
    /// over what it asks.
    pub(crate) fn end_line(&mut self) -> io::Result<()> {
        if !self.json && !self.ends_with_newline {
            writeln!(io::stdout())?;
            self.ends_with_newline = true;
        }
        io::stdout().flush()
    }

    /// Prints how it ended.
    pub(crate) fn end(
        &mut self,
        state: &str,
        thread: &Thread,
        turn: Option<&Turn>,
        why: Option<&str>,
    ) -> io::Result<()> {
        if self.json {
            let mut end = json!({
                "type": "end",
                "state": state,
                "thread": thread.id,
                "turn": self.turn,
            });
            if let Some(turn) = turn {
                end["usage"] = json!(turn.usage);
                end["error"] = json!(turn.error);
            }
            if let Some(why) = why {
                end["reason"] = json!(why);
            }
            writeln!(io::stdout(), "{end}")?;
        }
        self.end_line()
    }

    fn change(&mut self, change: Change, news: &mut News) -> io::Result<()> {
        if !self.is_of_turn(&change) {
            return Ok(());
        }
        if self.json {
            writeln!(io::stdout(), "{}", json!(change))?;
        }
        match change {
            Change::Item { item } => self.item(&item, news)?,
            Change::Text { item, at, text } => {
                let shown = self.shown.get(&item).copied().unwrap_or_default();
                if at > shown && !self.json {
                    news.missing.push(item);
                } else {
                    self.text(&item, at, &text)?;
                }
            }
            Change::Turn { turn } => news.turn = Some(turn),
            Change::Request { request } => news.requests.push(request),
            Change::Thread { .. }
            | Change::ItemRemoved { .. }
            | Change::ItemBody { .. }
            | Change::TurnText { .. } => {}
        }
        Ok(())
    }

    fn is_of_turn(&mut self, change: &Change) -> bool {
        match change {
            Change::Thread { .. } => self.json,
            Change::Turn { turn } => turn.id == self.turn,
            Change::Request { request } => request.turn_id == self.turn,
            Change::Item { item } => {
                let ours = item.turn_id == self.turn;
                let prose = item.content == ItemContent::AgentMessage && item.parent.is_none();
                if ours && (prose || self.json) {
                    self.shown.entry(item.id.clone()).or_default();
                }
                ours
            }
            Change::Text { item, .. } => self.shown.contains_key(item),
            Change::ItemRemoved { id } => self.shown.contains_key(id),
            Change::ItemBody { .. } | Change::TurnText { .. } => false,
        }
    }

    fn item(&mut self, item: &Item, news: &mut News) -> io::Result<()> {
        let Some(shown) = self.shown.get(&item.id).copied() else { return Ok(()) };
        if item.body.is_shortened() {
            if item.body.len() > shown {
                news.missing.push(item.id.clone());
            }
            return Ok(());
        }
        self.text(&item.id, 0, &item.body.head)
    }

    /// Prints what of a piece of text that begins at `at` was not printed yet.
    fn text(&mut self, item: &ItemId, at: u64, text: &str) -> io::Result<()> {
        let Some(shown) = self.shown.get_mut(item) else { return Ok(()) };
        let fresh = after(text, shown.saturating_sub(at));
        *shown += domain::units(fresh);
        if self.json || fresh.is_empty() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        if self.last.as_ref().is_some_and(|last| last != item) {
            // Messages of one turn are apart.
            out.write_all(if self.ends_with_newline { b"\n" } else { b"\n\n" })?;
        }
        self.last = Some(item.clone());
        self.ends_with_newline = fresh.ends_with('\n');
        out.write_all(fresh.as_bytes())
    }
}

/// Whether a request waits for a person.
pub(crate) fn waits(request: &Request) -> bool {
    matches!(request.state, RequestState::Open { .. })
}

/// A text without its first UTF-16 units.
fn after(text: &str, units: u64) -> &str {
    let mut seen = 0;
    for (index, c) in text.char_indices() {
        if seen >= units {
            return text.get(index..).unwrap_or_default();
        }
        seen += c.len_utf16() as u64;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn text_is_skipped_by_position() {
        assert_eq!(after("abc", 0), "abc");
        assert_eq!(after("abc", 2), "c");
        assert_eq!(after("a👍b", 3), "b");
        assert_eq!(after("abc", 3), "");
        assert_eq!(after("", 0), "");
    }
}
