//! Decides what the model does for a request: pure, from the request alone.

use serde::Serialize;

use super::plain;
use super::protocol::Protocol;
use super::request::{Message, Purpose, Request};
use super::script::{Action, Pace, Script, Step};

/// What kind of request the model took it for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A message with a script, at this step of it.
    Script(usize),
    /// A message with a script that cannot be played, and why. The answer says so too.
    BadScript(String),
    /// A message of a person without a script, at this step of the answer.
    Plain(usize),
    /// The client's request for a title.
    Title,
    /// The client's request for a summary of the conversation so far.
    Summary,
    /// A request of the client's that is no part of the conversation.
    Side,
}

/// What the model does.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What the request was taken for.
    pub kind: Kind,
    /// What to do.
    pub step: Step,
    /// Identifies the script's step where refusals are counted.
    pub key: String,
    /// The name of the script that begins with this, if it has one.
    pub begins: Option<String>,
}

/// Decides what the model does.
#[must_use]
pub fn answer(request: &Request) -> Answer {
    let said = |kind, text: String| Answer {
        kind,
        step: vec![Action::Text(text, Pace::default())],
        key: String::new(),
        begins: None,
    };
    match request.purpose {
        Purpose::Title => return said(Kind::Title, request.protocol.title(&title(request))),
        Purpose::Summary => return said(Kind::Summary, summary(request)),
        Purpose::Side => return said(Kind::Side, "Noted.".to_owned()),
        Purpose::Turn => {}
    }
    match situation(&request.messages) {
        Err(error) => said(Kind::BadScript(error.clone()), error),
        Ok(Some(found)) => Answer {
            kind: Kind::Script(found.index),
            step: found.steps.get(found.index).cloned().unwrap_or_else(past_the_end),
            key: found.key(),
            begins: found.script.id.filter(|_| found.part == 0 && found.index == 0),
        },
        Ok(None) => {
            let (words, index) = last_words(&request.messages);
            let steps = plain::steps(&words, request);
            let step = steps.get(index).cloned().unwrap_or_else(past_the_end);
            Answer { kind: Kind::Plain(index), step, key: String::new(), begins: None }
        }
    }
}

fn past_the_end() -> Step {
    vec![Action::Text("Done.".to_owned(), Pace::default())]
}

/// Where in which script the conversation stands.
#[derive(Debug)]
struct Situation {
    script: Script,
    /// Zero for the script's own steps, else which of its `then` lists.
    part: usize,
    steps: Vec<Step>,
    index: usize,
}

impl Situation {
    fn key(&self) -> String {
        format!("{}#{}#{}", self.script.to_value(), self.part, self.index)
    }
}

fn situation(messages: &[Message]) -> Result<Option<Situation>, String> {
    let with_script = messages.iter().rposition(|message| {
        // A summary of ours is an assistant message, and carries what was left of its script.
        matches!(message.role.as_str(), "user" | "assistant")
            && message.text.contains(super::script::FENCE)
    });
    let Some(start) = with_script else {
        return Ok(None);
    };
    let Some((message, later)) = messages.get(start..).and_then(<[_]>::split_first) else {
        return Ok(None);
    };
    let script = Script::find(&message.text).map_err(|error| error.to_string())?;
    let Some(script) = script else {
        return Ok(None);
    };
    let part = later.iter().filter(|message| is_prompt(message)).count();
    let steps = match part.checked_sub(1) {
        None => script.steps.clone(),
        Some(follow_up) => match script.then.get(follow_up) {
            Some(steps) => steps.clone(),
            // A person writes on after a scripted message: that one is over.
            None => return Ok(None),
        },
    };
    Ok(Some(Situation { script, part, steps, index: rounds_at_end(messages) }))
}

/// Counts the model's calls since the last prompt.
fn rounds_at_end(messages: &[Message]) -> usize {
    let since = messages.iter().rev().take_while(|message| !is_prompt(message));
    since.filter(|message| message.role == "assistant").count()
}

/// Tells whether somebody asks something here. Clients for models without images in tool results
/// send those along as a user message, which asks nothing.
fn is_prompt(message: &Message) -> bool {
    message.role == "user" && !message.text.starts_with("Attached ")
}

fn last_words(messages: &[Message]) -> (String, usize) {
    let prompt = messages.iter().rev().find(|message| is_prompt(message));
    let words = prompt.map(|message| message.text.clone()).unwrap_or_default();
    (words, rounds_at_end(messages))
}

/// Makes a title of the first words a person wrote. Kilo 7.7.7 numbers the person's messages in a
/// list below its own instructions.
fn title(request: &Request) -> String {
    let prompts = request.messages.iter().filter(|message| message.role == "user");
    let lines = prompts.flat_map(|message| message.text.lines()).map(str::trim);
    let listed = lines.clone().find_map(|line| line.strip_prefix("1. "));
    let first = lines.take_while(|line| !line.starts_with(super::script::FENCE)).find(|line| {
        !line.is_empty()
            && !line.starts_with('<')
            && !line.to_lowercase().contains("title for this")
    });
    let spoken = listed.or(first).unwrap_or("Scripted conversation");
    let words: Vec<&str> = spoken.split_whitespace().take(6).collect();
    words.join(" ").trim_end_matches(['.', ',', ':', '!', '?']).chars().take(60).collect()
}

