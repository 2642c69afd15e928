//! The script language: what a prompt tells the model server to answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// What opens a script inside a prompt.
pub const FENCE: &str = "```script";

/// A script: what the model answers, call by call, to the message that carries it.
///
/// As JSON it is either the list of steps or `{"steps": […], "then": […], "id": "…"}`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script {
    /// Tells otherwise equal scripts apart where the server counts (see [`Action::Status`]).
    pub id: Option<String>,
    /// One entry per model call of the turn; past the last one the model says "Done.".
    pub steps: Vec<Step>,
    /// Steps for the messages after this one that carry no script of their own, such as Kilo's
    /// "Implement the plan above.": the first entry answers the first such message, and so on.
    pub then: Vec<Vec<Step>>,
}

/// What the model does in one call.
pub type Step = Vec<Action>;

/// One thing the model does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `{"text": "…"}`, with the fields of [`Pace`].
    Text(String, Pace),
    /// `{"reasoning": "…"}`, with the fields of [`Pace`]; sent as `reasoning_content`.
    Reasoning(String, Pace),
    /// `{"tool": "bash", "args": {…}}`, or `"raw": "…"` for arguments that need not be JSON.
    /// Several in one step are parallel calls of one message.
    Tool {
        /// The tool's name.
        name: String,
        /// The arguments, as the text that goes over the wire.
        arguments: String,
    },
    /// `{"delay_ms": 20}`.
    Delay(Duration),
    /// `{"wait": "gate"}`: pauses until the gate of that name is released, which is for good.
    Wait(String),
    /// `{"open": true}`: sends the response headers now. Without it they go with the first output,
    /// so that what a step does before its first output happens before the headers.
    Open,
    /// `{"status": 429, "body": …, "headers": {…}, "times": 1}`: refuses the call. Only as a
    /// step's first output. With `times`, only for the first so many calls of this step.
    Status {
        /// The HTTP status.
        status: u16,
        /// The body: an OpenAI error unless given; a text is sent as a page of HTML.
        body: Value,
        /// Further response headers, such as `retry-after`.
        headers: BTreeMap<String, String>,
        /// How many calls are refused before the step's other actions apply; all unless given.
        times: Option<u32>,
    },
    /// `{"cut": true}`: the connection is reset.
    Cut,
    /// `{"end": true}`: the body ends cleanly with no `finish_reason`.
    End,
    /// `{"hang": true}`: silence until the client gives up.
    Hang,
    /// `{"error_chunk": …}`: an SSE chunk that holds this value as `error`.
    ErrorChunk(Value),
    /// `{"finish": "length"}`: the `finish_reason`, instead of `stop` or `tool_calls`.
    Finish(String),
    /// `{"usage": {…}}`: the token usage, instead of one estimated from the texts.
    Usage(Value),
}

/// How a text is cut into chunks and how fast they come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    /// `"chunk": n`: characters per chunk. `"chunks": [sizes]`: the size of each chunk, the last
    /// of them repeated to the end. Neither: the whole text is one chunk.
    pub sizes: Vec<usize>,
    /// `"delay_ms": n`: the pause after each chunk.
    pub delay: Duration,
    /// `"repeat": n`: how often the text is sent.
    pub repeat: Option<u64>,
}

impl Pace {
    /// Cuts into chunks of `size` characters, `delay` apart.
    #[must_use]
    pub fn new(size: usize, delay: Duration) -> Self {
        Self { sizes: vec![size], delay, repeat: None }
    }
}

/// Why a prompt's script cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad script: {0}")]
pub struct ScriptError(pub(crate) String);

