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
/// What may say of what kind a secret is, before it.
const KINDS: [&str; 5] = ["bearer", "basic", "digest", "token", "some"];
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

/// A text line by line, each without what may be a secret and of bounded length.
pub(crate) fn scrub(text: &mut String) {
    *text = text.lines().map(scrubbed).collect::<Vec<_>>().join("\n");
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
    while let Some(next) = rest.chars().next() {
        if before.follows && !is_between(next) && !begins_with_kind(rest) {
            rest = rest.get(before.value(rest)..).unwrap_or_default();
            shown.push_str(HIDDEN);
            before = Before::default();
            continue;
        }
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(if word == 0 { next.len_utf8() } else { word });
        rest = after;
        if word == 0 {
            before.sign(next);
            shown.push(next);
        } else {
            before.word(piece);
            shown.push_str(if is_secret(piece) { HIDDEN } else { piece });
        }
    }
    if shown.chars().count() > MAX_CHARS {
        shown = shown.chars().take(MAX_CHARS).chain(['…']).collect();
    }
    shown
}

/// What stood before a piece of a line.
#[derive(Default)]
struct Before {
    /// A name of a secret, or `Bearer`, has been read.
    named: bool,
    /// And, after a name, a sign that its value follows.
    follows: bool,
    /// The value goes on to the end of the line, as that of a `Cookie`.
    long: bool,
    /// The quote before the value, and whether it stands in quotes itself (`\"`).
    quote: Option<(char, bool)>,
    /// The sign before is a `\`.
    escape: bool,
}

impl Before {
    fn sign(&mut self, sign: char) {
        match sign {
            '=' | ':' => self.follows = self.named,
            '"' | '\'' if self.follows => self.quote = Some((sign, self.escape)),
            _ if self.named && is_between(sign) => {}
            _ => *self = Self::default(),
        }
        self.escape = sign == '\\';
    }

    fn word(&mut self, word: &str) {
        // The kind of a value that was named.
        if self.follows {
            return;
        }
        let plain = plain(word);
        let kind = plain == "bearer" || plain == "basic";
        let named = kind || SECRET_NAMES.iter().any(|name| plain.ends_with(name));
        *self = Self { named, follows: kind, long: plain.ends_with("cookie"), ..Self::default() };
    }

    /// Where the value ends that a text begins with.
    fn value(&self, text: &str) -> usize {
        let end = match self.quote {
            Some((_, true)) => text.find('\\'),
            Some((quote, false)) => closing(text, quote),
            None if self.long => None,
            None => text.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',')),
        };
        end.unwrap_or(text.len())
    }
}

/// What may stand between the name of a secret and its value.
fn is_between(sign: char) -> bool {
    matches!(sign, ' ' | '"' | '\'' | '\\' | '=' | ':' | '(')
}

/// Whether a text begins with the kind of a value, which stands between its name and itself.
fn begins_with_kind(text: &str) -> bool {
    let word = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let (word, after) = text.split_at(word);
    KINDS.contains(&plain(word).as_str()) && after.starts_with([' ', '('])
}

/// A word in lower case, its letters and digits alone.
fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// Where a quoted text ends; `None` when it does not.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })
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
        // A password that is not written as an address asks for may hold any sign.
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (address, _) = after.split_at(end);
        rest = match address.rsplit_once('@') {
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
        let end = closing(after, '"');
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
        check("Authorization: Bearer abc.def said", "Authorization: Bearer [hidden] said");
        check("authorization=token a/b+c==, said", "authorization=token [hidden], said");
        check("PASSWORD=ab.cd said", "PASSWORD=[hidden] said");
        check("PASSWORD=(ab)cd said", "PASSWORD=([hidden] said");
        check("secret: aGVs+bG8/d29y.bGQ= said", "secret: [hidden] said");
        check("Cookie: sid=x; other=y z", "Cookie: [hidden]");
        check(r#"{"cookie": "sid=x; other=y", "a": 1}"#, r#"{"cookie": "[hidden]", "a": 1}"#);
        check(r#"{\"token\": \"a b.c\", \"a\": 1}"#, r#"{\"token\": \"[hidden]\", \"a\": 1}"#);
        check(r#"password: Some("my \"own\" words") said"#, r#"password: Some("[hidden]") said"#);
        check("{\"apiKey\": \"short\"}", "{\"apiKey\": \"[hidden]\"}");
        check("KILO_SERVER_PASSWORD=hunter2 said", "KILO_SERVER_PASSWORD=[hidden] said");
        check("to http://you:hunter2@box:1/x", "to http://[hidden]@box:1/x");
        check("to http://you:pa/s@s@box:1/x said", "to http://[hidden]@box:1/x said");
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
