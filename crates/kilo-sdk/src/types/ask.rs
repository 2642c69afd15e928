//! What a session waits for an answer to.
//!
//! Somebody waits for each of these, so one is never lost over its shape: what is not as expected
//! is taken for what it comes nearest to. Only the id is needed, for without it none can be
//! answered.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::ids::{MessageId, NetworkWaitId, PermissionId, QuestionId, SessionId};

/// A request for permission.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PermissionRequest {
    /// Its id.
    #[serde(deserialize_with = "lenient")]
    pub id: PermissionId,
    /// The session that asks; a sub-agent's has an id of its own.
    #[serde(rename = "sessionID", deserialize_with = "lenient")]
    pub session_id: SessionId,
    /// What for: `bash`, `edit`, `external_directory`, `doom_loop`, `<server>_<tool>`, …
    #[serde(deserialize_with = "lenient")]
    pub permission: String,
    /// What it applies to: commands, paths.
    #[serde(deserialize_with = "texts")]
    pub patterns: Vec<String>,
    /// Facts by permission: `command`, `filepath` and `diff`, `url`, …
    #[serde(deserialize_with = "lenient")]
    pub metadata: Map<String, Value>,
    /// The patterns that "always" would allow.
    #[serde(deserialize_with = "lenient")]
    pub always: Vec<String>,
    /// The tool call that asks. There is none for `doom_loop`, and for attached files, which ask
    /// before their turn has begun.
    #[serde(deserialize_with = "lenient")]
    pub tool: Option<ToolRef>,
}

/// A tool call, by its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ToolRef {
    /// The message it is in.
    #[serde(rename = "messageID", deserialize_with = "lenient")]
    pub message_id: MessageId,
    /// The model's id of the call.
    #[serde(rename = "callID", deserialize_with = "lenient")]
    pub call_id: String,
}

/// Questions to the user, answered together.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct QuestionRequest {
    /// Its id.
    #[serde(deserialize_with = "lenient")]
    pub id: QuestionId,
    /// The session that asks.
    #[serde(rename = "sessionID", deserialize_with = "lenient")]
    pub session_id: SessionId,
    /// The questions.
    #[serde(deserialize_with = "questions")]
    pub questions: Vec<Question>,
    /// Whether nothing goes on until it is answered.
    #[serde(deserialize_with = "lenient")]
    pub blocking: Option<bool>,
    /// The tool call that asks; `None` when Kilo itself asks (see [`Question::key`]).
    #[serde(deserialize_with = "lenient")]
    pub tool: Option<ToolRef>,
}

/// One question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Question {
    /// The question.
    #[serde(deserialize_with = "lenient")]
    pub question: String,
    /// A label of a word or two.
    #[serde(deserialize_with = "lenient")]
    pub header: String,
    /// The choices.
    #[serde(deserialize_with = "options")]
    pub options: Vec<QuestionOption>,
    /// Whether several may be chosen.
    #[serde(deserialize_with = "lenient")]
    pub multiple: bool,
    /// The choice to propose, by its label.
    #[serde(deserialize_with = "lenient")]
    pub default: Option<String>,
    /// Whether an answer in free text is possible; it is unless this is `false`.
    #[serde(deserialize_with = "lenient")]
    pub custom: Option<bool>,
    /// Kilo's key of a question of its own: `plan.followup.question`,
    /// `snapshot.slowRepo.question`.
    #[serde(rename = "questionKey", deserialize_with = "lenient")]
    pub key: Option<String>,
}

/// One choice. It is answered by its label, in the language it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct QuestionOption {
    /// The choice.
    #[serde(deserialize_with = "lenient")]
    pub label: String,
    /// What it means.
    #[serde(deserialize_with = "lenient")]
    pub description: String,
    /// Kilo's key of a choice of its own: `plan.followup.answer.continue`, …
    #[serde(rename = "labelKey", deserialize_with = "lenient")]
    pub key: Option<String>,
}

