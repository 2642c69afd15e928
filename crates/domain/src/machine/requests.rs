//! Requests within the machine: asked, answered, delivered, closed.

use super::items::notice;
use super::permits::{Closing, is_approval, rejects};
use super::{Change, Effect, MAX_TURN_REQUESTS, Outcome, Refusal, ThreadState, founding};
use crate::{
    Answer, ItemId, NewRequest, PlanDecision, Request, RequestBody, RequestId, RequestOutcome,
    RequestState, Timestamp,
};

impl ThreadState {
    /// Notes that the agent waits. One that is known, open or closed, is not asked again; of one that
    /// outlived Baton it is known now that the agent waits.
    pub(super) fn asked(&mut self, now: Timestamp, new: NewRequest, out: &mut Outcome) {
        let thread_id = self.thread.id.clone();
        let Some(running) = &mut self.running else { return };
        let id = RequestId::derive(&thread_id, &new.key);
        if running.requests.contains_key(&id) {
            return self.still_asked(&id, out);
        }
        if running.requests.len() >= MAX_TURN_REQUESTS {
            // What was closed first is forgotten first; what is open never is.
            let closed = running.requests.values().filter(|r| !r.state.is_open());
            let Some(oldest) = closed.min_by_key(|r| r.closed_at).map(|r| r.id.clone()) else {
                return;
            };
            running.requests.remove(&oldest);
        }
        let request = Request {
            id: id.clone(),
            turn_id: running.turn.id.clone(),
            item_id: new.item.as_deref().map(|key| ItemId::derive(&thread_id, key)),
            thread_id,
            key: new.key,
            from: new.from,
            body: new.body,
            state: RequestState::Open { problem: None },
            created_at: now,
            closed_at: None,
        };
        out.changes.push(Change::Request { request: request.clone() });
        let item = request.item_id.clone().filter(|_| is_approval(&request));
        running.requests.insert(id, request);
        if let Some(item) = item {
            running.await_answer(&item, out);
        }
    }

    /// Takes that the agent still waits for a request that outlived Baton: an answer that was given
    /// meanwhile is delivered.
    pub(super) fn still_asked(&mut self, id: &RequestId, out: &mut Outcome) {
        let Some(running) = &mut self.running else { return };
        let Some(request) = running.requests.get_mut(id) else { return };
        let RequestState::Checking { answer } = &mut request.state else { return };
        request.state = match answer.take() {
            Some(answer) => {
                out.effects.push(Effect::Deliver(id.clone()));
                RequestState::Answering { answer }
            }
            None => RequestState::Open { problem: None },
        };
        out.changes.push(Change::Request { request: request.clone() });
    }

    /// Nobody is asked what the agent may not wait for any more: Baton ended meanwhile.
    pub(super) fn doubt_requests(&mut self, out: &mut Outcome) {
        let Some(running) = &mut self.running else { return };
        for request in running.requests.values_mut() {
            if matches!(request.state, RequestState::Open { .. }) {
                request.state = RequestState::Checking { answer: None };
                out.changes.push(Change::Request { request: request.clone() });
            }
        }
    }

    /// Says of the answers that waited for such a request that they came to nothing.
    pub(super) fn note_undelivered(&mut self, now: Timestamp, out: &mut Outcome) {
        let Some(running) = &self.running else { return };
        let held = |r: &&Request| matches!(r.state, RequestState::Checking { answer: Some(_) });
        let lost: Vec<RequestId> =
            running.requests.values().filter(held).map(|r| r.id.clone()).collect();
        for id in lost {
            let text = "Your answer was not delivered: the turn had ended with the agent.";
            self.item(now, notice(format!("baton:undelivered:{id}"), text.to_owned()), out);
        }
    }

    pub(super) fn ask_closed(
        &mut self,
        now: Timestamp,
        key: &str,
        outcome: RequestOutcome,
        out: &mut Outcome,
    ) {
        let id = RequestId::derive(&self.thread.id, key);
        let along = outcome == RequestOutcome::Rejected && self.rejected_beside(&id);
        self.close_request(now, &id, out, |state| match (outcome, state) {
            (
                RequestOutcome::Answered | RequestOutcome::Rejected,
                RequestState::Answering { answer },
            ) => RequestState::Resolved { answer: Some(answer).filter(|a| is_that(a, outcome)) },
            (RequestOutcome::Rejected, _) if along => RequestState::Withdrawn {
                reason: "it was rejected together with another request".to_owned(),
            },
            (RequestOutcome::Rejected, _) => RequestState::Resolved { answer: None },
            (RequestOutcome::Answered, _) => RequestState::Resolved { answer: None },
            (RequestOutcome::Gone, _) => {
                RequestState::Withdrawn { reason: "the agent no longer waits for it".to_owned() }
            }
        });
        let closing = match outcome {
            RequestOutcome::Answered => Closing::Allowed,
            RequestOutcome::Rejected => Closing::Refused,
            RequestOutcome::Gone => Closing::Passed,
        };
        self.decided(now, &id, closing, out);
    }