/// Summarises, and carries what is left of the running script over into the new history, where
/// the client's "go on" continues it.
fn summary(request: &Request) -> String {
    let messages = &request.messages;
    let told = match request.protocol {
        Protocol::Chat => messages.last().map(|last| transcript(&last.text)).unwrap_or_default(),
        Protocol::Responses | Protocol::Messages => messages.clone(),
    };
    let mut text = "Summary: the work so far went as the script said.".to_owned();
    if let Ok(Some(found)) = situation(&told) {
        let rest: Vec<Step> = found.steps.into_iter().skip(found.index).collect();
        let later = found.script.then.into_iter().skip(found.part);
        let (steps, then) = match request.protocol {
            Protocol::Chat => (Vec::new(), std::iter::once(rest).chain(later).collect()),
            // There the summary stands under the user's name, and nobody has to say "go on".
            Protocol::Responses | Protocol::Messages => (rest, later.collect()),
        };
        text = Script { id: found.script.id, steps, then }.prompt(&text);
    }
    text
}

/// Reads back the conversation that Kilo 7.7.7 wrote into its request for a summary: each message
/// opens a line with `[User]: `, `[Assistant]: `, `[Assistant tool call]: ` or `[Tool result]: `.
/// What stands before the first one may be an earlier summary of ours.
fn transcript(text: &str) -> Vec<Message> {
    let mut messages = vec![Message::new("assistant", "")];
    for line in text.split_inclusive('\n') {
        let (role, text) = if let Some(text) = line.strip_prefix("[User]: ") {
            ("user", text)
        } else if let Some(text) = line.strip_prefix("[Assistant]: ") {
            ("assistant", text)
        } else if line.starts_with("[Assistant") {
            // A call's arguments may hold a sub-agent's script, which is not ours to play.
            ("assistant", "")
        } else if line.starts_with("[Tool result]: ") {
            ("tool", "")
        } else {
            if let Some(last) = messages.last_mut().filter(|last| last.role != "tool") {
                last.text += line;
            }
            continue;
        };
        match messages.last_mut().filter(|last| last.role == role && role == "assistant") {
            // A message's text and its calls are told apart there, and are one message here.
            Some(last) => last.text += text,
            None => messages.push(Message::new(role, text)),
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn user(text: impl Into<String>) -> Message {
        Message::new("user", text)
    }

    fn said() -> Message {
        Message::new("assistant", "something")
    }

    fn tool() -> Message {
        Message::new("tool", "output")
    }

    #[track_caller]
    fn check(messages: &[Message], expected: &str) {
        let request = Request {
            messages: messages.to_vec(),
            tools: vec!["bash".to_owned()],
            ..Request::default()
        };
        let found = answer(&request);
        let Some(Action::Text(text, _)) = found.step.first() else { panic!("{found:?}") };
        assert_eq!(text, expected, "{found:?}");
    }

    fn script() -> String {
        let script = Script::new().text("one").step().text("two").then().text("after");
        script.step().text("after two").prompt("go")
    }

    #[test]
    fn the_step_is_the_number_of_calls_since_the_prompt() {
        check(&[user(script())], "one");
        check(&[user("earlier"), said(), user(script())], "one");
        check(&[user(script()), said(), tool(), tool()], "two");
        check(&[user(script()), said(), tool(), said(), tool()], "Done.");
        check(&[user(script()), said(), tool(), user("Attached image(s)")], "two");
    }

    #[test]
    fn follow_ups_belong_to_the_script_before_them() {
        let go_on = || user("Implement the plan above.");
        check(&[user(script()), said(), tool(), go_on()], "after");
        check(&[user(script()), said(), go_on(), said(), tool()], "after two");
        let request = Request {
            messages: vec![user(script()), said(), go_on(), said(), user("and now?")],
            ..Request::default()
        };
        assert_eq!(answer(&request).kind, Kind::Plain(0));
    }

    #[test]
    fn a_later_script_replaces_an_earlier_one() {
        let later = Script::new().text("mine").prompt("steer");
        check(&[user(script()), said(), tool(), user(later)], "mine");
    }

    fn summary_of(conversation: &str) -> String {
        let messages =
            vec![user(format!("So far:\n<conversation>\n{conversation}</conversation>"))];
        let purpose = Purpose::Summary;
        let found = answer(&Request { purpose, messages, ..Request::default() });
        assert_eq!(found.kind, Kind::Summary);
        let Some(Action::Text(summary, _)) = found.step.first() else { panic!("{found:?}") };
        summary.clone()
    }

    #[test]
    fn a_summary_carries_the_script_over() {
        let script = script();
        let called =
            "[Assistant]: one\n[Assistant tool call]: task({\"prompt\":\"```script\\n[]\"})\n";
        let summary = summary_of(&format!("[User]: {script}\n\n{called}[Tool result]: x\ny\n"));
        let compacted = [user("What did we do so far?"), Message::new("assistant", &summary)];
        let go_on = [compacted.as_slice(), &[user("Continue")]].concat();
        check(&go_on, "two");
        let implement = [go_on.as_slice(), &[said(), user("Implement the plan above.")]].concat();
        check(&implement, "after");

        let again = summary_of(&format!("[Assistant]: {summary}\n[User]: Continue\n"));
        let compacted = [Message::new("assistant", again), user("Continue")];
        check(&compacted, "two");
    }

    #[test]
    fn titles_are_the_first_words() {
        let system = Message::new("system", "You are a title generator. Output only a title.");
        let asked = [user("Generate a title for this conversation:"), user(script())];
        let messages = [&[system], asked.as_slice()].concat();
        let purpose = Purpose::Title;
        let found = answer(&Request { purpose, messages, ..Request::default() });
        assert_eq!(found.step, vec![Action::Text("go".to_owned(), Pace::default())]);
    }

    #[test]
    fn a_bad_script_is_answered_with_what_is_wrong() {
        check(
            &[user(format!("x\n```script\n{}\n```", json!([[{"oops": 1}]])))],
            "bad script: unknown action: {\"oops\":1}",
        );
    }
}
