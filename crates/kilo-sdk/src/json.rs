//! Kilo's JSON, made readable where JavaScript writes what is no text.
//!
//! A string of JavaScript may hold half of a pair of surrogates, as when an output is cut in the
//! middle of an emoji. `JSON.stringify` writes such a half as an escape, `\ud83d`, that stands for no
//! character, and no strict reader takes a document with one.

use std::borrow::Cow;

/// What stands for half a character, as `String::from_utf16_lossy` has it.
const REPLACEMENT: &[u8] = b"FFFD";

/// Gives a document in which each escape of half a character is one of U+FFFD. Nothing else is
/// looked at, whether or not it is JSON.
pub(crate) fn mended(json: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Cow::Borrowed(json);
    let mut at = 0;
    while let Some(escape) = next_backslash(json, at) {
        at = match unit(json, escape) {
            // Another escape, of one character: that may be a backslash.
            None => escape + 2,
            Some(0xD800..=0xDBFF) if matches!(unit(json, escape + 6), Some(0xDC00..=0xDFFF)) => {
                escape + 12
            }
            Some(0xD800..=0xDFFF) => {
                if let Some(digits) = out.to_mut().get_mut(escape + 2..escape + 6) {
                    digits.copy_from_slice(REPLACEMENT);
                }
                escape + 6
            }
            Some(_) => escape + 6,
        };
    }
    out
}

fn next_backslash(json: &[u8], from: usize) -> Option<usize> {
    let rest = json.get(from..)?;
    rest.iter().position(|byte| *byte == b'\\').map(|at| from + at)
}

/// The unit of UTF-16 that the escape at this place stands for, if it is such an escape.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit: u16, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `JSON.stringify` writes a string; with `ascii`, as servers do that escape the rest too.
    fn stringify(units: &[u16], ascii: bool) -> String {
        let mut json = String::from("\"");
        for unit in char::decode_utf16(units.iter().copied()) {
            match unit {
                Ok('"') => json.push_str("\\\""),
                Ok('\\') => json.push_str("\\\\"),
                Ok(c) if c < ' ' || (ascii && !c.is_ascii()) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        json.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                Ok(c) => json.push(c),
                Err(half) => json.push_str(&format!("\\u{:04X}", half.unpaired_surrogate())),
            }
        }
        json + "\""
    }

    fn units() -> impl Strategy<Value = Vec<u16>> {
        let tricky = prop::sample::select(r#"\\\ud83DFe0"/ é"#.encode_utf16().collect::<Vec<_>>());
        let unit = prop_oneof![tricky, 0xD7F0..0xE010_u16, any::<u16>()];
        prop::collection::vec(unit, 0..40)
    }

    proptest! {
        #[test]
        fn any_string_of_javascript_is_read(units in units(), ascii: bool) {
            let json = stringify(&units, ascii);
            let read: String = serde_json::from_slice(&mended(json.as_bytes())).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn nothing_else_is_touched(text: String, bytes: Vec<u8>) {
            let json = serde_json::to_vec(&text).unwrap();
            prop_assert_eq!(mended(&json), Cow::Borrowed(json.as_slice()));
            prop_assert_eq!(mended(&bytes).len(), bytes.len());
        }
    }

    #[test]
    fn an_escaped_backslash_begins_no_escape() {
        for kept in [r#""C:\\ud83d""#, r#""\\\\ud83d""#, r#""\ud83d\ude00""#, r#""\ud8""#, r#""\"#]
        {
            assert!(matches!(mended(kept.as_bytes()), Cow::Borrowed(_)), "{kept}");
        }
        let half = mended(br#"{"\\\ud83d":"\ud83d\ud83d\ude00"}"#);
        assert_eq!(&*half, br#"{"\\\uFFFD":"\uFFFD\ud83d\ude00"}"#);
    }
}
