//! Scripts that are told in advance, for messages that are to be looked at and so carry none.

use std::collections::BTreeMap;

use super::request::Request;
use super::script::{FENCE, Script};

/// Scripts by the words of the messages that they answer.
pub(crate) type Told = BTreeMap<String, Script>;

/// How many scripts are kept. Their words come from programs that end.
pub(crate) const MOST_TOLD: usize = 1_000;

/// Puts each script behind the line that is its words, as if the message had carried it.
pub(crate) fn put_in(request: &mut Request, told: &Told) {
    if told.is_empty() {
        return;
    }
    for message in &mut request.messages {
        if message.role != "user" || message.text.contains(FENCE) {
            continue;
        }
        let lines = message.text.lines().map(|line| {
            // Kilo 7.7.7 writes whole conversations into its request for a summary.
            let words = line.strip_prefix("[User]: ").unwrap_or(line).trim();
            told.get(words).map_or_else(|| line.to_owned(), |script| script.prompt(line))
        });
        message.text = lines.collect::<Vec<_>>().join("\n");
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::Message;
    use super::*;

    #[test]
    fn a_message_of_known_words_gets_their_script() {
        let script = Script::new().text("one").step().text("two");
        let told = Told::from([("Mend it".to_owned(), script.clone())]);
        let check = |role, text: &str, expected: Option<&Script>| {
            let messages = vec![Message::new(role, text)];
            let mut request = Request { messages, ..Request::default() };
            put_in(&mut request, &told);
            let found = request.messages.first().map(|message| message.text.as_str());
            let found = found.and_then(|text| Script::find(text).unwrap());
            assert_eq!(found.as_ref(), expected, "{text}");
        };
        check("user", "Mend it\n<environment_details>\n", Some(&script));
        check("user", "So far:\n[User]: Mend it\n\n[Assistant]: yes", Some(&script));
        check("user", "Mend it please", None);
        check("assistant", "Mend it", None);
        let own = Script::new().text("mine");
        check("user", &own.prompt("Mend it"), Some(&own));
    }
}
