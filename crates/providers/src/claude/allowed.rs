//! What people allowed for a session: it holds until Baton ends, also when nothing keeps the session
//! open meanwhile.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sessions of which it is remembered while they are not open; the oldest is forgotten.
const MAX_SESSIONS: usize = 500;

/// What people allowed for one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ForSession {
    /// Rules, as they are written in settings.
    pub(super) rules: Vec<String>,
    /// Changes of files in the workspace.
    pub(super) edits: bool,
}

/// What was allowed for sessions that are not open.
#[derive(Debug, Default)]
pub(super) struct Allowed(Mutex<VecDeque<(String, ForSession)>>);

impl Allowed {
    /// Remembers it of a session that is closed.
    pub(super) fn keep(&self, session: &str, allowed: ForSession) {
        if allowed == ForSession::default() {
            return;
        }
        let mut kept = self.kept();
        kept.retain(|(known, _)| known != session);
        kept.push_back((session.to_owned(), allowed));
        if kept.len() > MAX_SESSIONS {
            kept.pop_front();
        }
    }

    /// Takes it for a session that is opened.
    pub(super) fn take(&self, session: &str) -> ForSession {
        let mut kept = self.kept();
        let at = kept.iter().position(|(known, _)| known == session);
        at.and_then(|at| kept.remove(at)).map(|(_, allowed)| allowed).unwrap_or_default()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(String, ForSession)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_of_its_session_alone_and_of_a_bounded_number() {
        let allowed = Allowed::default();
        let edits = || ForSession { rules: Vec::new(), edits: true };
        for n in 0..=MAX_SESSIONS {
            allowed.keep(&n.to_string(), edits());
        }
        assert_eq!(allowed.take("0"), ForSession::default(), "the oldest is forgotten");
        assert_eq!(allowed.take("1"), edits());
        assert_eq!(allowed.take("1"), ForSession::default(), "it was taken");
        allowed.keep("2", ForSession { rules: vec!["Bash(ls)".to_owned()], edits: false });
        assert_eq!(allowed.take("2").rules, ["Bash(ls)"]);
    }
}
