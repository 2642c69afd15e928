//! Events that Baton does not know: nobody can say what they are about, so they are named where
//! Kilo's state is shown, each kind once for each server.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use domain::{ProviderProblem, ProviderProblemKind};
use kilo_sdk::{Event, drift};

use super::super::problems::Source;
use super::Running;
use crate::kilo::Shared;

/// Kinds that are named; of more it is said that there are more.
const MAX_NAMED: usize = 6;
/// The longest name that is told, in characters.
const MAX_CHARS: usize = 60;

/// The kinds that a server told of.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    named: BTreeSet<String>,
    more: bool,
}

impl Unknown {
    /// Takes a kind; says whether there is something new to tell.
    fn note(&mut self, kind: &str) -> bool {
        let name: String =
            kind.chars().filter(|c| !c.is_control() && *c != '`').take(MAX_CHARS).collect();
        if self.named.contains(&name) {
            return false;
        }
        if self.named.len() < MAX_NAMED {
            return self.named.insert(name);
        }
        !std::mem::replace(&mut self.more, true)
    }

    fn sentence(&self) -> String {
        let names: Vec<String> = self.named.iter().map(|name| format!("`{name}`")).collect();
        let more = if self.more { " and more" } else { "" };
        format!(
            "Kilo tells of {}{more}, which this Baton does not know in this form and does not show; \
             all else works. A newer Baton may know it, and `baton serve --native-log` writes down \
             what it says",
            names.join(", ")
        )
    }
}

/// The kind of an event that Baton does not know, or not in the form it came in.
fn unknown(event: &Event) -> Option<&str> {
    let Event::Unknown { kind, .. } = event else { return None };
    // What the version of Kilo that Baton was made for describes and Baton does not read is left
    // aside on purpose.
    let read = drift::EVENTS.iter().any(|event| event.kind == kind);
    (read || !drift::is_described(kind)).then_some(kind)
}

impl Shared {
    /// Names an event that is not known.
    pub(super) fn tell_unknown(&self, running: &Running, event: &Event) {
        let Some(kind) = unknown(event) else { return };
        let mut known = running.vitals.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.note(kind) {
            return;
        }
        tracing::info!(kind, "Kilo tells of something that Baton does not know");
        let kind = ProviderProblemKind::UnknownEvents;
        let problem = ProviderProblem { kind, message: known.sentence() };
        self.set_problems(&Source::Server(running.generation, kind), vec![problem]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_is_told_once_and_their_number_is_bounded() {
        let mut known = Unknown::default();
        assert!(known.note("tea.served") && !known.note("tea.served"));
        assert!(known.sentence().starts_with("Kilo tells of `tea.served`, which"));
        let many: Vec<bool> = (0..100).map(|n| known.note(&format!("tea.{n}"))).collect();
        let told = many.iter().filter(|told| **told).count();
        assert_eq!(told, MAX_NAMED, "five names, and once that there are more");
        assert!(known.sentence().contains("and more"), "{}", known.sentence());
        assert!(!known.note("tea.served"));
        let mut long = Unknown::default();
        assert!(
            long.note(&"`x`\n".repeat(200)) && long.sentence().contains(&"x".repeat(MAX_CHARS))
        );
    }

    #[test]
    fn what_is_left_aside_on_purpose_is_known() {
        let event = |kind: &str| Event::Unknown { kind: kind.to_owned(), properties: json!({}) };
        assert_eq!(unknown(&event("file.watcher.updated")), None);
        assert_eq!(unknown(&event("tea.served")), Some("tea.served"));
        assert_eq!(
            unknown(&event("permission.asked")),
            Some("permission.asked"),
            "in another form"
        );
        assert_eq!(unknown(&Event::Heartbeat), None);
    }
}
