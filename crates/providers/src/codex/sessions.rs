//! Codex's sessions as wholes: listed, read, forked, taken back, named, deleted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use codex_sdk::types::{Opened as NativeOpened, Page, Status, Thread, Turn, TurnStatus};
use codex_sdk::{Client, Error};
use domain::{Access, Earlier, ErrorCode, History, InputKind, ModelSelection, NativeSession};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast;

use super::mapper::past;
use super::server::Held;
use super::session::{COMPACTION, reading};
use super::{NAME, Shared, access};
use crate::shared::face;
use crate::shared::places::must_be;
use crate::{OpenError, Place, ReadSession, Reading, SessionList, SessionQuery, Sessions};

/// Sessions that can be listed of one directory, the last used first.
const MAX_LISTED: usize = 500;
/// Sessions of one page of Codex's.
const PAGE: usize = 100;
/// Turns that are read at once, and of a history in all.
const TURNS: u32 = 20;
const MAX_TURNS: usize = 200;
/// Sessions that wait to be taken back; of the oldest it is forgotten.
const MAX_WAITING: usize = 1_000;

/// Codex's sessions. Cheap to clone.
pub(super) struct CodexSessions(pub(super) Arc<Shared>);

/// What is to be taken back before the next message: Codex cannot undo it (0.169.0), and a person
/// may change their mind until then.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<HashMap<String, String>>);

impl Waiting {
    pub(super) fn set(&self, session: &str, turn: Option<String>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match turn {
            Some(turn) => {
                if waiting.len() >= MAX_WAITING {
                    waiting.clear();
                }
                waiting.insert(session.to_owned(), turn);
            }
            None => {
                waiting.remove(session);
            }
        }
    }

    /// The turn of Codex before which a session goes back now.
    pub(super) fn get(&self, session: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(session).cloned()
    }

    /// Notes that a session went back.
    pub(super) fn done(&self, session: &str) {
        self.set(session, None);
    }
}

#[derive(Deserialize)]
struct ReadThread {
    thread: Thread,
}

impl CodexSessions {
    async fn held(&self, place: &Place) -> Result<Held, OpenError> {
        must_be(&place.workspace).await?;
        self.0.face.configured().await?;
        self.0.server().await
    }

    /// A session, as far as Codex has it.
    async fn of(&self, client: &Client, session: &str) -> Result<Thread, OpenError> {
        let params = json!({ "threadId": session });
        let read: Result<ReadThread, Error> = client.request("thread/read", params).await;
        read.map(|read| read.thread).map_err(|error| failed(&error))
    }

    /// The turn of Codex that begins with a message; a message that steered begins none.
    async fn turn_of(
        &self,
        client: &Client,
        session: &str,
        key: &str,
    ) -> Result<String, OpenError> {
        let found = reading::find(client, session, key).await.map_err(|e| failed(&e))?;
        let rejected = |message: &str| OpenError {
            code: ErrorCode::Rejected,
            message: message.to_owned(),
            hint: Some("go back to another message, or fork the thread".to_owned()),
        };
        let found = found.ok_or_else(|| rejected("Codex no longer has this message"))?;
        if past::names(&found).first().is_some_and(|first| first != key) {
            let message = "this message went into a turn that ran, and Codex goes back by turns";
            return Err(rejected(message));
        }
        Ok(found.id)
    }
}

