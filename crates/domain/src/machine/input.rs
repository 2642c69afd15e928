//! What happens to a thread, as the machine is told it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{
    Access, AgentEvent, Answer, Attachment, Delivery, FullText, Item, Mode, ModelSelection,
    RequestId, Timestamp, TurnError, TurnId, TurnOrigin,
};

/// Something that happened to a thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A person sent a message.
    Submit(NewTurn),
    /// A person wants the agent to shorten its context, after what waits already.
    Compact(TurnId),
    /// A person took a waiting message back.
    Withdraw(TurnId),
    /// A person changed a waiting message.
    EditQueued {
        /// The turn.
        turn: TurnId,
        /// What is to be different.
        patch: TurnPatch,
    },
    /// A person gave a waiting message another place.
    Move {
        /// The turn.
        turn: TurnId,
        /// The waiting turn it comes before; `None` is the end of the queue.
        before: Option<TurnId>,
    },
    /// A person has a waiting message sent now, into what runs.
    Promote(TurnId),
    /// A person lets the held queue go on.
    Release,
    /// A person stops the running turn.
    Stop,
    /// The time for the agent to confirm a stop is over.
    StopExpired(TurnId),
    /// The session is open and the message is about to be sent under this name.
    Prepared {
        /// The turn.
        turn: TurnId,
        /// The provider's name for the message.
        prompt_key: String,
    },
    /// What the engine is doing for a turn that is not running yet.
    Preparing {
        /// The turn.
        turn: TurnId,
        /// What is being done.
        phase: crate::Phase,
    },
    /// The session was searched for the message and does not have it.
    NotSent(TurnId),
    /// The turn has not gone on for long, although nothing but its model is waited for.
    Silent {
        /// The turn.
        turn: TurnId,
        /// When it last went on.
        since: Timestamp,
    },
    /// Baton ended while this turn was at the agent, and looks now what became of it.
    Restarted(TurnId),
    /// The agent does not say whether it still waits for this request, which outlived Baton: it is
    /// taken to, and says so when it is answered.
    StillAsked(RequestId),
    /// The session has turns that were not begun here; they come before those that still wait.
    Past {
        /// Where they were begun.
        origin: TurnOrigin,
        /// The turns, oldest first, each ended.
        turns: Vec<crate::PastTurn>,
        /// Turns of the session that came before them and are not kept here.
        earlier: crate::Earlier,
    },
    /// The session says otherwise than what is stored of turns that have ended.
    Correct(Vec<Correction>),
    /// A person lets the thread go on in a new session, because the one it had is gone.
    Renew,
    /// A person takes the conversation back to before a message that the agent has. The agent is
    /// told by whoever applies this, and again before the next message.
    GoBack {
        /// The turn of the message.
        turn: TurnId,
        /// Its ordinal.
        ordinal: u64,
        /// The provider's name for the message.
        key: String,
    },
    /// A person undid that, and the agent knows.
    BringBack,
    /// The turn cannot go on.
    Fail {
        /// The turn.
        turn: TurnId,
        /// Why.
        error: TurnError,
    },
    /// A person answered a request.
    Answer {
        /// The request.
        request: RequestId,
        /// The answer.
        answer: Answer,
    },
    /// The agent took the answer.
    Delivered(RequestId),
    /// The answer did not reach the agent.
    DeliveryFailed {
        /// The request.
        request: RequestId,
        /// Why, in a sentence.
        problem: String,
        /// Whether the agent no longer knows the request.
        gone: bool,
    },
    /// A person changed the thread itself.
    Patch(ThreadPatch),
    /// The agent did something.
    Agent(AgentEvent),
}

/// An item of an ended turn, as it is stored, and the text that the agent has of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// The item.
    pub item: Item,
    /// Its whole text.
    pub text: FullText,
}

/// A message to be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTurn {
    /// The turn's id, chosen by the client.
    pub id: TurnId,
    /// The message.
    pub text: String,
    /// The files that go with it.
    pub attachments: Vec<Attachment>,
    /// How it reaches the agent.
    pub delivery: Delivery,
    /// What to run on; `None` takes the thread's.
    pub model: Option<ModelSelection>,
    /// How much the agent may do unasked; `None` takes the thread's.
    pub access: Option<Access>,
    /// What the turn is for; `None` takes the thread's.
    pub mode: Option<Mode>,
}

impl NewTurn {
    /// Makes a message of text alone that waits its turn and takes everything else from its thread.
    #[must_use]
    pub fn message(id: TurnId, text: &str) -> Self {
        Self {
            id,
            text: text.to_owned(),
            attachments: Vec::new(),
            delivery: Delivery::Queue,
            model: None,
            access: None,
            mode: None,
        }
    }
}

/// Changes of a person to a waiting message; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct TurnPatch {
    /// What is asked instead.
    pub text: Option<String>,
    /// What it runs on.
    pub model: Option<ModelSelection>,
    /// What it is for.
    pub mode: Option<Mode>,
}

/// Changes of a person to a thread; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ThreadPatch {
    /// A title of one's own.
    pub title: Option<String>,
    /// What the next turn runs on.
    pub model: Option<ModelSelection>,
    /// How much the agent may do unasked, from its next tool on.
    pub access: Option<Access>,
    /// What the next turn is for.
    pub mode: Option<Mode>,
    /// Whether it is kept at the top.
    pub pinned: Option<bool>,
    /// Whether it is put away; this also stops what runs.
    pub archived: Option<bool>,
    /// Whether its end was not looked at yet.
    pub unread: Option<bool>,
}
