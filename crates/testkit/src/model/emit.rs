//! From a step's actions to what goes over the wire, lazily: a script may ask for millions of chunks.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::{Action, Pace, Step};

/// One thing the server does for a step, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Send the headers.
    Open,
    /// Send a chunk with this `delta`.
    Delta(Value),
    /// Send a chunk with this `error`.
    Error(Value),
    Sleep(Duration),
    Wait(String),
    Cut,
    Hang,
    /// End the body as it is.
    End,
    /// Send the reason and the usage, and end the body properly.
    Finish {
        reason: String,
        usage: Value,
    },
}

pub(crate) type Ops = Box<dyn Iterator<Item = Op> + Send>;

/// Expands a step; refusals are the caller's business and are skipped here.
pub(crate) fn ops(step: &Step, call: &str, prompt_tokens: u64) -> Ops {
    let finish = finish(step, prompt_tokens);
    let mut tools = 0;
    let mut each: Vec<Ops> = Vec::new();
    for action in step {
        match action {
            Action::Text(text, pace) => each.push(chunks(text, pace, "content")),
            Action::Reasoning(text, pace) => each.push(chunks(text, pace, "reasoning_content")),
            Action::Tool { name, arguments } => {
                each.push(one(tool_call(tools, call, name, arguments)));
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
    each.push(one(finish));
    Box::new(each.into_iter().flatten())
}

fn one(op: Op) -> Ops {
    Box::new(std::iter::once(op))
}

fn tool_call(index: usize, call: &str, name: &str, arguments: &str) -> Op {
    Op::Delta(json!({ "tool_calls": [{
        "index": index,
        "id": format!("call_{call}_{index}"),
        "type": "function",
        "function": { "name": name, "arguments": arguments },
    }] }))
}

fn chunks(text: &str, pace: &Pace, field: &'static str) -> Ops {
    let pieces = cut(text, &pace.sizes);
    let delay = pace.delay;
    let rounds = 0..pace.repeat.unwrap_or(1);
    Box::new(rounds.flat_map(move |_| pieces.clone()).flat_map(move |piece| {
        let pause = (!delay.is_zero()).then_some(Op::Sleep(delay));
        std::iter::once(Op::Delta(json!({ field: piece }))).chain(pause)
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

fn finish(step: &Step, prompt_tokens: u64) -> Op {
    let mut reason = "stop".to_owned();
    let mut told_reason = None;
    let mut told_usage = None;
    let mut written: u64 = 0;
    for action in step {
        match action {
            Action::Text(text, pace) | Action::Reasoning(text, pace) => {
                let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
                written = written.saturating_add(length.saturating_mul(pace.repeat.unwrap_or(1)));
            }
            Action::Tool { .. } => "tool_calls".clone_into(&mut reason),
            Action::Finish(told) => told_reason = Some(told.clone()),
            Action::Usage(told) => told_usage = Some(told.clone()),
            Action::Delay(_)
            | Action::Wait(_)
            | Action::Open
            | Action::Status { .. }
            | Action::Cut
            | Action::End
            | Action::Hang
            | Action::ErrorChunk(_) => {}
        }
    }
    let completion_tokens = written / 4 + 1;
    let usage = told_usage.unwrap_or_else(|| {
        json!({
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        })
    });
    Op::Finish { reason: told_reason.unwrap_or(reason), usage }
}

#[cfg(test)]
mod tests {
    use super::super::script::Script;
    use super::*;

    fn play(script: &Script) -> Vec<Op> {
        ops(script.steps.first().unwrap(), "7", 100).collect()
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
    fn parallel_calls_share_a_message_and_finish_it() {
        let played = play(&Script::new().tool("a", json!({})).tool("b", json!({ "x": 1 })));
        let [Op::Delta(first), Op::Delta(second), Op::Finish { reason, usage }] = &played[..]
        else {
            panic!("{played:?}");
        };
        assert_eq!(first["tool_calls"][0]["id"], "call_7_0");
        assert_eq!(second["tool_calls"][0]["index"], 1);
        assert_eq!(second["tool_calls"][0]["function"]["arguments"], r#"{"x":1}"#);
        assert_eq!(reason, "tool_calls");
        assert_eq!(usage["prompt_tokens"], 100);
    }

    #[test]
    fn repeats_are_lazy_and_paced() {
        let delay = Duration::from_millis(3);
        let script = Script::new().repeat("ab", u64::MAX, delay);
        let first: Vec<Op> = ops(&script.steps[0], "0", 0).take(3).collect();
        let delta = Op::Delta(json!({ "content": "ab" }));
        assert_eq!(first, [delta.clone(), Op::Sleep(delay), delta]);
    }

    #[test]
    fn told_reason_and_usage_win() {
        let played = play(&Script::new().text("x").usage(5, 6).finish("length"));
        let Some(Op::Finish { reason, usage }) = played.last() else { panic!("{played:?}") };
        assert_eq!((reason.as_str(), &usage["total_tokens"]), ("length", &json!(11)));
    }
}
