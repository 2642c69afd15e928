//! A message as Codex takes it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::{AttachmentKind, ErrorCode, InputKind};
use serde_json::{Value, json};

use crate::{Prompt, PromptFile, SendError};

/// The parts of a message.
pub(super) async fn of(prompt: &Prompt) -> Result<Vec<Value>, SendError> {
    if prompt.kind == InputKind::Compact {
        return Ok(Vec::new());
    }
    let mut parts = Vec::with_capacity(prompt.attachments.len() + 1);
    if !prompt.text.trim().is_empty() {
        parts.push(text(&prompt.text));
    }
    for file in &prompt.attachments {
        parts.push(file_part(file).await?);
    }
    Ok(parts)
}

/// A part that is text.
pub(super) fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text, "text_elements": [] })
}

/// A file as Codex takes it: whole, so that it needs no right to read anything and the session
/// keeps it. Codex 0.169.0 takes images alone; text is said in the message.
async fn file_part(file: &PromptFile) -> Result<Value, SendError> {
    let rejected = |message: String| SendError { code: ErrorCode::Rejected, message };
    let bytes = tokio::fs::read(&file.path)
        .await
        .map_err(|error| rejected(format!("`{}` could not be read again: {error}", file.name)))?;
    match file.kind {
        AttachmentKind::Png | AttachmentKind::Jpeg | AttachmentKind::Gif | AttachmentKind::Webp => {
            let mime = file.kind.mime();
            let url = format!("data:{mime};base64,{}", BASE64_STANDARD.encode(bytes));
            Ok(json!({ "type": "image", "url": url }))
        }
        AttachmentKind::Text => {
            let said = String::from_utf8_lossy(&bytes);
            Ok(text(&format!("The file `{}`:\n\n{said}", file.name)))
        }
        AttachmentKind::Pdf => Err(rejected(format!(
            "`{}` is a PDF document, which Codex does not take: attach its text or images of it",
            file.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Mode, ModelSelection, TurnId};

    use super::*;

    #[tokio::test]
    async fn files_go_whole_and_what_codex_does_not_take_is_said() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("stored");
        std::fs::write(&path, "words").unwrap();
        let prompt = |kind| Prompt {
            turn: TurnId::parse("trn_00000000000000000000000000000007").unwrap(),
            key: "k".to_owned(),
            kind: InputKind::Message,
            text: "Look.".to_owned(),
            attachments: vec![PromptFile { name: "notes".to_owned(), kind, path: path.clone() }],
            model: ModelSelection { model: "m".to_owned(), option: None },
            mode: Mode::Build,
        };
        let parts = of(&prompt(AttachmentKind::Text)).await.unwrap();
        assert_eq!(parts[1]["text"], "The file `notes`:\n\nwords");
        let parts = of(&prompt(AttachmentKind::Png)).await.unwrap();
        assert_eq!(parts[1]["url"], "data:image/png;base64,d29yZHM=");
        let refused = of(&prompt(AttachmentKind::Pdf)).await.unwrap_err();
        assert!(refused.message.contains("notes"), "{refused:?}");
        std::fs::remove_file(&path).unwrap();
        let refused = of(&prompt(AttachmentKind::Text)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Rejected);
    }
}