    /// Brings the tool that an approval is about up to what became of it.
    fn decided(&mut self, now: Timestamp, id: &RequestId, closing: Closing, out: &mut Outcome) {
        let Some(running) = &mut self.running else { return };
        let request = running.requests.get(id).filter(|request| is_approval(request));
        if let Some(item) = request.and_then(|request| request.item_id.clone()) {
            running.answered(now, &item, closing, out);
        }
    }

    /// Whether a person rejected something else that the same agent asked.
    fn rejected_beside(&self, id: &RequestId) -> bool {
        let Some(running) = &self.running else { return false };
        let from = running.requests.get(id).map(|request| &request.from);
        let rejected = |state: &RequestState| match state {
            RequestState::Answering { answer }
            | RequestState::Resolved { answer: Some(answer) } => rejects(answer),
            RequestState::Open { .. }
            | RequestState::Checking { .. }
            | RequestState::Resolved { answer: None }
            | RequestState::Withdrawn { .. } => false,
        };
        let mut others = running.requests.values().filter(|other| other.id != *id);
        others.any(|other| Some(&other.from) == from && rejected(&other.state))
    }

    /// Takes a person's answer.
    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        id: &RequestId,
        answer: Answer,
        out: &mut Outcome,
    ) -> Result<(), Refusal> {
        let running = self.running.as_mut().ok_or(Refusal::RequestClosed)?;
        let request = running.requests.get_mut(id).ok_or(Refusal::RequestClosed)?;
        match &request.state {
            RequestState::Open { .. } | RequestState::Checking { answer: None } => {}
            RequestState::Answering { .. } | RequestState::Checking { answer: Some(_) } => {
                return Err(Refusal::AlreadyAnswering);
            }
            RequestState::Resolved { .. } | RequestState::Withdrawn { .. } => {
                return Err(Refusal::RequestClosed);
            }
        }
        check(&request.body, &answer)?;
        let elsewhere = is_elsewhere(&answer);
        if matches!(request.state, RequestState::Checking { .. }) && !elsewhere {
            request.state = RequestState::Checking { answer: Some(answer) };
            out.changes.push(Change::Request { request: request.clone() });
            return Ok(());
        }
        if elsewhere {
            let founded = founding::found(&self.thread, &running.turn, request, now);
            let founded = founded.ok_or_else(|| Refusal::WrongAnswer {
                why: "there is no plan to take along".to_owned(),
            })?;
            if let RequestBody::Plan { built_in, .. } = &mut request.body {
                *built_in = Some(founded.thread.id.clone());
            }
            out.founds = Some(Box::new(founded));
        }
        request.state = RequestState::Answering { answer };
        out.changes.push(Change::Request { request: request.clone() });
        out.effects.push(Effect::Deliver(id.clone()));
        if elsewhere {
            self.built_elsewhere(now, id, out);
        }
        Ok(())
    }

    pub(super) fn delivered(&mut self, now: Timestamp, id: &RequestId, out: &mut Outcome) {
        let mut taken = None;
        self.close_request(now, id, out, |state| match state {
            RequestState::Answering { answer } => {
                taken = Some(if rejects(&answer) { Closing::Refused } else { Closing::Allowed });
                RequestState::Resolved { answer: Some(answer) }
            }
            other => other,
        });
        if let Some(closing) = taken {
            self.decided(now, id, closing, out);
        }
    }

    pub(super) fn delivery_failed(
        &mut self,
        now: Timestamp,
        id: &RequestId,
        problem: String,
        gone: bool,
        out: &mut Outcome,
    ) {
        self.close_request(now, id, out, |state| match state {
            RequestState::Answering { answer } if gone && is_elsewhere(&answer) => {
                RequestState::Resolved { answer: Some(answer) }
            }
            RequestState::Answering { .. } if gone => RequestState::Withdrawn { reason: problem },
            RequestState::Answering { answer } if is_elsewhere(&answer) => RequestState::Open {
                problem: Some(format!(
                    "the plan is being built in a new thread, but here the agent still waits: \
                     {problem}"
                )),
            },
            RequestState::Answering { .. } => RequestState::Open { problem: Some(problem) },
            other => other,
        });
    }

    /// Moves a request that is still open to its next state.
    fn close_request(
        &mut self,
        now: Timestamp,
        id: &RequestId,
        out: &mut Outcome,
        next: impl FnOnce(RequestState) -> RequestState,
    ) {
        let Some(running) = &mut self.running else { return };
        let Some(request) = running.requests.get_mut(id).filter(|r| r.state.is_open()) else {
            return;
        };
        let state = next(request.state.clone());
        if state == request.state {
            return;
        }
        request.closed_at = (!state.is_open()).then_some(now);
        request.state = state;
        hide_secrets(request);
        out.changes.push(Change::Request { request: request.clone() });
    }
}

