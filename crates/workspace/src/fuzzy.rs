//! How well a path fits what was typed.
//!
//! What was typed fits when its characters occur in the path in their order. Of the ways in which
//! they do, a few are tried that are found in one pass each: together, by the beginnings of words, and
//! as far to the right as possible. Upper and lower case are alike.

use memchr::{memchr, memrchr};

/// The longest query, in characters; of a longer one the beginning is looked for.
pub const MAX_QUERY_CHARS: usize = 200;

const MATCHED: i32 = 16;
/// Behind another character that fits.
const TOGETHER: i32 = 14;
/// At the beginning of the name, of a directory's name, of a word, of a hump.
const NAME_BEGINS: i32 = 22;
const PART_BEGINS: i32 = 16;
const WORD_BEGINS: i32 = 12;
/// In the name rather than in a directory's.
const IN_NAME: i32 = 8;
/// The whole name, or the whole name but for its extension.
const WHOLE_NAME: i32 = 60;
const WHOLE_STEM: i32 = 40;
/// What is between two characters that fit costs one a byte, up to this.
const MAX_GAP: i32 = 24;
/// Bytes of a path that cost one.
const BYTES_PER_POINT: usize = 6;

/// What was typed, made ready to be looked for.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Its characters in lower case, each as UTF-8.
    chars: Vec<([u8; 4], u8)>,
    whole: Vec<u8>,
    mask: u64,
}

impl Query {
    pub(crate) fn new(typed: &str) -> Self {
        let mut chars = Vec::new();
        let mut whole = Vec::new();
        for c in typed.chars().take(MAX_QUERY_CHARS).map(fold_char) {
            let mut bytes = [0; 4];
            let len = c.encode_utf8(&mut bytes).len();
            whole.extend(bytes.iter().take(len));
            chars.push((bytes, u8::try_from(len).unwrap_or(0)));
        }
        let mask = mask(&whole);
        Self { chars, whole, mask }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// Whether a path with this mask may have all the characters.
    pub(crate) fn may_fit(&self, path_mask: u64) -> bool {
        self.mask & !path_mask == 0
    }
}

/// A path as it is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    /// As it is.
    pub(crate) path: &'a [u8],
    /// In lower case, by [`fold`]: byte for byte the same places.
    pub(crate) folded: &'a [u8],
}

/// The ways of one search, which are kept between paths so that no path allocates.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    tried: Vec<usize>,
    /// Where each character of the query was found in the best way.
    pub(crate) best: Vec<usize>,
}

/// Which characters a text has, with many to a bit: what lacks a bit of another lacks a character.
pub(crate) fn mask(folded: &[u8]) -> u64 {
    folded.iter().fold(0, |mask, &byte| {
        let bit = match byte {
            b'a'..=b'z' => byte - b'a',
            b'0'..=b'9' => 26 + (byte - b'0'),
            b'/' => 36,
            b'.' => 37,
            b'_' => 38,
            b'-' => 39,
            b' ' => 40,
            _ => 41 + byte % 23,
        };
        mask | 1 << bit
    })
}

/// A text in lower case with every character in its place: one whose lower case has another length
/// stays as it is.
pub(crate) fn fold(text: &str, into: &mut String) {
    into.extend(text.chars().map(fold_char));
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(low), None) if low.len_utf8() == c.len_utf8() => low,
        _ => c,
    }
}

/// How well a path fits, with where in `scratch.best`; nothing when it does not.
pub(crate) fn score(query: &Query, of: Candidate<'_>, scratch: &mut Scratch) -> Option<i32> {
    let end = of.folded.strip_suffix(b"/").map_or(of.folded.len(), <[u8]>::len);
    let name = of.folded.get(..end).and_then(|path| memrchr(b'/', path)).map_or(0, |at| at + 1);
    let whole = find(of.folded, &query.whole, name).or_else(|| find(of.folded, &query.whole, 0));
    if let Some(at) = whole {
        let at = word_with(query, of, name, at);
        together_at(query, at, &mut scratch.best);
        // What stands there in one piece, as a word or its beginning, is hardly meant otherwise.
        if begins(of, name, at) > 0 {
            return Some(points(query, of, name, end, &scratch.best));
        }
    } else if !rightmost(query, of.folded, &mut scratch.best) {
        // This way is found whenever there is any.
        return None;
    }
    let mut best = points(query, of, name, end, &scratch.best);
    let worded = by_words(query, of, name, &mut scratch.tried)
        || name > 0 && by_words(query, of, 0, &mut scratch.tried);
    if worded {
        let points = points(query, of, name, end, &scratch.tried);
        if points > best {
            best = points;
            std::mem::swap(&mut scratch.tried, &mut scratch.best);
        }
    }
    Some(best)
}

