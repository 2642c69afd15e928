//! The part of a long text that shows best why it was found.

/// How much of a text is shown, in characters.
const LENGTH: usize = 220;
/// How much of it stands before the first word that was found.
const BEFORE: usize = 60;
/// The most places that are weighed against each other.
const MAX_PLACES: usize = 200;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The piece, in one line.
    pub text: String,
    /// Whether it is what was looked for.
    pub hit: bool,
}

/// A word that was found: from which byte to which, and which of those that were looked for.
#[derive(Debug, Clone, Copy)]
struct Place {
    from: usize,
    to: usize,
    word: usize,
}

/// Cuts the part out of a text that has the most of the words, and marks them in it. When none is
/// found by what this module knows of letters, it is the beginning.
pub(crate) fn snippet(text: &str, words: &[String]) -> Vec<Piece> {
    let sought: Vec<Vec<String>> = words.iter().map(|word| parts(word)).collect();
    let places = places(text, &sought);
    let begin = best(&places).map_or(0, |place| back(text, place.from, BEFORE));
    let end = forth(text, begin, LENGTH);
    let mut pieces = Vec::new();
    let mut at = begin;
    if begin > 0 {
        push(&mut pieces, "…", false);
    }
    for place in places.iter().filter(|place| place.from >= begin && place.to <= end) {
        if place.from < at {
            continue;
        }
        push(&mut pieces, text.get(at..place.from).unwrap_or_default(), false);
        push(&mut pieces, text.get(place.from..place.to).unwrap_or_default(), true);
        at = place.to;
    }
    push(&mut pieces, text.get(at..end).unwrap_or_default(), false);
    if end < text.len() {
        push(&mut pieces, "…", false);
    }
    pieces
}

/// Adds a piece in one line; what is alike is joined.
fn push(pieces: &mut Vec<Piece>, text: &str, hit: bool) {
    let mut line = String::with_capacity(text.len());
    let mut blank = pieces.last().is_none_or(|piece| piece.text.ends_with(' '));
    for c in text.chars() {
        let space = c.is_whitespace() || c.is_control();
        if !(space && blank) {
            line.push(if space { ' ' } else { c });
        }
        blank = space;
    }
    if line.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(last) if last.hit == hit => last.text.push_str(&line),
        _ => pieces.push(Piece { text: line, hit }),
    }
}

/// Where the words stand. One that is made of several, such as a file's name, is found where they
/// follow each other.
fn places(text: &str, sought: &[Vec<String>]) -> Vec<Place> {
    let tokens: Vec<(usize, usize, String)> =
        tokens(text).map(|(from, word)| (from, from + word.len(), fold(word))).collect();
    let mut places = Vec::new();
    for at in 0..tokens.len() {
        for (word, parts) in sought.iter().enumerate() {
            let here = tokens.get(at..at + parts.len()).unwrap_or_default();
            let Some((last, whole)) = parts.split_last() else { continue };
            let fits = here.len() == parts.len()
                && here.iter().zip(whole).all(|((.., token), part)| token == part)
                && here.last().is_some_and(|(.., token)| begins(token, last));
            if let (true, Some((from, ..)), Some((_, to, _))) = (fits, here.first(), here.last()) {
                places.push(Place { from: *from, to: *to, word });
                break;
            }
        }
        if places.len() == MAX_PLACES {
            break;
        }
    }
    places
}

/// Of a single letter the whole word has to be it, as when it was looked for.
fn begins(token: &str, part: &str) -> bool {
    if part.chars().count() > 1 { token.starts_with(part) } else { token == part }
}

fn parts(word: &str) -> Vec<String> {
    tokens(word).map(|(_, token)| fold(token)).collect()
}

/// The words of a text, each with where it begins.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let inner = |c: char| c.is_alphanumeric() || is_mark(c);
    let mut rest = 0;
    std::iter::from_fn(move || {
        let tail = text.get(rest..)?;
        let from = rest + tail.find(inner)?;
        let word = text.get(from..)?;
        let len = word.find(|c| !inner(c)).unwrap_or(word.len());
        rest = from + len;
        Some((from, word.get(..len)?))
    })
}