/// What stands for an answer that is nobody's to see.
const HIDDEN: &str = "(hidden)";

/// Forgets the secret answers of a request that is closed: nobody needs them any more.
fn hide_secrets(request: &mut Request) {
    let RequestBody::Question { questions } = &request.body else { return };
    let RequestState::Resolved { answer: Some(Answer::Question { answers }) } = &mut request.state
    else {
        return;
    };
    let secret = questions.iter().zip(answers).filter(|(question, _)| question.secret);
    secret.flat_map(|(_, given)| given).for_each(|given| HIDDEN.clone_into(given));
}

/// Whether an answer is what became of its request: somebody else's may have come before it.
fn is_that(answer: &Answer, outcome: RequestOutcome) -> bool {
    match answer {
        Answer::Approval { .. } => rejects(answer) == (outcome == RequestOutcome::Rejected),
        Answer::Question { .. } | Answer::Dismiss | Answer::Plan { .. } => true,
    }
}

/// Whether a plan is accepted in another thread.
fn is_elsewhere(answer: &Answer) -> bool {
    matches!(answer, Answer::Plan { decision: PlanDecision::AcceptInNewThread, .. })
}

/// How a request that is still open stands once its turn is over.
pub(super) fn closed_with_turn(body: &RequestBody) -> RequestState {
    match body {
        // That was done and stays so, whether or not the agent here was told.
        RequestBody::Plan { built_in: Some(_), .. } => RequestState::Resolved {
            answer: Some(Answer::Plan { decision: PlanDecision::AcceptInNewThread, message: None }),
        },
        RequestBody::Approval(_) | RequestBody::Question { .. } | RequestBody::Plan { .. } => {
            RequestState::Withdrawn { reason: "the turn ended".to_owned() }
        }
    }
}

/// Checks that an answer fits what was asked.
fn check(body: &RequestBody, answer: &Answer) -> Result<(), Refusal> {
    let wrong = |why: &str| Err(Refusal::WrongAnswer { why: why.to_owned() });
    match (body, answer) {
        (RequestBody::Approval(approval), Answer::Approval { decision, .. }) => {
            if approval.choices.iter().any(|choice| choice.decision == *decision) {
                Ok(())
            } else {
                wrong("this decision is not offered")
            }
        }
        (RequestBody::Question { questions }, Answer::Question { answers }) => {
            if answers.len() > questions.len() {
                return wrong("there are more answers than questions");
            }
            let single = questions.iter().zip(answers).all(|(q, a)| q.multiple || a.len() <= 1);
            let listed = questions.iter().zip(answers).all(|(q, given)| {
                q.custom || given.iter().all(|a| q.options.iter().any(|o| o.label == *a))
            });
            match (single, listed) {
                (true, true) => Ok(()),
                (false, _) => wrong("only one answer can be chosen"),
                (true, false) => wrong("only the listed answers can be given"),
            }
        }
        (RequestBody::Question { .. }, Answer::Dismiss)
        | (RequestBody::Plan { .. }, Answer::Plan { .. }) => Ok(()),
        (RequestBody::Approval(_), _) => wrong("an approval needs a decision"),
        (RequestBody::Question { .. }, _) => wrong("a question needs answers"),
        (RequestBody::Plan { .. }, _) => wrong("a plan needs a decision"),
    }
}
