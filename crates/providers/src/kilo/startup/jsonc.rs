//! JSON with comments and trailing commas, as Kilo reads its configuration.

use serde_json::Value;

/// Reads it; `None` when it is none. An empty text is an empty configuration.
pub(super) fn parse(text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let plain = without_comments(text);
    if plain.trim().is_empty() {
        return Some(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_str(&without_trailing_commas(&plain)).ok()
}

/// Leaves out comments outside of strings.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut string = Quotes::default();
    while let Some(c) = chars.next() {
        if string.holds(c) || c != '/' {
            out.push(c);
            continue;
        }
        match chars.peek() {
            Some('/') => {
                let _ = chars.by_ref().find(|c| *c == '\n');
                out.push('\n');
            }
            Some('*') => {
                let mut last = ' ';
                chars.next();
                let _ = chars.by_ref().find(|c| {
                    let end = last == '*' && *c == '/';
                    last = *c;
                    end
                });
                out.push(' ');
            }
            _ => out.push(c),
        }
    }
    out
}

/// Leaves out commas after which an object or a list ends.
fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut string = Quotes::default();
    for (at, c) in text.char_indices() {
        let rest = text.get(at + c.len_utf8()..).unwrap_or_default();
        if !string.holds(c) && c == ',' && rest.trim_start().starts_with(['}', ']']) {
            continue;
        }
        out.push(c);
    }
    out
}

/// Whether one is within a string.
#[derive(Default)]
struct Quotes {
    open: bool,
    escaped: bool,
}

impl Quotes {
    /// Takes the next character; says whether it belongs to a string.
    fn holds(&mut self, c: char) -> bool {
        if !self.open {
            self.open = c == '"';
            return self.open;
        }
        match c {
            _ if self.escaped => self.escaped = false,
            '\\' => self.escaped = true,
            '"' => self.open = false,
            _ => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn comments_and_trailing_commas_are_read_over_but_not_in_strings() {
        let text =
            "\u{feff}{ // a \" b\n \"a\": \"x // y, } /* z */\", /* c\n */ \"b\": [1, 2, ],\n }";
        assert_eq!(parse(text), Some(json!({ "a": "x // y, } /* z */", "b": [1, 2] })));
        assert_eq!(parse(r#"{"a":"\" // \\"}"#), Some(json!({ "a": "\" // \\" })));
        assert_eq!(parse("  // nothing"), Some(json!({})));
        assert_eq!(parse("{ \"a\": "), None);
        assert_eq!(parse("{ /* open"), None);
    }
}
