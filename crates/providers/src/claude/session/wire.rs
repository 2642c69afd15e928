//! A message as Claude Code takes it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use claude_sdk::UserMessage;
use domain::{AttachmentKind, ErrorCode, InputKind, Timestamp};
use serde_json::{Value, json};

use crate::{Prompt, PromptFile, SendError};

/// What the name of a wish to shorten the context begins with.
pub(in crate::claude) const COMPACTION: &str = "compact:";
/// What the name of a message begins with; of older ones it is nothing but the last part.
const MESSAGE: &str = "message:";
/// The command that shortens it.
const COMPACT: &str = "/compact";

/// A name for a message that is given at this time: by it the message is found, and where the
/// conversation goes back to with it, also by a later run of Baton.
pub(super) fn key(kind: InputKind, at: Timestamp, back: Option<&str>, uuid: &str) -> String {
    let kind = match kind {
        InputKind::Message => MESSAGE,
        InputKind::Compact => COMPACTION,
    };
    match back {
        Some(back) => format!("{kind}{at}:{back}:{uuid}"),
        None => format!("{kind}{at}:{uuid}"),
    }
}

/// The name of a message in the session. Of what the agent does by itself it keeps another.
pub(in crate::claude) fn uuid(key: &str) -> &str {
    key.rsplit(':').next().unwrap_or(key)
}

/// When a message, or a wish to shorten the context, was given.
pub(in crate::claude) fn given_at(key: &str) -> Option<Timestamp> {
    let rest = key.strip_prefix(COMPACTION).or_else(|| key.strip_prefix(MESSAGE))?;
    rest.split_once(':')?.0.parse().ok()
}

/// The last line of the transcript that counts with a message, when the conversation goes back.
pub(super) fn back(key: &str) -> Option<&str> {
    let rest = key.strip_prefix(COMPACTION).or_else(|| key.strip_prefix(MESSAGE))?;
    let (back, _) = rest.split_once(':')?.1.split_once(':')?;
    Some(back)
}

/// What kind of act a message of this name is.
pub(in crate::claude) fn kind(key: &str) -> InputKind {
    if key.starts_with(COMPACTION) { InputKind::Compact } else { InputKind::Message }
}

pub(super) async fn message(prompt: &Prompt) -> Result<UserMessage, SendError> {
    let uuid = uuid(&prompt.key).to_owned();
    if prompt.kind == InputKind::Compact {
        return Ok(UserMessage { uuid, content: json!(COMPACT) });
    }
    if prompt.attachments.is_empty() {
        return Ok(UserMessage { uuid, content: json!(prompt.text) });
    }
    let mut blocks = Vec::with_capacity(prompt.attachments.len() + 1);
    for file in &prompt.attachments {
        blocks.push(block(file).await?);
    }
    if !prompt.text.trim().is_empty() {
        blocks.push(json!({ "type": "text", "text": prompt.text }));
    }
    Ok(UserMessage { uuid, content: Value::Array(blocks) })
}

/// A file as the model's interface takes it: whole, so that it needs no right to read anything.
async fn block(file: &PromptFile) -> Result<Value, SendError> {
    let unreadable = |error: &dyn std::fmt::Display| SendError {
        code: ErrorCode::Rejected,
        message: format!("`{}` could not be read again: {error}", file.name),
    };
    let bytes = tokio::fs::read(&file.path).await.map_err(|error| unreadable(&error))?;
    let mime = file.kind.mime();
    let source =
        || json!({ "type": "base64", "media_type": mime, "data": BASE64_STANDARD.encode(&bytes) });
    Ok(match file.kind {
        AttachmentKind::Text => {
            let text = String::from_utf8_lossy(&bytes);
            json!({ "type": "text", "text": format!("<file name=\"{}\">\n{text}\n</file>", file.name) })
        }
        AttachmentKind::Pdf => json!({ "type": "document", "source": source() }),
        _ => json!({ "type": "image", "source": source() }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_and_when_a_message_is_and_where_it_goes_back_to() {
        for kind_of in [InputKind::Message, InputKind::Compact] {
            let plain = key(kind_of, 7, None, "u-1");
            assert_eq!((uuid(&plain), given_at(&plain), back(&plain)), ("u-1", Some(7), None));
            let gone_back = key(kind_of, 7, Some("b-2"), "u-1");
            assert_eq!((uuid(&gone_back), kind(&gone_back)), ("u-1", kind_of));
            assert_eq!((given_at(&gone_back), back(&gone_back)), (Some(7), Some("b-2")));
        }
        assert_eq!((uuid("u-1"), given_at("u-1"), back("u-1")), ("u-1", None, None));
    }
}
