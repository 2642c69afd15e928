//! All that can happen to a thread, in any order, with an agent that is late, repeats itself and
//! confuses turns.

use proptest::prelude::*;

use super::samples::{
    answer, body, content, edit, failure, item_key, message, part, patch, request_key, source,
    steer, turn_id,
};
use super::world::World;
use crate::{
    AgentEvent, Context, FullText, Input, ItemStatus, ItemUpdate, NewRequest, Phase, RequestBody,
    RequestId, RequestOutcome, Turn, TurnEvent, TurnOutcome, Usage, units,
};

/// Turns that people may send.
pub(super) const TURNS: u8 = 5;
/// Items of each turn.
pub(super) const KEYS: u8 = 4;
/// Requests of each turn: few, so that what is asked is also answered.
const ASKS: u8 = 2;

/// Whose turn something is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose {
    /// The one that runs.
    Active,
    /// The one that is given to the agent meanwhile.
    Steering,
    /// This one, whatever it does, if it was ever sent.
    Of(u8),
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    Submit(u8),
    Steer(u8),
    Promote(u8),
    Withdraw(u8),
    Edit {
        n: u8,
        what: u8,
    },
    Move {
        n: u8,
        before: Option<u8>,
    },
    Release,
    Stop,
    StopExpired(Whose),
    Prepared(Whose),
    Preparing(Whose),
    NotSent(Whose),
    Silent(Whose),
    Replaced,
    Fail(Whose),
    Answer {
        whose: Whose,
        key: u8,
        fits: bool,
    },
    Delivered {
        whose: Whose,
        key: u8,
    },
    DeliveryFailed {
        whose: Whose,
        key: u8,
        gone: bool,
    },
    Patch(u8),
    Event {
        whose: Whose,
        event: Ev,
    },
    Link(u8),
    /// Baton ends and starts again from what is stored.
    Restart,
}

#[derive(Debug, Clone)]
pub(super) enum Ev {
    Started,
    Phase(u8),
    Item { key: u8, status: ItemStatus, body: Option<(u8, u8)>, error: bool },
    Text { key: u8, from: u8, to: u8 },
    Removed(u8),
    Asked { key: u8, kind: u8 },
    AskClosed { key: u8, gone: bool },
    Usage(u8),
    Ended(u8),
}

fn whose() -> impl Strategy<Value = Whose> {
    prop_oneof![
        5 => Just(Whose::Active),
        2 => Just(Whose::Steering),
        1 => (0..TURNS).prop_map(Whose::Of),
    ]
}

fn event() -> impl Strategy<Value = Ev> {
    let status = prop::sample::select(vec![
        ItemStatus::Running,
        ItemStatus::Running,
        ItemStatus::Done,
        ItemStatus::Failed,
        ItemStatus::Declined,
    ]);
    let body = prop::option::of((0u8..2, any::<u8>()));
    prop_oneof![
        2 => Just(Ev::Started),
        1 => (0u8..3).prop_map(Ev::Phase),
        6 => (0..KEYS, status, body, any::<bool>())
            .prop_map(|(key, status, body, error)| Ev::Item { key, status, body, error }),
        6 => (0..KEYS, any::<u8>(), any::<u8>())
            .prop_map(|(key, a, b)| Ev::Text { key, from: a.min(b), to: a.max(b) }),
        1 => (0..KEYS).prop_map(Ev::Removed),
        4 => (0..ASKS, 0u8..3).prop_map(|(key, kind)| Ev::Asked { key, kind }),
        1 => (0..ASKS, any::<bool>()).prop_map(|(key, gone)| Ev::AskClosed { key, gone }),
        1 => (0u8..3).prop_map(Ev::Usage),
        1 => (0u8..3).prop_map(Ev::Ended),
    ]
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..TURNS).prop_map(Op::Submit),
        4 => (0..TURNS).prop_map(Op::Steer),
        2 => (0..TURNS).prop_map(Op::Promote),
        1 => (0..TURNS).prop_map(Op::Withdraw),
        2 => (0..TURNS, 0u8..4).prop_map(|(n, what)| Op::Edit { n, what }),
        3 => (0..TURNS, prop::option::weighted(0.7, 0..TURNS))
            .prop_map(|(n, before)| Op::Move { n, before }),
        2 => Just(Op::Release),
        2 => Just(Op::Stop),
        2 => whose().prop_map(Op::StopExpired),
        6 => whose().prop_map(Op::Prepared),
        1 => whose().prop_map(Op::Preparing),
        2 => whose().prop_map(Op::NotSent),
        2 => whose().prop_map(Op::Silent),
        1 => Just(Op::Replaced),
        1 => whose().prop_map(Op::Fail),
        8 => (whose(), 0..ASKS, prop::bool::weighted(0.8))
            .prop_map(|(whose, key, fits)| Op::Answer { whose, key, fits }),
        3 => (whose(), 0..ASKS).prop_map(|(whose, key)| Op::Delivered { whose, key }),
        4 => (whose(), 0..ASKS, any::<bool>())
            .prop_map(|(whose, key, gone)| Op::DeliveryFailed { whose, key, gone }),
        1 => (0u8..7).prop_map(Op::Patch),
        30 => (whose(), event()).prop_map(|(whose, event)| Op::Event { whose, event }),
        2 => (0u8..6).prop_map(Op::Link),
        1 => Just(Op::Restart),
    ]
}

impl World {
    fn number(&self, whose: Whose) -> Option<u8> {
        match whose {
            Whose::Of(n) => Some(n),
            Whose::Active => {
                let active = self.client.active()?.id.clone();
                (0..TURNS).find(|n| turn_id(*n) == active)
            }
            Whose::Steering => {
                let steering = self.client.steering()?.id.clone();
                (0..TURNS).find(|n| turn_id(*n) == steering)
            }
        }
    }

