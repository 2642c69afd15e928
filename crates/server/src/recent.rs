//! What went wrong lately, for the diagnostics: a bounded number of log lines without secrets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{LogLevel, LoggedLine};

use crate::devices::now;

/// The most lines kept; a new one forgets the oldest.
const MAX_LINES: usize = 100;
/// The longest line, in characters; the rest is cut off.
const MAX_CHARS: usize = 600;
/// From this length on, letters mixed with digits may be a secret.
const SECRET: usize = 32;
/// How secrets of common services begin.
const SECRET_STARTS: [&str; 8] =
    ["sk-", "sk_", "ghp_", "gho_", "github_pat_", "xox", "AKIA", "eyJ"];
/// How ids begin, which are long and no secrets: Baton's own and those of agents.
const ID_STARTS: [&str; 12] = [
    "thr_", "trn_", "itm_", "req_", "prj_", "att_", "dev_", "ses_", "msg_", "prt_", "per_", "que_",
];
/// What stands before a secret, in lower case and without `-` and `_`.
const SECRET_NAMES: [&str; 7] =
    ["password", "passwd", "secret", "token", "apikey", "authorization", "cookie"];
/// What is shown instead.
const HIDDEN: &str = "[hidden]";

/// The last lines that told of something wrong. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub struct RecentLog(Arc<Mutex<VecDeque<LoggedLine>>>);

impl RecentLog {
    /// Keeps a line. What may be a secret in it is left out; a line that repeats the one before is
    /// counted with it.
    pub fn note(&self, level: LogLevel, text: &str) {
        let (at, text) = (now(), scrubbed(text));
        let mut lines = self.lock();
        if let Some(last) = lines.back_mut().filter(|l| l.level == level && l.text == text) {
            (last.at, last.times) = (at, last.times.saturating_add(1));
            return;
        }
        if lines.len() == MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(LoggedLine { at, level, text, times: 1 });
    }

    /// The lines, last first.
    pub(crate) fn lines(&self) -> Vec<LoggedLine> {
        self.lock().iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<LoggedLine>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A text as one line of bounded length, without what may be a secret.
fn scrubbed(text: &str) -> String {
    // Twice as much as is shown, so that what is cut is no half of a secret.
    let line: String =
        text.chars().take(2 * MAX_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = without_quoted(&without_userinfo(&line));
    let mut shown = String::new();
    let mut before = Before::default();
    let mut rest = line.as_str();
    while !rest.is_empty() {
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let end = if word == 0 { rest.chars().next().map_or(1, char::len_utf8) } else { word };
        let (piece, after) = rest.split_at(end);
        rest = after;
        if word == 0 {
            before.sign(piece);
            shown.push_str(piece);
        } else {
            shown.push_str(if before.names_secret(piece) || is_secret(piece) {
                HIDDEN
            } else {
                piece
            });
        }
    }
    if shown.chars().count() > MAX_CHARS {
        shown = shown.chars().take(MAX_CHARS).chain(['…']).collect();
    }
    shown
}

/// What stood before a word.
#[derive(Default)]
struct Before {
    /// A name of a secret, or `Bearer`, has been read.
    named: bool,
    /// And, after a name, a sign that its value follows.
    follows: bool,
}

impl Before {
    fn sign(&mut self, sign: &str) {
        match sign {
            "=" | ":" => self.follows = self.named,
            " " | "\"" | "'" | "\\" => {}
            _ => *self = Self::default(),
        }
    }

    /// Whether a word is the value of a secret that was named.
    fn names_secret(&mut self, word: &str) -> bool {
        let plain: String =
            word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        // The kind stands between the name and the value.
        if plain == "bearer" || plain == "basic" {
            *self = Self { named: true, follows: true };
            return false;
        }
        let hidden = self.follows;
        let named = !hidden && SECRET_NAMES.iter().any(|name| plain.ends_with(name));
        *self = Self { named, follows: false };
        hidden
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

fn is_secret(word: &str) -> bool {
    if ID_STARTS.iter().any(|start| word.starts_with(start)) || is_uuid(word) {
        return false;
    }
    let known = SECRET_STARTS.iter().any(|start| word.starts_with(start)) && word.len() >= 12;
    let mixed = word.contains(|c: char| c.is_ascii_digit()) && word.contains(char::is_alphabetic);
    known || (word.len() >= SECRET && mixed)
}

/// Sessions of Codex and Claude Code are named by these.
fn is_uuid(word: &str) -> bool {
    uuid::Uuid::try_parse(word).is_ok() && word.len() == 36
}

/// Without what stands before the `@` of an address.
fn without_userinfo(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(after.len());
        let (authority, _) = after.split_at(end);
        rest = match authority.rsplit_once('@') {
            Some((secret, _)) => {
                shown.push_str(HIDDEN);
                after.get(secret.len()..).unwrap_or_default()
            }
            None => after,
        };
    }
    shown + rest
}

/// Without the values that an error of reading JSON quotes: `invalid type: string "…"`.
fn without_quoted(text: &str) -> String {
    const QUOTED: &str = "string \"";
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(QUOTED) {
        shown.push_str(before);
        shown.push_str(QUOTED);
        shown.push_str(HIDDEN);
        let mut escaped = false;
        let end = after.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        rest = end.and_then(|end| after.get(end..)).unwrap_or_default();
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_left_out() {
        let check = |text: &str, wanted: &str| assert_eq!(scrubbed(text), wanted, "{text}");
        for same in [
            "Kilo does not answer url=http://127.0.0.1:4777/session",
            "a turn was not stopped session=ses_0123456789abcdef0123456789abcdef",
            "not named thread=thr_0123456789abcdef0123456789abcdef",
            "it is unknown thread=0198d4c2-0000-7000-8000-000000000001",
            "path=/home/you/projects/harbor/node_modules/a-rather-long-name-of-a-package-of-words",
            "12 tokens used, the tokens: 12",
            "an entry of the inventory is not understood key=\"anthropic\"",
        ] {
            check(same, same);
        }
        check("key sk-ant-REDACTED is wrong", "key [hidden] is wrong");
        check("Authorization: Bearer abc.def", "Authorization: Bearer [hidden].def");
        check("{\"apiKey\": \"short\"}", "{\"apiKey\": \"[hidden]\"}");
        check("KILO_SERVER_PASSWORD=hunter2 said", "KILO_SERVER_PASSWORD=[hidden] said");
        check("to http://you:hunter2@box:1/x", "to http://[hidden]@box:1/x");
        let hash = "0123456789abcdef0123456789abcdef";
        check(&format!("open /#pair {hash}"), "open /#pair [hidden]");
        check(
            r#"invalid type: string "my \"own\" words", expected a map"#,
            r#"invalid type: string "[hidden]", expected a map"#,
        );
        check("invalid type: string \"cut off", "invalid type: string \"[hidden]");
        check("two\nlines\u{1b}[31m", "two lines [31m");
    }

    #[test]
    fn lines_are_bounded_and_repeats_are_counted() {
        let log = RecentLog::default();
        for number in 0..MAX_LINES + 10 {
            log.note(LogLevel::Warn, &format!("line {number}"));
        }
        log.note(LogLevel::Error, &"long ".repeat(1_000));
        log.note(LogLevel::Error, &"long ".repeat(1_000));
        let lines = log.lines();
        assert_eq!((lines.len(), lines[0].times, lines[1].text.as_str()), (100, 2, "line 109"));
        assert_eq!(lines[0].text.chars().count(), MAX_CHARS + 1);
        assert_eq!((lines[99].text.as_str(), lines[99].times), ("line 11", 1));
    }
}
