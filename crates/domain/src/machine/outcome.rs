//! What comes of an input: changes to be stored and shown, acts to be done, or a refusal.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use super::{Founded, MAX_MESSAGE_UNITS, MAX_QUEUED, MAX_TAKEN_BACK, MAX_TITLE_CHARS};
use crate::{
    Access, Item, ItemId, MAX_ATTACHMENTS, MAX_MESSAGE_BYTES, Request, RequestId, Thread, Turn,
    TurnId,
};

/// What came of an input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What changed, in order. Empty when nothing did.
    pub changes: Vec<Change>,
    /// What is to be done once the changes are stored.
    pub effects: Vec<Effect>,
    /// A thread to be stored together with the changes, unless there is one of this id.
    pub founds: Option<Box<Founded>>,
}

/// One change of a thread: what is stored, sent and rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The thread's row is now this.
    Thread {
        /// The row.
        thread: Thread,
    },
    /// A turn is new or now this.
    Turn {
        /// The turn.
        turn: Turn,
    },
    /// An item is new or now this, its body included.
    Item {
        /// The item.
        item: Item,
    },
    /// An item is gone.
    ItemRemoved {
        /// Which.
        id: ItemId,
    },
    /// An item's body grew.
    Text {
        /// Which item.
        item: ItemId,
        /// Where the piece begins, in UTF-16 units.
        at: u64,
        /// The piece.
        text: String,
    },
    /// A request is new or now this.
    Request {
        /// The request.
        request: Request,
    },
    /// The whole of an item's body that is shortened in the `Item` change after it. For the store
    /// only; it is never sent.
    #[serde(skip)]
    ItemBody {
        /// Which item.
        item: ItemId,
        /// The whole text.
        text: String,
    },
    /// The whole of a message that may be shortened in the `Turn` change after it. For the store
    /// only; it is never sent.
    #[serde(skip)]
    TurnText {
        /// Which turn.
        turn: TurnId,
        /// The whole text.
        text: String,
    },
}

/// Something to be done, once the changes that decided it are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Open the session for this turn; then say [`Input::Prepared`] or [`Input::Fail`].
    Prepare(TurnId),
    /// Send the turn's message under its prompt key.
    Send(TurnId),
    /// Find out from the session what became of this turn, which was under way when Baton ended.
    Reconcile(TurnId),
    /// Interrupt the agent; after a grace time say [`Input::StopExpired`].
    Interrupt(TurnId),
    /// The turn is over although the agent has not said so: whatever it still does for it is to be
    /// stopped and not told.
    Abandon(TurnId),
    /// Give the agent the answer of this request.
    Deliver(RequestId),
    /// Tell the agent how much it may do from now on.
    ApplyAccess(Access),
    /// The text has a hole: read the session again.
    Resync,
}

/// Why an input of a person was refused. Each has a stable code at the edge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The message has no text.
    #[error("the message is empty")]
    EmptyMessage,
    /// The message is too long.
    #[error("the message has {units} characters; at most {MAX_MESSAGE_UNITS} are accepted")]
    MessageTooLong {
        /// Its length.
        units: u64,
    },
    /// Too many files, or too much of them, go with the message.
    #[error(
        "at most {MAX_ATTACHMENTS} files of {} MiB together go with a message",
        MAX_MESSAGE_BYTES / (1024 * 1024)
    )]
    TooManyAttachments,
    /// No model is chosen.
    #[error("no model is chosen for this thread")]
    NoModel,
    /// The thread is archived.
    #[error("the thread is archived")]
    Archived,
    /// Too many messages wait.
    #[error("{MAX_QUEUED} messages are waiting already")]
    QueueFull,
    /// The turn is not waiting any more, or never was.
    #[error("the turn is not waiting in the queue")]
    NotQueued,
    /// The request is unknown or already closed.
    #[error("the request is already closed")]
    RequestClosed,
    /// The request is being answered.
    #[error("an answer to the request is already on its way")]
    AlreadyAnswering,
    /// The answer does not fit the request.
    #[error("the answer does not fit the request: {why}")]
    WrongAnswer {
        /// What does not fit.
        why: String,
    },
    /// A turn prepares or runs.
    #[error("a turn is running")]
    Working,
    /// The turn is no message.
    #[error("a compaction is no message that could be sent into what runs or gone back to")]
    NotAMessage,
    /// The thread has no session yet, or no longer.
    #[error("the thread has no session yet: send a message first")]
    NoSession,
    /// Messages wait in the queue.
    #[error("messages are waiting: send them or take them back first")]
    MessagesWait,
    /// The agent never had the turn's message.
    #[error("the agent never had this message")]
    NeverSent,
    /// The turn was taken back, and another message was sent since.
    #[error("the turn was taken back before: the agent does not have it any more")]
    TakenBack,
    /// The conversation goes back with the next message.
    #[error("the conversation went back: send a message or bring back what was put away first")]
    WentBack,
    /// The thread went back too often.
    #[error("the conversation went back {MAX_TAKEN_BACK} times: fork the thread instead")]
    TooOftenBack,
    /// The title is empty or too long.
    #[error("a title has between 1 and {MAX_TITLE_CHARS} characters")]
    BadTitle,
}