/// Among the places from `at` on where the whole query stands, the first that begins a word.
fn word_with(query: &Query, of: Candidate<'_>, name: usize, at: usize) -> usize {
    let mut next = Some(at);
    while let Some(here) = next {
        if begins(of, name, here) > 0 {
            return here;
        }
        next = find(of.folded, &query.whole, here + 1);
    }
    at
}

fn together_at(query: &Query, at: usize, places: &mut Vec<usize>) {
    places.clear();
    let mut here = at;
    for (_, len) in &query.chars {
        places.push(here);
        here += usize::from(*len);
    }
}

/// Every character as far to the right as it can be.
fn rightmost(query: &Query, folded: &[u8], places: &mut Vec<usize>) -> bool {
    places.clear();
    let mut end = folded.len();
    for (bytes, len) in query.chars.iter().rev() {
        let sought = bytes.get(..usize::from(*len)).unwrap_or_default();
        let Some(at) = rfind(folded, sought, end) else { return false };
        places.push(at);
        end = at;
    }
    places.reverse();
    true
}

/// Every character next to the one before, else where the next word begins with it, else wherever
/// it comes next.
fn by_words(query: &Query, of: Candidate<'_>, from: usize, places: &mut Vec<usize>) -> bool {
    places.clear();
    let mut here = from;
    for (bytes, len) in &query.chars {
        let sought = bytes.get(..usize::from(*len)).unwrap_or_default();
        let next =
            if !places.is_empty() && of.folded.get(here..).is_some_and(|t| t.starts_with(sought)) {
                Some(here)
            } else {
                let mut first = None;
                let mut at = find(of.folded, sought, here);
                loop {
                    match at {
                        Some(place) if begins(of, from, place) > 0 => break Some(place),
                        Some(place) => {
                            first.get_or_insert(place);
                            at = find(of.folded, sought, place + 1);
                        }
                        None => break first,
                    }
                }
            };
        let Some(at) = next else { return false };
        places.push(at);
        here = at + sought.len();
    }
    true
}

fn points(query: &Query, of: Candidate<'_>, name: usize, end: usize, places: &[usize]) -> i32 {
    let mut points = 0;
    let mut behind = None;
    for (&at, (_, len)) in places.iter().zip(&query.chars) {
        points += MATCHED + begins(of, name, at);
        if at >= name {
            points += IN_NAME;
        }
        if let Some(behind) = behind {
            points += match i32::try_from(at - behind) {
                Ok(0) => TOGETHER,
                Ok(gap) => -gap.min(MAX_GAP),
                Err(_) => -MAX_GAP,
            };
        }
        behind = Some(at + usize::from(*len));
    }
    let first = places.first().copied().unwrap_or(0);
    let spans = behind.is_some_and(|behind| behind - first == query.whole.len());
    if spans && first == name {
        let left = of.folded.get(name + query.whole.len()..end).unwrap_or_default();
        if left.is_empty() {
            points += WHOLE_NAME;
        } else if left.starts_with(b".") {
            points += WHOLE_STEM;
        }
    }
    points - i32::try_from(of.path.len() / BYTES_PER_POINT).unwrap_or(i32::MAX / 2)
}

/// What a place is worth for what it begins.
fn begins(of: Candidate<'_>, name: usize, at: usize) -> i32 {
    if at == name {
        return NAME_BEGINS;
    }
    let Some(&before) = at.checked_sub(1).and_then(|before| of.path.get(before)) else {
        return PART_BEGINS;
    };
    match before {
        b'/' => PART_BEGINS,
        b'-' | b'_' | b'.' | b' ' => WORD_BEGINS,
        _ => {
            let here = of.path.get(at).copied().unwrap_or(0);
            let hump = here.is_ascii_uppercase() && !before.is_ascii_uppercase()
                || here.is_ascii_digit() && !before.is_ascii_digit();
            if hump { WORD_BEGINS } else { 0 }
        }
    }
}

fn find(text: &[u8], sought: &[u8], from: usize) -> Option<usize> {
    let (&first, tail) = sought.split_first()?;
    let mut at = from;
    loop {
        at += memchr(first, text.get(at..)?)?;
        if text.get(at + 1..)?.starts_with(tail) {
            return Some(at);
        }
        at += 1;
    }
}

fn rfind(text: &[u8], sought: &[u8], end: usize) -> Option<usize> {
    let (&first, tail) = sought.split_first()?;
    let mut end = end;
    loop {
        let at = memrchr(first, text.get(..end)?)?;
        if text.get(at + 1..)?.starts_with(tail) {
            return Some(at);
        }
        end = at;
    }
}