/// A session waiting for the network, for ever.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NetworkWait {
    /// Its id.
    #[serde(deserialize_with = "lenient")]
    pub id: NetworkWaitId,
    /// The session that waits.
    #[serde(rename = "sessionID", deserialize_with = "lenient")]
    pub session_id: SessionId,
    /// What failed.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    /// Whether the network is back.
    #[serde(deserialize_with = "lenient")]
    pub restored: bool,
}

impl PermissionRequest {
    pub(crate) fn is_named(&self) -> bool {
        !self.id.as_str().is_empty()
    }
}

impl QuestionRequest {
    pub(crate) fn is_named(&self) -> bool {
        !self.id.as_str().is_empty()
    }
}

impl NetworkWait {
    pub(crate) fn is_named(&self) -> bool {
        !self.id.as_str().is_empty()
    }
}

/// Reads a list of requests; what could not be answered is left out.
pub(crate) fn asks<T: DeserializeOwned>(raw: &[Box<RawValue>], named: fn(&T) -> bool) -> Vec<T> {
    let read = raw.iter().filter_map(|raw| {
        let read: Option<T> = serde_json::from_str(raw.get()).ok();
        let read = read.filter(named);
        if read.is_none() {
            tracing::warn!(bytes = raw.get().len(), "a request was left out: it has no id");
        }
        read
    });
    read.collect()
}

/// The default for what is of another type.
fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

/// Texts; what is none is given as its JSON, so that nothing that is asked about is hidden.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(elements(Value::deserialize(deserializer)?).into_iter().map(text).collect())
}

/// Questions, of which none may be left out: they are answered by their place.
fn questions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Question>, D::Error> {
    let question = |value: Value| match value {
        Value::Object(_) => serde_json::from_value(value).unwrap_or_default(),
        other => Question { question: text(other), ..Question::default() },
    };
    Ok(elements(Value::deserialize(deserializer)?).into_iter().map(question).collect())
}

/// Choices; they are answered by their labels.
fn options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<QuestionOption>, D::Error> {
    let option = |value: Value| match value {
        Value::Object(_) => serde_json::from_value(value).unwrap_or_default(),
        other => QuestionOption { label: text(other), ..QuestionOption::default() },
    };
    let mut options: Vec<QuestionOption> =
        elements(Value::deserialize(deserializer)?).into_iter().map(option).collect();
    options.retain(|option| !option.label.is_empty());
    Ok(options)
}

fn elements(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values,
        single => vec![single],
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_odd_request_hides_neither_itself_nor_the_others() {
        let list = json!([
            { "id": "per_1", "sessionID": "ses_1", "permission": { "of": "bash" },
              "patterns": ["ls", { "glob": "*" }], "always": "all", "metadata": [], "tool": "bash" },
            { "sessionID": "ses_1", "permission": "bash" },
            { "id": 7, "sessionID": "ses_1" },
            "nothing",
            { "id": "per_2", "sessionID": "ses_2", "permission": "edit", "patterns": null },
        ]);
        let raw: Vec<Box<RawValue>> = serde_json::from_str(&list.to_string()).unwrap();
        let read = asks(&raw, PermissionRequest::is_named);
        let ids: Vec<&str> = read.iter().map(|ask| ask.id.as_str()).collect();
        assert_eq!(ids, ["per_1", "per_2"]);
        assert_eq!(read[0].patterns, ["ls", r#"{"glob":"*"}"#]);
        // Nothing wide can be allowed that was not understood.
        assert_eq!((read[0].permission.as_str(), read[0].always.len()), ("", 0));
        assert_eq!(read[1].permission, "edit");
    }

    #[test]
    fn odd_questions_keep_their_places() {
        let ask = json!({ "id": "que_1", "sessionID": "ses_1", "questions": [
            "And?", { "question": "Which?", "header": 7, "options": ["one", { "label": "two" }, {}] },
        ] });
        let ask: QuestionRequest = serde_json::from_value(ask).unwrap();
        assert_eq!(ask.questions[0].question, "And?");
        let labels: Vec<&str> = ask.questions[1].options.iter().map(|o| o.label.as_str()).collect();
        assert_eq!((ask.questions[1].question.as_str(), labels), ("Which?", vec!["one", "two"]));
    }
}
