//! A message as Claude Code takes it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use claude_sdk::UserMessage;
use domain::{AttachmentKind, ErrorCode, InputKind, Timestamp};
use serde_json::{Value, json};

use crate::{Prompt, PromptFile, SendError};

/// What the name of a wish to shorten the context begins with.
pub(in crate::claude) const COMPACTION: &str = "compact:";
/// The command that shortens it.
const COMPACT: &str = "/compact";

/// The name of a message in the session. Of a wish to shorten the context the agent keeps another.
pub(in crate::claude) fn uuid(key: &str) -> &str {
    key.rsplit(':').next().unwrap_or(key)
}

/// When a wish to shorten the context was made.
pub(in crate::claude) fn wished_at(key: &str) -> Option<Timestamp> {
    key.strip_prefix(COMPACTION)?.split_once(':')?.0.parse().ok()
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