/// The place from which the most different words are near.
fn best(places: &[Place]) -> Option<Place> {
    let near = |at: usize, from: usize| {
        let mut words: Vec<usize> = places
            .iter()
            .skip(at)
            .take_while(|place| place.to - from < LENGTH - BEFORE)
            .map(|place| place.word)
            .collect();
        words.sort_unstable();
        words.dedup();
        words.len()
    };
    let (at, _) = places
        .iter()
        .enumerate()
        .map(|(at, place)| (at, near(at, place.from)))
        .max_by_key(|&(at, count)| (count, std::cmp::Reverse(at)))?;
    places.get(at).copied()
}

/// So many characters before a place, and from there the beginning of the next word.
fn back(text: &str, from: usize, chars: usize) -> usize {
    let before = text.get(..from).unwrap_or_default();
    let Some((at, _)) = before.char_indices().rev().nth(chars) else { return 0 };
    let skipped = before.get(at..).unwrap_or_default();
    at + skipped.find(char::is_whitespace).map_or(0, |space| space + 1).min(skipped.len())
}

fn forth(text: &str, from: usize, chars: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.char_indices().nth(chars).map_or(text.len(), |(at, _)| from + at)
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// A word without case and, for the letters of Europe, without marks: as the index has it.
fn fold(word: &str) -> String {
    let bare = word.chars().filter(|c| !is_mark(*c)).flat_map(char::to_lowercase);
    bare.filter(|c| !is_mark(*c)).map(without_mark).collect()
}

fn without_mark(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => 'c',
        'ď' => 'd',
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => 'e',
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'ĥ' => 'h',
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' => 'i',
        'ĵ' => 'j',
        'ķ' => 'k',
        'ĺ' | 'ļ' | 'ľ' => 'l',
        'ñ' | 'ń' | 'ņ' | 'ň' => 'n',
        'ò'..='ö' | 'ō' | 'ŏ' | 'ő' => 'o',
        'ŕ' | 'ŗ' | 'ř' => 'r',
        'ś' | 'ŝ' | 'ş' | 'š' => 's',
        'ţ' | 'ť' => 't',
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => 'u',
        'ŵ' => 'w',
        'ý' | 'ÿ' | 'ŷ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The snippet with what was found in brackets.
    fn check(text: &str, words: &str, expected: &str) {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let shown: String = snippet(text, &words)
            .into_iter()
            .map(|piece| if piece.hit { format!("[{}]", piece.text) } else { piece.text })
            .collect();
        assert_eq!(shown, expected, "{words:?}");
    }

    #[test]
    fn words_are_marked_by_their_beginnings_in_any_case_and_with_any_mark() {
        check("The Parser failed", "pars", "The [Parser] failed");
        check("Crème brûlée, cre\u{300}me", "creme brul", "[Crème] [brûlée], [cre\u{300}me]");
        check("see src/main.rs here", "main.rs", "see src/[main.rs] here");
        check("a b ab", "a", "[a] b ab");
        check("one\n\n  two\tthree", "two", "one [two] three");
        check("nothing here", "zzz", "nothing here");
        check("", "a", "");
        check("日本語 text", "日本", "[日本語] text");
    }

    #[test]
    fn of_a_long_text_the_part_with_the_most_words_is_shown() {
        let filler = "filler words ".repeat(100);
        let text = format!("apple {filler}about an apple and a pear {filler}pear");
        let words = ["apple".to_owned(), "pear".to_owned()];
        let pieces = snippet(&text, &words);
        let hits: Vec<_> =
            pieces.iter().filter(|piece| piece.hit).map(|p| p.text.as_str()).collect();
        assert_eq!(hits, ["apple", "pear"]);
        let shown: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert!(shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert!(shown.chars().count() <= LENGTH + 2, "{shown}");
    }

    #[test]
    fn a_text_without_spaces_is_cut_within_a_character_of_nothing() {
        for text in ["😀".repeat(5_000), format!("{}x", "é".repeat(5_000)), "x".repeat(100_000)]
        {
            for words in [vec!["x".to_owned()], vec!["é".to_owned(), "😀".to_owned()]] {
                let shown: String = snippet(&text, &words).into_iter().map(|p| p.text).collect();
                assert!(!shown.is_empty());
            }
        }
    }
}
