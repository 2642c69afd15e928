//! From a step's actions to what the server does, lazily: a script may ask for millions of chunks.

use std::time::Duration;

use serde_json::{Value, json};

use super::protocol::Usage;
use super::script::{Action, Pace, Step};

/// One thing the server does for a step, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Send the headers.
    Open,
    /// Send a piece of text.
    Text(String),
    /// Send a piece of reasoning.
    Reasoning(String),
    /// Send a call of a tool, the step's `index`th.
    Tool {
        index: usize,
        name: String,
        arguments: String,
    },
    /// Send an error.
    Error(Value),
    Sleep(Duration),
    Wait(String),
    Cut,
    Hang,
    /// End the body as it is.
    End,
    /// End the body properly, for this reason.
    Finish(String),
}

pub(crate) type Ops = Box<dyn Iterator<Item = Op> + Send>;

/// Expands a step; refusals are the caller's business and are skipped here.
pub(crate) fn ops(step: &Step) -> Ops {
    let mut tools = 0;
    let mut each: Vec<Ops> = Vec::new();
    for action in step {
        match action {
            Action::Text(text, pace) => each.push(chunks(text, pace, Op::Text)),
            Action::Reasoning(text, pace) => each.push(chunks(text, pace, Op::Reasoning)),
            Action::Tool { name, arguments } => {
                let (name, arguments) = (name.clone(), arguments.clone());
                each.push(one(Op::Tool { index: tools, name, arguments }));
                tools += 1;
            }
            Action::Delay(delay) => each.push(one(Op::Sleep(*delay))),
            Action::Wait(gate) => each.push(one(Op::Wait(gate.clone()))),
            Action::Open => each.push(one(Op::Open)),
            Action::Cut => each.push(one(Op::Cut)),
            Action::End => each.push(one(Op::End)),
            Action::Hang => each.push(one(Op::Hang)),
            Action::ErrorChunk(error) => each.push(one(Op::Error(error.clone()))),
            Action::Finish(_) | Action::Usage(_) | Action::Status { .. } => {}
        }
    }
    each.push(one(Op::Finish(reason(step))));
    Box::new(each.into_iter().flatten())
}

fn one(op: Op) -> Ops {
    Box::new(std::iter::once(op))
}

fn chunks(text: &str, pace: &Pace, op: fn(String) -> Op) -> Ops {
    let pieces = cut(text, &pace.sizes);
    let delay = pace.delay;
    let rounds = 0..pace.repeat.unwrap_or(1);
    Box::new(rounds.flat_map(move |_| pieces.clone()).flat_map(move |piece| {
        let pause = (!delay.is_zero()).then_some(Op::Sleep(delay));
        std::iter::once(op(piece)).chain(pause)
    }))
}

/// Cuts a text into pieces of the given numbers of characters, the last number repeated.
fn cut(text: &str, sizes: &[usize]) -> Vec<String> {
    let Some(last) = sizes.last() else {
        return vec![text.to_owned()];
    };
    let mut characters = text.chars();
    let mut sizes = sizes.iter().chain(std::iter::repeat(last));
    let mut pieces = Vec::new();
    while let Some(size) = sizes.next().filter(|_| !characters.as_str().is_empty()) {
        pieces.push(characters.by_ref().take(*size).collect());
    }
    pieces
}

/// Returns why the step ends.
fn reason(step: &Step) -> String {
    let told = step.iter().find_map(|action| match action {
        Action::Finish(told) => Some(told.clone()),
        _ => None,
    });
    let calls = step.iter().any(|action| matches!(action, Action::Tool { .. }));
    told.unwrap_or_else(|| if calls { "tool_calls" } else { "stop" }.to_owned())
}

/// Returns the tokens a step uses: those it tells, or about as many as it has words.
pub(crate) fn usage(step: &Step, prompt_tokens: u64) -> Usage {
    let mut written: u64 = 0;
    for action in step {
        match action {
            Action::Text(text, pace) | Action::Reasoning(text, pace) => {
                let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
                written = written.saturating_add(length.saturating_mul(pace.repeat.unwrap_or(1)));
            }
            Action::Usage(told) => return Usage(told.clone()),
            _ => {}
        }
    }
    let completion_tokens = written / 4 + 1;
    Usage(json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;

    fn play(script: &Script) -> Vec<Op> {
        ops(script.steps.first().unwrap()).collect()
    }

    #[test]
    fn texts_are_cut_by_characters_and_the_last_size_repeats() {
        assert_eq!(cut("äöü→x", &[1, 2]), ["ä", "öü", "→x"]);
        assert_eq!(cut("abcdefg", &[1, 3]), ["a", "bcd", "efg"]);
        assert_eq!(cut("abc", &[9]), ["abc"]);
        assert_eq!(cut("abc", &[]), ["abc"]);
        assert!(cut("", &[3]).is_empty());
    }

    #[test]
    fn calls_are_numbered_and_end_the_step() {
        let played = play(&Script::new().tool("a", json!({})).tool("b", json!({ "x": 1 })));
        let call = |index, name: &str, arguments: &str| {
            let (name, arguments) = (name.to_owned(), arguments.to_owned());
            Op::Tool { index, name, arguments }
        };
        let end = Op::Finish("tool_calls".to_owned());
        assert_eq!(played, [call(0, "a", "{}"), call(1, "b", r#"{"x":1}"#), end]);
    }

    #[test]
    fn repeats_are_lazy_and_paced() {
        let delay = Duration::from_millis(3);
        let script = Script::new().repeat("ab", u64::MAX, delay);
        let first: Vec<Op> = ops(&script.steps[0]).take(3).collect();
        let piece = Op::Text("ab".to_owned());
        assert_eq!(first, [piece.clone(), Op::Sleep(delay), piece]);
    }

    #[test]
    fn told_reason_and_usage_win() {
        let script = Script::new().text("x").usage(5, 6).finish("length");
        assert_eq!(play(&script).last(), Some(&Op::Finish("length".to_owned())));
        let told = usage(&script.steps[0], 100);
        assert_eq!((told.prompt(), told.answer()), (5, 6));
        let estimated = usage(&Script::new().text("12345678").steps[0], 100);
        assert_eq!((estimated.prompt(), estimated.answer()), (100, 3));
    }
}