impl Script {
    /// Finds the script in a message. `None` when it carries none.
    ///
    /// The JSON value after the first [`FENCE`] counts and nothing behind it is looked at, so
    /// a script may hold other scripts inside its strings (the prompt of a `task` call).
    ///
    /// # Errors
    /// When what follows the fence is not a script; the message says what is wrong with it.
    pub fn find(message: &str) -> Result<Option<Self>, ScriptError> {
        let Some((_, rest)) = message.split_once(FENCE) else {
            return Ok(None);
        };
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => Self::from_value(value).map(Some),
            Some(Err(error)) => Err(ScriptError(error.to_string())),
            None => Err(ScriptError("nothing follows the fence".to_owned())),
        }
    }

    /// Reads a script from its JSON form.
    ///
    /// # Errors
    /// When it is not a script; the message says what is wrong with it.
    pub fn from_value(value: Value) -> Result<Self, ScriptError> {
        let mut fields = match value {
            Value::Array(steps) => {
                return Ok(Self { steps: read_steps(steps)?, ..Self::default() });
            }
            Value::Object(map) => Fields(map),
            other => return Err(ScriptError(format!("neither steps nor an object: {other}"))),
        };
        let id = fields.take("id")?;
        let steps = read_steps(fields.take("steps")?.unwrap_or_default())?;
        let then: Vec<Vec<Value>> = fields.take("then")?.unwrap_or_default();
        let then = then.into_iter().map(read_steps).collect::<Result<_, _>>()?;
        fields.end()?;
        Ok(Self { id, steps, then })
    }

    /// Returns the JSON form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let steps = write_steps(&self.steps);
        if self.id.is_none() && self.then.is_empty() {
            return steps;
        }
        let mut value = json!({ "steps": steps });
        if let Some(id) = &self.id {
            value["id"] = json!(id);
        }
        if !self.then.is_empty() {
            value["then"] = self.then.iter().map(|steps| write_steps(steps)).collect();
        }
        value
    }
}

fn read_steps(steps: Vec<Value>) -> Result<Vec<Step>, ScriptError> {
    let step = |(index, step): (usize, Value)| match step {
        Value::Array(actions) => actions.into_iter().map(Action::from_value).collect(),
        other => Err(ScriptError(format!("step {index} is not a list of actions: {other}"))),
    };
    steps.into_iter().enumerate().map(step).collect()
}

fn write_steps(steps: &[Step]) -> Value {
    let step = |step: &Step| step.iter().map(Action::to_value).collect::<Value>();
    steps.iter().map(step).collect()
}

impl Action {
    fn from_value(value: Value) -> Result<Self, ScriptError> {
        let Value::Object(map) = value else {
            return Err(ScriptError(format!("not an action: {value}")));
        };
        let mut fields = Fields(map);
        let action = Self::read(&mut fields)?;
        fields.end()?;
        Ok(action)
    }

    fn read(fields: &mut Fields) -> Result<Self, ScriptError> {
        if let Some(text) = fields.take("text")? {
            return Ok(Self::Text(text, Pace::read(fields)?));
        }
        if let Some(text) = fields.take("reasoning")? {
            return Ok(Self::Reasoning(text, Pace::read(fields)?));
        }
        if let Some(name) = fields.take("tool")? {
            let args: Option<Value> = fields.take("args")?;
            let raw: Option<String> = fields.take("raw")?;
            let arguments = raw.unwrap_or_else(|| args.unwrap_or_else(|| json!({})).to_string());
            return Ok(Self::Tool { name, arguments });
        }
        if let Some(status) = fields.take("status")? {
            return Ok(Self::Status {
                status,
                body: fields.take("body")?.unwrap_or(Value::Null),
                headers: fields.take("headers")?.unwrap_or_default(),
                times: fields.take("times")?,
            });
        }
        if let Some(milliseconds) = fields.take("delay_ms")? {
            return Ok(Self::Delay(Duration::from_millis(milliseconds)));
        }
        if let Some(gate) = fields.take("wait")? {
            return Ok(Self::Wait(gate));
        }
        if let Some(error) = fields.take("error_chunk")? {
            return Ok(Self::ErrorChunk(error));
        }
        if let Some(reason) = fields.take("finish")? {
            return Ok(Self::Finish(reason));
        }
        if let Some(usage) = fields.take("usage")? {
            return Ok(Self::Usage(usage));
        }
        let flags =
            [("open", Self::Open), ("cut", Self::Cut), ("end", Self::End), ("hang", Self::Hang)];
        for (name, action) in flags {
            if fields.take(name)? == Some(true) {
                return Ok(action);
            }
        }
        Err(ScriptError(format!("unknown action: {}", Value::Object(fields.0.clone()))))
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Text(text, pace) => pace.write(json!({ "text": text })),
            Self::Reasoning(text, pace) => pace.write(json!({ "reasoning": text })),
            Self::Tool { name, arguments } => match serde_json::from_str::<Value>(arguments) {
                Ok(args) => json!({ "tool": name, "args": args }),
                Err(_) => json!({ "tool": name, "raw": arguments }),
            },
            Self::Delay(delay) => json!({ "delay_ms": milliseconds(*delay) }),
            Self::Wait(gate) => json!({ "wait": gate }),
            Self::Open => json!({ "open": true }),
            Self::Status { status, body, headers, times } => {
                let mut value = json!({ "status": status, "body": body, "headers": headers });
                if let Some(times) = times {
                    value["times"] = json!(times);
                }
                value
            }
            Self::Cut => json!({ "cut": true }),
            Self::End => json!({ "end": true }),
            Self::Hang => json!({ "hang": true }),
            Self::ErrorChunk(error) => json!({ "error_chunk": error }),
            Self::Finish(reason) => json!({ "finish": reason }),
            Self::Usage(usage) => json!({ "usage": usage }),
        }
    }
}

