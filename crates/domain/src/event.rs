//! What a provider tells of its agent, in words that fit every provider.

use crate::{
    Context, FullText, ItemContent, ItemStatus, Phase, RequestBody, TurnError, TurnId, Usage,
};

/// Something that happened in a thread's session.
#[expect(clippy::large_enum_variant, reason = "nearly every event is of the large variant")]
#[derive(Debug, Clone, PartialEq)]
pub enum AgentEvent {
    /// Something in a turn. The mapper knows whose it is, so that a late event of an ended turn
    /// can never reach the next one.
    Turn {
        /// The turn it belongs to.
        turn: TurnId,
        /// What happened.
        event: TurnEvent,
    },
    /// The session is now this one.
    Session {
        /// The provider's own id of it.
        id: String,
    },
    /// The agent named the conversation.
    Title(String),
    /// The context after the last step.
    Context(Context),
    /// The link to the agent is down (`true`) or up again; a turn goes on across it.
    Reconnecting(bool),
    /// A turn ended in the session that this thread did not begin: reading it says what was made.
    Elsewhere,
    /// The agent process or the session is gone, and with it whatever was open.
    Lost(TurnError),
}

/// Something that happened in a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnEvent {
    /// The agent has taken the message.
    Started,
    /// The agent gave the message a name of its own, by which it is found from now on.
    Named {
        /// The name.
        key: String,
    },
    /// What the turn is doing, `None` for plain work.
    Phase(Option<Phase>),
    /// An item is new or changed.
    Item(ItemUpdate),
    /// An item grew.
    Text {
        /// The agent's own name of the item.
        key: String,
        /// Where the piece begins, in UTF-16 units.
        at: u64,
        /// The piece.
        text: String,
    },
    /// An item is no longer part of the conversation.
    ItemRemoved {
        /// The agent's own name of the item.
        key: String,
    },
    /// The agent waits for a person.
    Asked(NewRequest),
    /// The agent no longer waits.
    AskClosed {
        /// The agent's own name of the request.
        key: String,
        /// What became of it.
        outcome: RequestOutcome,
    },
    /// The turn's usage so far, as a total.
    Usage(Usage),
    /// The turn is over.
    Ended(TurnOutcome),
}

/// An item as the agent has it now.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemUpdate {
    /// The agent's own name of the item, unique in the thread.
    pub key: String,
    /// The name of the sub-agent item it happened in.
    pub parent: Option<String>,
    /// Where it stands.
    pub status: ItemStatus,
    /// What it is.
    pub content: ItemContent,
    /// The whole long text as the agent has it; `None` leaves what is known.
    pub body: Option<FullText>,
    /// Why it failed or was declined.
    pub error: Option<String>,
}

/// A request as the agent asks it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRequest {
    /// The agent's own name of the request, unique in the thread.
    pub key: String,
    /// The name of the item it is about.
    pub item: Option<String>,
    /// The sub-agent that asks.
    pub from: Option<String>,
    /// What is asked.
    pub body: RequestBody,
}

/// What became of a request as the agent tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// It was answered, here or elsewhere.
    Answered,
    /// It was rejected, here or elsewhere, by itself or together with another one.
    Rejected,
    /// It no longer exists.
    Gone,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnOutcome {
    /// The agent finished.
    Completed,
    /// It was stopped.
    Interrupted,
    /// It failed.
    Failed(TurnError),
}