#[async_trait]
impl Sessions for CodexSessions {
    async fn list(&self, place: &Place, query: &SessionQuery) -> Result<SessionList, OpenError> {
        let held = self.held(place).await?;
        let end = query.offset.saturating_add(query.limit).min(MAX_LISTED);
        let search = query.search.as_ref().filter(|text| !text.trim().is_empty());
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        // One more says whether there are more.
        while found.len() <= end {
            let params = json!({
                "cwd": place.workspace,
                "limit": PAGE.min(end + 1 - found.len()),
                "cursor": cursor,
                "sortKey": "updated_at",
                "searchTerm": search,
                // Without these only those of the provider of models that is set up now, and of
                // Codex's own interfaces, are told (0.169.0). Sub-agents' are of none of them.
                "modelProviders": [],
                "sourceKinds": ["cli", "vscode", "exec", "appServer"],
            });
            let page: Page<Thread> = held
                .server
                .client()
                .request("thread/list", params)
                .await
                .map_err(|error| failed(&error))?;
            let empty = page.data.is_empty();
            found.extend(page.data.into_iter().filter(|t| t.parent_thread_id.is_none()));
            match page.next_cursor.filter(|_| !empty) {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        let more = found.len() > end && end < MAX_LISTED;
        let page = found.iter().take(end).skip(query.offset);
        Ok(SessionList { sessions: page.map(native).collect(), more })
    }

    async fn read(&self, place: &Place, wanted: &ReadSession) -> Result<Reading, OpenError> {
        let held = self.held(place).await?;
        let client = held.server.client();
        let thread = self.of(client, &wanted.session).await?;
        if thread.parent_thread_id.is_some() {
            return Err(OpenError {
                code: ErrorCode::Rejected,
                message: "the session is a sub-agent's".to_owned(),
                hint: Some("continue the session that started it".to_owned()),
            });
        }
        let read = newest(client, &wanted.session, &wanted.known).await.map_err(|e| failed(&e))?;
        let Newest { mut turns, before, after, more } = read;
        let busy = thread.status.status == Status::Active
            || turns.last().is_some_and(|turn| turn.status == TurnStatus::InProgress);
        if !wanted.known.is_empty() {
            // What somebody is still at is read when it is over.
            turns.retain(|turn| turn.status != TurnStatus::InProgress);
        }
        let workspace = place.workspace.to_string_lossy().into_owned();
        let cut = |turns: &[Turn]| past::turns(&wanted.thread, &thread.id, &workspace, turns);
        let mut history = History {
            title: title(&thread),
            model: thread
                .model
                .clone()
                .map(|model| ModelSelection { model, option: thread.reasoning_effort.clone() }),
            turns: cut(&turns),
            earlier: Earlier { turns: 0, more },
            context: None,
            busy,
            taken_back: None,
        };
        leave_out_wishes(&wanted.known, &mut history);
        let texts = past::texts(&cut(&before));
        Ok(Reading { history, after, texts })
    }

    async fn fork(
        &self,
        place: &Place,
        session: &str,
        before: Option<&str>,
    ) -> Result<String, OpenError> {
        let held = self.held(place).await?;
        let client = held.server.client();
        let workspace = place.workspace.to_string_lossy();
        let mut params = access::opening(Access::default(), &workspace, place.trusted);
        params["threadId"] = json!(session);
        params["excludeTurns"] = json!(true);
        let before = match before {
            Some(key) => Some(self.turn_of(client, session, key).await?),
            // What was put away is in no fork of it.
            None => self.0.waiting.get(session),
        };
        if let Some(turn) = before {
            params["beforeTurnId"] = json!(turn);
        }
        let made: Result<NativeOpened, Error> = client.request("thread/fork", params).await;
        let made = made.map_err(|error| failed(&error))?.thread.id;
        // Whoever goes on with it opens it.
        let _ = client.ask("thread/unsubscribe", json!({ "threadId": made })).await;
        Ok(made)
    }

    async fn take_back(
        &self,
        place: &Place,
        session: &str,
        before: Option<&str>,
    ) -> Result<(), OpenError> {
        let Some(before) = before else {
            self.0.waiting.set(session, None);
            return Ok(());
        };
        let held = self.held(place).await?;
        let turn = self.turn_of(held.server.client(), session, before).await?;
        self.0.waiting.set(session, Some(turn));
        Ok(())
    }

    async fn rename(&self, place: &Place, session: &str, title: &str) -> Result<(), OpenError> {
        let held = self.held(place).await?;
        let params = json!({ "threadId": session, "name": title });
        let renamed = held.server.client().ask("thread/name/set", params).await;
        renamed.map(|_| ()).map_err(|error| failed(&error))
    }

    async fn delete(&self, place: &Place, session: &str) -> Result<(), OpenError> {
        let held = self.held(place).await?;
        let client = held.server.client();
        let thread = match self.of(client, session).await {
            Err(error) if error.code == ErrorCode::SessionLost => return Ok(()),
            found => found?,
        };
        self.0.router.abort(session).await;
        self.0.waiting.set(session, None);
        match client.ask("thread/delete", json!({ "threadId": thread.id })).await {
            Ok(_) => Ok(()),
            // Whatever was forked from it needs its beginning (0.169.0).
            Err(Error::Refused(error)) => Err(OpenError {
                code: ErrorCode::Rejected,
                message: format!("Codex did not delete the session: {error}"),
                hint: Some("delete what was forked from it first".to_owned()),
            }),
            Err(error) => Err(failed(&error)),
        }
    }

    fn deletions(&self) -> Option<broadcast::Receiver<String>> {
        Some(self.0.deletions.subscribe())
    }

    fn command(&self, place: &Place, session: &str) -> String {
        let program = self.0.face.settings().binary.filter(|path| !path.trim().is_empty());
        let program = program.unwrap_or_else(|| "codex".to_owned());
        crate::shared::terminal::command(&place.workspace, &[&program, "resume", session])
    }
}

/// The newest turns of a session.
struct Newest {
    /// Oldest first.
    turns: Vec<Turn>,
    /// The known ones before them that were read on the way.
    before: Vec<Turn>,
    /// The known message that they come after.
    after: Option<String>,
    /// Whether there are others before.
    more: bool,
}

/// Reads a session back to the newest message that is known, or as far as the bounds allow.
async fn newest(client: &Client, session: &str, known: &[String]) -> Result<Newest, Error> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut cursor = None;
    loop {
        let page = reading::page(client, session, cursor.as_deref(), TURNS).await;
        let Page { data, next_cursor } = match page {
            // Nothing of a thread is stored before its first turn (0.169.0).
            Err(Error::Refused(_)) if cursor.is_none() => {
                Page { data: Vec::new(), next_cursor: None }
            }
            page => page?,
        };
        turns.extend(data);
        let found = turns.iter().enumerate().find_map(|(at, turn)| {
            let names = past::names(turn);
            let name = names.iter().rev().find(|name| known.contains(name))?;
            Some((at, name.clone()))
        });
        if let Some((at, name)) = found {
            let mut before = turns.split_off(at);
            // What went on with a known turn is known.
            while turns.last().is_some_and(past::goes_on) {
                before.splice(0..0, turns.pop());
            }
            turns.reverse();
            before.reverse();
            return Ok(Newest { turns, before, after: Some(name), more: false });
        }
        if next_cursor.is_none() || turns.len() >= MAX_TURNS {
            turns.truncate(MAX_TURNS);
            turns.reverse();
            let more = next_cursor.is_some();
            return Ok(Newest { turns, before: Vec::new(), after: None, more });
        }
        cursor = next_cursor;
    }
}

/// Leaves out compactions that were wished for here: Codex gives them none of our names.
fn leave_out_wishes(known: &[String], history: &mut History) {
    for wish in known.iter().filter_map(|key| key.strip_prefix(COMPACTION)) {
        let named = reading::named_at(wish);
        let made = |turn: &domain::PastTurn| {
            // Codex tells whole seconds.
            turn.kind == InputKind::Compact && named.is_none_or(|at| turn.at + 1000 > at)
        };
        if let Some(at) = history.turns.iter().position(made) {
            history.turns.remove(at);
        }
    }
}

fn title(thread: &Thread) -> String {
    let named = thread.name.as_deref().filter(|name| !name.trim().is_empty());
    let title = named.unwrap_or(&thread.preview);
    let first = title.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    first.chars().take(domain::MAX_TITLE_CHARS).collect()
}

fn native(thread: &Thread) -> NativeSession {
    NativeSession {
        id: thread.id.clone(),
        title: title(thread),
        model: thread.model.clone(),
        // Codex tells what was used only of a session that works.
        tokens: 0,
        cost: 0.0,
        created_at: thread.created_at.saturating_mul(1000),
        updated_at: thread.updated_at.saturating_mul(1000),
        busy: thread.status.status == Status::Active,
        thread: None,
    }
}

/// Why nothing came of what was asked of a session. Codex has one code for all refusals; what is
/// refused where only the session is named is a session that is not there.
fn failed(error: &Error) -> OpenError {
    match error {
        Error::Refused(_) => face::gone(NAME),
        Error::Gone | Error::Timeout(_) | Error::Decode { .. } => face::not_opened(NAME, error),
    }
}
