//! Full-text search over what people and agents said.

use std::collections::HashMap;

use domain::{Body, Item, ItemId, ProjectId, Thread, ThreadId, Timestamp, Turn, TurnId};
use rusqlite::Connection;

use crate::indexing::{indexed, is_whole};
use crate::lists::going;
use crate::row::{self, MAX_ROW_BYTES, decode, first, prepare, text};
use crate::snippet::{Piece, snippet};
use crate::window::thread_of;
use crate::{Store, StoreError};

/// The most hits of one page.
pub const MAX_HITS: usize = 50;
/// The longest question that is looked at, in characters; of a longer one the beginning is.
pub const MAX_QUESTION_CHARS: usize = 400;
/// The most words of a question.
const MAX_WORDS: usize = 16;
/// The most entries that one page looks at; the next page goes on behind them.
const MAX_LOOKED_AT: usize = 2_000;

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words, all of which have to occur; the beginnings of words will do.
    pub words: String,
    /// In the threads of this project only.
    pub project: Option<ProjectId>,
    /// In threads that are archived as well.
    pub archived: bool,
    /// Where the page before ended.
    pub before: Option<i64>,
    /// How many at most; at most [`MAX_HITS`].
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResult {
    /// The hits, what was said last first.
    pub hits: Vec<Hit>,
    /// Where to go on, when there may be more.
    pub before: Option<i64>,
    /// Whether all that is stored was looked at; else some of what is old is still to be read in.
    pub whole: bool,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The thread it is in.
    pub thread: Thread,
    /// The turn it is in.
    pub turn: TurnId,
    /// The item it is; the turn's own message when it is none.
    pub item: Option<ItemId>,
    /// The place of the item.
    pub position: Option<u64>,
    /// When it was said.
    pub at: Timestamp,
    /// A part of it, in pieces.
    pub pieces: Vec<Piece>,
}

impl Store {
    /// Finds messages by their words, what was said last first: messages of people, messages of
    /// agents and plans. What was taken back and what sub-agents said is not found, nor is what is
    /// said right now. A question without words finds nothing.
    ///
    /// # Errors
    /// What the disk says.
    pub async fn search(&self, query: SearchQuery) -> Result<SearchResult, StoreError> {
        self.readers.call(move |conn| search(conn, &query)).await
    }
}

fn search(conn: &Connection, query: &SearchQuery) -> Result<SearchResult, StoreError> {
    let mut found = SearchResult { hits: Vec::new(), before: None, whole: is_whole(conn)? };
    let words = words(&query.words);
    if words.is_empty() {
        return Ok(found);
    }
    let limit = query.limit.clamp(1, MAX_HITS);
    let mut threads = Threads { conn, query, known: HashMap::new(), going: going(conn)? };
    let mut statement = prepare(
        conn,
        "SELECT rowid FROM search WHERE search MATCH ?1 AND rowid < ?2
         ORDER BY rowid DESC LIMIT ?3",
    )?;
    let before = query.before.unwrap_or(i64::MAX);
    let mut rows = statement.query((question(&words), before, row::limit(MAX_LOOKED_AT + 1)))?;
    let (mut looked_at, mut last) = (0, before);
    while let Some(row) = rows.next()? {
        if looked_at == MAX_LOOKED_AT || found.hits.len() == limit {
            found.before = Some(last);
            break;
        }
        last = row.get("rowid")?;
        looked_at += 1;
        if let Some(hit) = threads.hit(last, &words)? {
            found.hits.push(hit);
        }
    }
    Ok(found)
}

/// The words of a question. What is no letter and no digit does not count.
fn words(question: &str) -> Vec<String> {
    let question: String = question.chars().take(MAX_QUESTION_CHARS).collect();
    let words = question
        .split(|c: char| c.is_whitespace() || c.is_control() || c == '"')
        .filter(|word| word.chars().any(char::is_alphanumeric));
    words.take(MAX_WORDS).map(str::to_owned).collect()
}

/// The question as SQLite takes it: every word as it is, none as an operator; of a word of more than
/// one letter the beginning will do.
fn question(words: &[String]) -> String {
    let words = words.iter().map(|word| {
        let begins = if word.chars().count() > 1 { "*" } else { "" };
        format!("\"{word}\"{begins}")
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The threads that hits are in, each read once.
struct Threads<'a> {
    conn: &'a Connection,
    query: &'a SearchQuery,
    known: HashMap<String, Option<Thread>>,
    going: std::collections::HashSet<String>,
}

impl Threads<'_> {
    /// Reads what an entry of the index stands for, unless it is not wanted.
    fn hit(&mut self, entry: i64, words: &[String]) -> Result<Option<Hit>, StoreError> {
        let sql = "SELECT owner, thread, turn FROM search_rows WHERE id = ?";
        let entry = first(self.conn, sql, [entry], |row| {
            Ok((text(row, "owner")?, text(row, "thread")?, text(row, "turn")?))
        })?;
        let Some((owner, thread, turn)) = entry else { return Ok(None) };
        let Some(thread) = self.thread(&thread)? else { return Ok(None) };
        let Some((ordinal, turn)) = self.turn(&thread.id, &turn)? else { return Ok(None) };
        if thread.is_taken_back(ordinal) {
            return Ok(None);
        }
        let hit = |body: &Body, item: Option<&Item>, at| -> Result<Hit, StoreError> {
            let text = row::whole(self.conn, &owner, body)?;
            Ok(Hit {
                turn: turn.id.clone(),
                item: item.map(|item| item.id.clone()),
                position: item.map(|item| item.position),
                at,
                pieces: snippet(indexed(&text), words),
                thread: thread.clone(),
            })
        };
        if owner == turn.id.as_str() {
            return hit(&turn.input.text, None, turn.created_at).map(Some);
        }
        let sql = "SELECT id, CASE WHEN octet_length(json) <= ?2 THEN json END AS json
             FROM items WHERE id = ?1";
        let item = first(self.conn, sql, (&owner, MAX_ROW_BYTES), |row| {
            decode::<Item>(row, "json", "item")
        })?;
        let Some(item) = item.flatten() else { return Ok(None) };
        hit(&item.body, Some(&item), item.ended_at.unwrap_or(item.started_at)).map(Some)
    }

    fn thread(&mut self, id: &str) -> Result<Option<Thread>, StoreError> {
        if let Some(known) = self.known.get(id) {
            return Ok(known.clone());
        }
        let sql = "SELECT id, seq, json FROM threads
             WHERE id = ?1 AND removed = 0 AND octet_length(json) <= ?2";
        let thread = first(self.conn, sql, (id, MAX_ROW_BYTES), thread_of)?.flatten();
        let wanted = thread.filter(|thread| {
            let project = self.query.project.as_ref().is_none_or(|of| *of == thread.project_id);
            let archived = self.query.archived || !thread.archived;
            project && archived && !self.going.contains(thread.project_id.as_str())
        });
        self.known.insert(id.to_owned(), wanted.clone());
        Ok(wanted)
    }

    fn turn(&self, thread: &ThreadId, id: &str) -> Result<Option<(u64, Turn)>, StoreError> {
        let found = first(
            self.conn,
            "SELECT id, ordinal, CASE WHEN octet_length(json) <= ?2 THEN json END AS json
             FROM turns WHERE id = ?1",
            (id, MAX_ROW_BYTES),
            |row| Ok((row::count(row, "ordinal")?, row::turn(thread, row)?)),
        )?;
        Ok(found.and_then(|(ordinal, turn)| turn.map(|turn| (ordinal, turn))))
    }
}
