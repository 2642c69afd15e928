//! A plan that is built in a thread of its own.

use super::{Change, Input, NewTurn, ThreadState, cut_title};
use crate::{Mode, Request, RequestBody, Thread, ThreadId, Timestamp, Turn, TurnId};

/// A thread that comes into being together with the changes of another one.
///
/// Both are stored in one transaction, so a plan that was accepted has its thread whatever ends
/// in between, and its ids are derived from the request, so it never gets two.
#[derive(Debug, Clone, PartialEq)]
pub struct Founded {
    /// The new thread's row, with the number of its last change.
    pub thread: Thread,
    /// All that is to be stored of it: its row and its first message.
    pub changes: Vec<Change>,
}

/// The thread that builds the plan of a request: in the same project and workspace, on what the
/// planning turn ran on, with as much access as the planning thread has now. `None` when the
/// request has no plan to take along.
pub(super) fn found(
    planner: &Thread,
    turn: &Turn,
    request: &Request,
    now: Timestamp,
) -> Option<Founded> {
    let RequestBody::Plan { markdown, path, .. } = &request.body else { return None };
    if markdown.trim().is_empty() {
        return None;
    }
    let row = Thread {
        title: cut_title(markdown),
        model: turn.model.clone(),
        access: planner.access,
        mode: Mode::Build,
        ..Thread::new(
            ThreadId::derive(&request.id),
            planner.project_id.clone(),
            planner.workspace.clone(),
            planner.provider.clone(),
            now,
        )
    };
    let file = path.as_ref().map(|path| format!(" It is also in `{path}`.")).unwrap_or_default();
    let text = format!("Implement this plan.{file}\n\n{markdown}");
    let message = NewTurn::message(TurnId::derive(&request.id), &text);
    let mut state = ThreadState::new(row, 0, 0);
    let outcome = state.apply(now, Input::Submit(message)).ok()?;
    let thread = state.thread().clone();
    let mut changes = vec![Change::Thread { thread: thread.clone() }];
    changes.extend(outcome.changes);
    Some(Founded { thread, changes })
}
