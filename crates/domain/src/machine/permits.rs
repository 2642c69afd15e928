//! Whether a tool was allowed to run: what it is while a person is asked about it, and what it was
//! when that ended without an answer.
//!
//! An agent tells a tool as running before it asks, and as failed when it is stopped while it asks.
//! What happened is told by the requests: a tool that waits runs only once all that was asked about
//! it is allowed, its time begins there, and one that was never allowed never ran.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::items::LiveItem;
use super::{Outcome, RunningTurn};
use crate::{
    Answer, Decision, ItemContent, ItemId, ItemStatus, ItemUpdate, Request, RequestBody, RequestId,
    RequestState, Timestamp,
};

/// How the approvals that are open stand for one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// There is none.
    Nothing,
    /// A person has not answered all of them.
    Asked,
    /// A person allowed all of them, and the answers are on their way.
    Allowing,
    /// A person said no to one of them.
    Refused,
}

/// What became of an approval, as far as its tool is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// It was allowed.
    Allowed,
    /// It was not.
    Refused,
    /// The agent no longer waits for it, and says no more.
    Passed,
}

/// How the open approvals of an item stand.
pub(super) fn permit(requests: &BTreeMap<RequestId, Request>, item: &ItemId) -> Permit {
    let mut permit = Permit::Nothing;
    let about = |r: &&Request| r.item_id.as_ref() == Some(item) && is_approval(r);
    for request in requests.values().filter(about) {
        match &request.state {
            RequestState::Answering { answer } if rejects(answer) => return Permit::Refused,
            RequestState::Answering { .. } if permit == Permit::Nothing => {
                permit = Permit::Allowing;
            }
            // Whoever asked may be gone, and then no answer came to it.
            RequestState::Open { .. } | RequestState::Checking { .. } => permit = Permit::Asked,
            RequestState::Answering { .. }
            | RequestState::Resolved { .. }
            | RequestState::Withdrawn { .. } => {}
        }
    }
    permit
}

impl Permit {
    fn is_open(self) -> bool {
        match self {
            Self::Asked | Self::Allowing | Self::Refused => true,
            Self::Nothing => false,
        }
    }

    /// What an item that waited is when it ends without having run on.
    pub(super) fn unrun(self) -> ItemStatus {
        match self {
            Self::Nothing | Self::Asked => ItemStatus::NotRun,
            // It may have had the time to begin.
            Self::Allowing => ItemStatus::Failed,
            Self::Refused => ItemStatus::Declined,
        }
    }

    /// Where an item stands that the agent has told of, after it stood as `known`.
    pub(super) fn status(self, known: Option<ItemStatus>, update: &ItemUpdate) -> ItemStatus {
        let waits = self.is_open() && can_wait(&update.content);
        match (known, update.status) {
            // A refusal, or the end of the wait, is how it ended; only work shows otherwise.
            (
                Some(known @ (ItemStatus::Declined | ItemStatus::NotRun)),
                ItemStatus::Running | ItemStatus::Failed,
            ) => known,
            (_, ItemStatus::Running) if waits => ItemStatus::Waiting,
            (Some(ItemStatus::Waiting), ItemStatus::Running) if !shows_work(update) => {
                ItemStatus::Waiting
            }
            (Some(ItemStatus::Waiting), ItemStatus::Failed) if !shows_work(update) => self.unrun(),
            (_, told) => told,
        }
    }
}

impl RunningTurn {
    /// Brings an item up to what is asked about it: it waits while anything is.
    pub(super) fn await_answer(&mut self, item: &ItemId, out: &mut Outcome) {
        if permit(&self.requests, item).is_open()
            && let Some(live) = Arc::make_mut(&mut self.items).get_mut(item)
        {
            live.wait(out);
        }
    }

    /// Brings an item up to what became of an approval.
    pub(super) fn answered(
        &mut self,
        now: Timestamp,
        item: &ItemId,
        closing: Closing,
        out: &mut Outcome,
    ) {
        let open = permit(&self.requests, item).is_open();
        let status = match closing {
            Closing::Refused => ItemStatus::Declined,
            Closing::Allowed if !open => ItemStatus::Running,
            Closing::Passed if !open && !self.turn.stopping => ItemStatus::Running,
            Closing::Allowed | Closing::Passed => return,
        };
        if let Some(live) = Arc::make_mut(&mut self.items).get_mut(item) {
            live.waited(now, status, out);
        }
    }
}

impl LiveItem {
    /// What the open approvals about it are, when its turn ends.
    pub(super) fn permit(&self, requests: &BTreeMap<RequestId, Request>) -> Permit {
        permit(requests, self.id())
    }
}

/// Whether a request asks if something may be done.
pub(super) fn is_approval(request: &Request) -> bool {
    match request.body {
        RequestBody::Approval(_) => true,
        RequestBody::Question { .. } | RequestBody::Plan { .. } => false,
    }
}

/// Whether an answer is a no to an approval.
pub(super) fn rejects(answer: &Answer) -> bool {
    matches!(answer, Answer::Approval { decision: Decision::Reject, .. })
}

/// Whether it is something that runs, and so can wait to be allowed.
pub(super) fn can_wait(content: &ItemContent) -> bool {
    !content.is_prose()
}

/// Whether what the agent tells of an item can only come of its work. A change of a file
/// comes with the question about it.
fn shows_work(update: &ItemUpdate) -> bool {
    let is_change = matches!(update.content, ItemContent::FileChange { .. });
    !is_change && update.body.as_ref().is_some_and(|body| !body.as_str().is_empty())
}