impl Pace {
    fn read(fields: &mut Fields) -> Result<Self, ScriptError> {
        let one: Option<usize> = fields.take("chunk")?;
        let many: Option<Vec<usize>> = fields.take("chunks")?;
        let sizes = many.unwrap_or_else(|| one.into_iter().collect());
        if sizes.contains(&0) {
            return Err(ScriptError("a chunk of no characters".to_owned()));
        }
        let delay = Duration::from_millis(fields.take("delay_ms")?.unwrap_or(0));
        Ok(Self { sizes, delay, repeat: fields.take("repeat")? })
    }

    fn write(&self, mut value: Value) -> Value {
        match self.sizes.as_slice() {
            [] => {}
            [size] => value["chunk"] = json!(size),
            sizes => value["chunks"] = json!(sizes),
        }
        if !self.delay.is_zero() {
            value["delay_ms"] = json!(milliseconds(self.delay));
        }
        if let Some(repeat) = self.repeat {
            value["repeat"] = json!(repeat);
        }
        value
    }
}

fn milliseconds(delay: Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}

/// The fields of an action that nobody has read yet.
struct Fields(Map<String, Value>);

impl Fields {
    fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ScriptError> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        serde_json::from_value(value)
            .map(Some)
            .map_err(|error| ScriptError(format!("{name:?}: {error}")))
    }

    /// Refuses what is left: a misspelt field is a test that tests nothing.
    fn end(self) -> Result<(), ScriptError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(ScriptError(format!("{name:?} does not belong here"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_form_holds_everything() {
        let value = json!({
            "id": "a",
            "steps": [
                [{"reasoning": "hm", "chunk": 1}, {"text": "hello", "chunks": [1, 2], "delay_ms": 5, "repeat": 2}],
                [{"tool": "bash", "args": {"command": "ls"}}, {"tool": "bash", "raw": "{nope"}],
                [{"status": 429, "body": null, "headers": {"retry-after": "1"}, "times": 2}, {"open": true}],
                [{"delay_ms": 1}, {"wait": "g"}, {"error_chunk": {"message": "no"}}, {"finish": "length"}],
                [{"usage": {"prompt_tokens": 1}}, {"cut": true}, {"end": true}, {"hang": true}],
            ],
            "then": [[[{"text": "after"}]]],
        });
        let script = Script::from_value(value.clone()).unwrap();
        assert_eq!(script.to_value(), value);
    }

    #[test]
    fn a_script_may_hold_scripts() {
        let inner = "go\n```script\n[[{\"text\":\"inner\"}]]\n```";
        let outer = json!([[{ "tool": "task", "args": { "prompt": inner } }]]);
        let message = format!("outer\n```script\n{outer}\n```\ntrailing ``` words");
        let script = Script::find(&message).unwrap().unwrap();
        let Some([Action::Tool { arguments, .. }]) = script.steps.first().map(Vec::as_slice) else {
            panic!("{script:?}");
        };
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        let found = Script::find(arguments["prompt"].as_str().unwrap()).unwrap().unwrap();
        assert_eq!(found.steps, vec![vec![Action::Text("inner".to_owned(), Pace::default())]]);
    }

    #[test]
    fn mistakes_are_named() {
        #[track_caller]
        fn check(message: &str, expected: &str) {
            let error = Script::find(message).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        check("```script\n[{\"text\":\"flat\"}]", "step 0 is not a list of actions");
        check("```script\n[[{\"txet\":\"a\"}]]", "unknown action: {\"txet\":\"a\"}");
        check("```script\n[[{\"text\":\"a\",\"delay\":1}]]", "\"delay\" does not belong here");
        check("```script\n[[{\"text\":1}]]", "\"text\": invalid type");
        check("```script\n[[{\"text\":\"a\",\"chunk\":0}]]", "no characters");
        check("```script\n[[{", "EOF");
        check("```script\n", "nothing follows");
        assert_eq!(Script::find("no fence").unwrap(), None);
    }
}
