//! Text by position: how long texts are carried, bounded, and extended without guessing.
//!
//! Positions are counted in UTF-16 code units, as browsers count text, so that a browser can
//! check and splice a piece without re-encoding what it already has.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// The most of one text that Baton keeps, in UTF-16 units; the rest is dropped and said so.
pub const MAX_FULL_UNITS: u64 = 16 * 1024 * 1024;

/// A text as it travels: whole when it is short, else its beginning and its end.
///
/// The whole of a shortened body is fetched on demand. Its length in units is
/// `head + omitted + tail`; a piece that continues a shortened body goes to the end of `tail`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Body {
    /// The beginning, or everything when `omitted` is 0.
    pub head: String,
    /// How many UTF-16 units between `head` and `tail` are left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<u64>")]
    pub omitted: u64,
    /// The end, when something is left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<String>")]
    pub tail: String,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Body {
    /// Shortens a text to the given limits.
    #[must_use]
    pub fn bounded(text: &str, limits: BodyLimits) -> Self {
        let total = units(text);
        let whole = || Self { head: text.to_owned(), omitted: 0, tail: String::new() };
        if total <= limits.head + limits.tail {
            return whole();
        }
        let head_end = byte_at(text, limits.head);
        let tail_start = byte_at(text, total - limits.tail).max(head_end);
        let (head, rest) = text.split_at(head_end);
        let (middle, tail) = rest.split_at(tail_start - head_end);
        // A pair of units that a limit would have split stays together, and may close the gap.
        if middle.is_empty() {
            return whole();
        }
        Self { head: head.to_owned(), omitted: units(middle), tail: tail.to_owned() }
    }

    /// The length of the whole text in UTF-16 units.
    #[must_use]
    pub fn len(&self) -> u64 {
        units(&self.head) + self.omitted + units(&self.tail)
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.is_empty() && self.omitted == 0 && self.tail.is_empty()
    }

    /// Whether part of the text is left out here.
    #[must_use]
    pub fn is_shortened(&self) -> bool {
        self.omitted > 0
    }
}

/// How much of a text travels inline, in UTF-16 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Units kept from the beginning.
    pub head: u64,
    /// Units kept from the end.
    pub tail: u64,
}

impl BodyLimits {
    /// What people read as prose: messages, reasoning, plans.
    pub const PROSE: Self = Self { head: 48 * 1024, tail: 16 * 1024 };
    /// What is opened on demand: tool output and diffs.
    pub const OUTPUT: Self = Self { head: 2 * 1024, tail: 6 * 1024 };
}

/// A growing text with its length, extended only by position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FullText {
    text: String,
    len: u64,
}

/// What [`FullText::splice`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Splice<'a> {
    /// The new units, which begin where the text ended.
    Appended(&'a str),
    /// Nothing: the piece was already there.
    Repeated,
    /// Nothing: text between the end and the piece's position is missing.
    Hole,
}

impl FullText {
    /// Takes a whole text, cut at [`MAX_FULL_UNITS`].
    #[must_use]
    pub fn new(mut text: String) -> Self {
        let mut len = units(&text);
        if len > MAX_FULL_UNITS {
            text.truncate(byte_at(&text, MAX_FULL_UNITS));
            len = units(&text);
        }
        Self { text, len }
    }

    /// The text so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The length in UTF-16 units.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no text yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Applies a piece that begins at position `at`: what is new is appended, what is known is
    /// skipped, and a hole changes nothing.
    pub fn splice<'a>(&mut self, at: u64, piece: &'a str) -> Splice<'a> {
        if at > self.len {
            return Splice::Hole;
        }
        let fresh = piece.get(byte_at(piece, self.len - at)..).unwrap_or_default();
        let room = MAX_FULL_UNITS.saturating_sub(self.len);
        let fresh = fresh.get(..byte_at(fresh, room)).unwrap_or_default();
        if fresh.is_empty() {
            return Splice::Repeated;
        }
        self.text.push_str(fresh);
        self.len += units(fresh);
        Splice::Appended(fresh)
    }
}

/// The length of a text in UTF-16 code units.
#[must_use]
pub fn units(text: &str) -> u64 {
    // Four-byte UTF-8 sequences are the ones that need two UTF-16 units.
    let continuation = |b: &u8| (*b & 0xC0) == 0x80;
    text.bytes().fold(0, |n, b| n + u64::from(!continuation(&b)) + u64::from(b >= 0xF0))
}

/// The byte index of the `at`-th unit, on a character boundary at or before it; the text's end
/// when it is shorter.
fn byte_at(text: &str, at: u64) -> usize {
    if at == 0 {
        return 0;
    }
    let mut seen = 0;
    for (index, c) in text.char_indices() {
        if seen + c.len_utf16() as u64 > at {
            return index;
        }
        seen += c.len_utf16() as u64;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_utf16() {
        for text in ["", "a", "é", "漢字", "👍🏽", "a👍b"] {
            assert_eq!(units(text), text.encode_utf16().count() as u64, "{text}");
        }
    }

    #[test]
    fn repeats_are_skipped_holes_are_named_repeated_characters_stay() {
        let mut text = FullText::default();
        assert_eq!(text.splice(0, "aa"), Splice::Appended("aa"));
        assert_eq!(text.splice(2, "aa"), Splice::Appended("aa"));
        assert_eq!(text.splice(2, "aa"), Splice::Repeated);
        assert_eq!(text.splice(3, "ab"), Splice::Appended("b"));
        assert_eq!(text.splice(9, "x"), Splice::Hole);
        assert_eq!(text.as_str(), "aaaab");
    }

    proptest! {
        #[test]
        fn a_bounded_body_keeps_length_beginning_and_end(text in "\\PC{0,80}", head in 0u64..20, tail in 0u64..20) {
            let body = Body::bounded(&text, BodyLimits { head, tail });
            prop_assert_eq!(body.len(), units(&text));
            prop_assert!(text.starts_with(&body.head));
            prop_assert!(text.ends_with(&body.tail));
            prop_assert!(body.omitted > 0 || body.head == text);
        }

        #[test]
        fn any_split_with_repeats_gives_the_text(text in "\\PC{0,60}", cuts in prop::collection::vec((0usize..60, 0usize..60), 0..40)) {
            let chars: Vec<char> = text.chars().collect();
            let mut full = FullText::default();
            for (a, b) in cuts {
                let (from, to) = (a.min(b).min(chars.len()), a.max(b).min(chars.len()));
                let before: String = chars[..from].iter().collect();
                let piece: String = chars[from..to].iter().collect();
                full.splice(units(&before), &piece);
                prop_assert!(text.starts_with(full.as_str()));
            }
            full.splice(0, &text);
            prop_assert_eq!(full.as_str(), &text);
            prop_assert_eq!(full.len(), units(&text));
        }
    }
}
