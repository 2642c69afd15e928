//! The WebSocket at `/api/live`: one for each tab, any number of topics.
//!
//! A client subscribes with the cursor it has, if any. The server answers each topic with a
//! verdict: `ok`, and the changes after the cursor follow; or `gap`, with a bounded snapshot that
//! replaces what the client has. Changes are sent at most every 16 ms, coalesced. A client that
//! reads too slowly gets a `gap` again instead of a growing queue.

use domain::{Change, ShellChange, ShellSnapshot, ThreadId, Window};
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::Problem;

/// What can be followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "topic", rename_all = "snake_case")]
pub enum Topic {
    /// The rows of the sidebar and the states of the providers.
    Shell,
    /// One thread's conversation.
    Thread {
        /// Which.
        id: ThreadId,
    },
}

/// How far a client has followed a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Cursor {
    /// The run of the server that counted.
    pub epoch: String,
    /// The number of the last change.
    pub seq: u64,
}

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Follow a topic, from a cursor or afresh. Following it again answers with a new verdict.
    Subscribe {
        /// The topic.
        #[serde(flatten)]
        topic: Topic,
        /// The last change the client has.
        #[serde(default)]
        #[ts(optional)]
        cursor: Option<Cursor>,
    },
    /// No longer follow a topic.
    Unsubscribe {
        /// The topic.
        #[serde(flatten)]
        topic: Topic,
    },
    /// Ask for a `pong`, to learn whether the link lives.
    Ping,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The first message on each socket.
    Welcome {
        /// Baton's version; a page of another one reloads itself.
        version: String,
        /// The name of this run of the server.
        epoch: String,
    },
    /// The client's cursor can be continued; changes after it follow.
    Ok {
        /// The topic.
        topic: Topic,
        /// Where it stands.
        cursor: Cursor,
    },
    /// What the client has of the shell is to be replaced by this.
    ShellGap {
        /// Where the snapshot stands.
        cursor: Cursor,
        /// The snapshot.
        snapshot: ShellSnapshot,
    },
    /// What the client has of a thread is to be replaced by this.
    ThreadGap {
        /// The thread.
        id: ThreadId,
        /// Where the snapshot stands.
        cursor: Cursor,
        /// The newest part of the conversation.
        snapshot: Box<Window>,
    },
    /// Changes of the shell, in order.
    ShellChanges {
        /// Where it stands after them.
        cursor: Cursor,
        /// The changes.
        changes: Vec<ShellChange>,
    },
    /// Changes of a thread, in order.
    ThreadChanges {
        /// The thread.
        id: ThreadId,
        /// Where it stands after them.
        cursor: Cursor,
        /// The changes.
        changes: Vec<Change>,
    },
    /// A topic cannot be followed, or no longer.
    Gone {
        /// The topic.
        topic: Topic,
        /// Why.
        problem: Problem,
    },
    /// A message of the client could not be read.
    Refused {
        /// Why.
        problem: Problem,
    },
    /// The answer to `ping`.
    Pong,
}