    /// What is applied for it; nothing when it is about what is not there.
    pub(super) fn input(&self, op: &Op) -> Option<Input> {
        let request = |whose: &Whose, key: &u8| {
            let key = request_key(self.number(*whose)?, *key);
            Some(RequestId::derive(&self.client.thread.id, &key))
        };
        Some(match op {
            Op::Submit(n) | Op::Steer(n) => {
                // A message whose turn has ended is answered from the store, not by the machine.
                let ended = |turn: &Turn| turn.state.is_terminal();
                if self.client.turns.get(&turn_id(*n)).is_some_and(ended) {
                    return None;
                }
                Input::Submit(if matches!(op, Op::Steer(_)) { steer(*n) } else { message(*n) })
            }
            Op::Promote(n) => Input::Promote(turn_id(*n)),
            Op::Withdraw(n) => Input::Withdraw(turn_id(*n)),
            Op::Edit { n, what } => Input::EditQueued { turn: turn_id(*n), patch: edit(*what) },
            Op::Move { n, before } => {
                Input::Move { turn: turn_id(*n), before: before.map(turn_id) }
            }
            Op::Release => Input::Release,
            Op::Stop => Input::Stop,
            Op::StopExpired(whose) => Input::StopExpired(turn_id(self.number(*whose)?)),
            Op::Prepared(whose) => {
                let n = self.number(*whose)?;
                Input::Prepared { turn: turn_id(n), prompt_key: format!("msg_{n}") }
            }
            Op::Preparing(whose) => Input::Preparing {
                turn: turn_id(self.number(*whose)?),
                phase: Phase::StartingAgent,
            },
            Op::NotSent(whose) => Input::NotSent(turn_id(self.number(*whose)?)),
            Op::Silent(whose) => Input::Silent { turn: turn_id(self.number(*whose)?), since: 1 },
            Op::Replaced => Input::Renew,
            Op::Fail(whose) => {
                Input::Fail { turn: turn_id(self.number(*whose)?), error: failure() }
            }
            Op::Answer { whose, key, fits } => {
                let request = request(whose, key)?;
                let asked = self.client.requests.get(&request).map(|r| &r.body);
                let kind = match asked {
                    Some(RequestBody::Approval(_)) | None => 0,
                    Some(RequestBody::Question { .. }) => 1,
                    Some(RequestBody::Plan { .. }) => 2,
                };
                let answer = answer(if *fits { kind } else { (kind + 1) % 3 });
                Input::Answer { request, answer }
            }
            Op::Delivered { whose, key } => Input::Delivered(request(whose, key)?),
            Op::DeliveryFailed { whose, key, gone } => Input::DeliveryFailed {
                request: request(whose, key)?,
                problem: "no answer".to_owned(),
                gone: *gone,
            },
            Op::Patch(n) => Input::Patch(patch(*n)),
            Op::Event { whose, event } => {
                let n = self.number(*whose)?;
                Input::Agent(AgentEvent::Turn { turn: turn_id(n), event: self.event(n, event)? })
            }
            Op::Link(n) => Input::Agent(match n {
                0 => AgentEvent::Reconnecting(true),
                1 => AgentEvent::Reconnecting(false),
                2 => AgentEvent::Lost(failure()),
                3 => AgentEvent::Title("A name".to_owned()),
                4 => AgentEvent::Session { id: "ses_1".to_owned() },
                _ => AgentEvent::Context(Context { used: 7, limit: None }),
            }),
            Op::Restart => return None,
        })
    }

    fn event(&self, turn: u8, event: &Ev) -> Option<TurnEvent> {
        Some(match event {
            Ev::Started => TurnEvent::Started,
            Ev::Phase(n) => TurnEvent::Phase(match n {
                0 => None,
                1 => Some(Phase::Compacting),
                _ => Some(Phase::WaitingForNetwork { message: "offline".to_owned() }),
            }),
            Ev::Item { key, status, body, error } => TurnEvent::Item(ItemUpdate {
                key: item_key(turn, *key),
                parent: (*key == 2).then(|| item_key(turn, 1)),
                status: *status,
                content: content(*key),
                body: body
                    .map(|(version, share)| FullText::new(part(&source(*key, version), share))),
                error: error.then(|| "no".to_owned()),
            }),
            Ev::Text { key, from, to } => {
                let source = source(*key, 0);
                let before = part(&source, *from);
                let text = part(&source, *to).split_off(before.len());
                TurnEvent::Text { key: item_key(turn, *key), at: units(&before), text }
            }
            Ev::Removed(key) => TurnEvent::ItemRemoved { key: item_key(turn, *key) },
            Ev::Asked { key, kind } => {
                let name = request_key(turn, *key);
                let id = RequestId::derive(&self.client.thread.id, &name);
                // An agent that was started anew no longer asks what was answered.
                let closed = self.client.requests.get(&id).is_some_and(|r| !r.state.is_open());
                if closed && self.restarted {
                    return None;
                }
                TurnEvent::Asked(NewRequest {
                    key: name,
                    item: Some(item_key(turn, 1)),
                    from: None,
                    body: body(*kind),
                })
            }
            Ev::AskClosed { key, gone } => TurnEvent::AskClosed {
                key: request_key(turn, *key),
                outcome: if *gone { RequestOutcome::Gone } else { RequestOutcome::Answered },
            },
            Ev::Usage(n) => TurnEvent::Usage(Usage { input: u64::from(*n), ..Usage::default() }),
            Ev::Ended(n) => TurnEvent::Ended(match n {
                0 => TurnOutcome::Completed,
                1 => TurnOutcome::Interrupted,
                _ => TurnOutcome::Failed(failure()),
            }),
        })
    }
}
