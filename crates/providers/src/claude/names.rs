//! What sessions are called here: by their own ids, and until an agent had a first message of one,
//! for it has no transcript before, by how it is to begin.

/// Before the id of a new session.
const NEW: &str = "new:";
/// Before the ids of a session that is to begin with what was said in another: its own, the other's,
/// and the line of it that is taken over last.
const FORK: &str = "fork:";

/// A session's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// The session's own id.
    pub(super) id: String,
    /// How it begins.
    pub(super) begin: Begin,
}

/// How the first process of a session begins it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Begin {
    /// With nothing.
    New,
    /// With what was said in it.
    Resume,
    /// With what was said in another.
    Fork {
        /// The other.
        source: String,
        /// The last line that is taken over; `None` for all of it.
        until: Option<String>,
    },
}

impl Name {
    pub(super) fn parse(name: &str) -> Self {
        if let Some(id) = name.strip_prefix(NEW) {
            return Self { id: id.to_owned(), begin: Begin::New };
        }
        if let Some(fork) = name.strip_prefix(FORK) {
            let mut parts = fork.split(':').map(str::to_owned);
            let (id, source) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let until = parts.next().filter(|until| !until.is_empty());
            return Self { id, begin: Begin::Fork { source, until } };
        }
        Self { id: name.to_owned(), begin: Begin::Resume }
    }

    /// The name by which it is kept.
    pub(super) fn text(&self) -> String {
        match &self.begin {
            Begin::New => format!("{NEW}{}", self.id),
            Begin::Resume => self.id.clone(),
            Begin::Fork { source, until } => {
                format!("{FORK}{}:{source}:{}", self.id, until.as_deref().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_how_a_session_begins() {
        for name in ["a-1", "new:a-1", "fork:a-1:b-2:c-3", "fork:a-1:b-2:"] {
            let parsed = Name::parse(name);
            assert_eq!((parsed.id.as_str(), parsed.text().as_str()), ("a-1", name));
        }
        let begin = Begin::Fork { source: "b-2".to_owned(), until: None };
        assert_eq!(Name::parse("fork:a-1:b-2:").begin, begin);
    }
}
