//! A message as Kilo takes it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::{ErrorCode, InputKind, Mode};
use kilo_sdk::types::ModelRef;
use kilo_sdk::{MessageId, Prompt as KiloPrompt, PromptPart};

use crate::{Prompt, PromptFile, SendError};

/// What the name of a compaction begins with, until Kilo has given it one: the rest is older than
/// the message Kilo makes of it.
pub(in crate::kilo) const COMPACTION: &str = "compact:";
/// What the name of a command's message begins with, until Kilo has the message: what the command
/// did by then is in no session, so it is not run again.
pub(in crate::kilo) const COMMAND: &str = "command:";

/// What a message is called, taken apart.
pub(in crate::kilo) enum Key {
    /// A message that Kilo has, or may have.
    Message(MessageId),
    /// The message of a command that had not been seen yet.
    Command(MessageId),
    /// A compaction whose message is newer than this.
    Compaction(MessageId),
}

impl Key {
    pub(in crate::kilo) fn parse(key: &str) -> Self {
        if let Some(older) = key.strip_prefix(COMPACTION) {
            Self::Compaction(older.into())
        } else if let Some(message) = key.strip_prefix(COMMAND) {
            Self::Command(message.into())
        } else {
            Self::Message(key.into())
        }
    }

    pub(super) fn kind(&self) -> InputKind {
        match self {
            Self::Message(_) | Self::Command(_) => InputKind::Message,
            Self::Compaction(_) => InputKind::Compact,
        }
    }

    pub(in crate::kilo) fn message(self) -> MessageId {
        match self {
            Self::Message(id) | Self::Command(id) | Self::Compaction(id) => id,
        }
    }
}

pub(super) async fn wire_prompt(prompt: &Prompt) -> Result<KiloPrompt, SendError> {
    let model = ModelRef::parse(&prompt.model.model).ok_or_else(|| SendError {
        code: ErrorCode::Rejected,
        message: format!(
            "`{}` does not name a model of Kilo: expected providerID/modelID",
            prompt.model.model
        ),
    })?;
    let mut parts = Vec::with_capacity(prompt.attachments.len() + 1);
    if !prompt.text.trim().is_empty() {
        parts.push(PromptPart::Text { text: prompt.text.clone() });
    }
    for file in &prompt.attachments {
        parts.push(file_part(file).await?);
    }
    Ok(KiloPrompt {
        message_id: Key::parse(&prompt.key).message(),
        agent: Some(agent(prompt.mode).to_owned()),
        model: Some(model),
        variant: prompt.model.option.clone(),
        system: None,
        parts,
    })
}

/// A file as Kilo takes it: whole, in a `data:` URL, so that it needs no right to read anything and
/// the session keeps it. Text is shown to the model as text (Kilo 7.7.7).
async fn file_part(file: &PromptFile) -> Result<PromptPart, SendError> {
    let bytes = tokio::fs::read(&file.path).await.map_err(|error| SendError {
        code: ErrorCode::Rejected,
        message: format!("`{}` could not be read again: {error}", file.name),
    })?;
    let mime = file.kind.mime();
    Ok(PromptPart::File {
        mime: mime.to_owned(),
        filename: Some(file.name.clone()),
        url: format!("data:{mime};base64,{}", BASE64_STANDARD.encode(bytes)),
    })
}

/// The one agent of each mode; both are built into Kilo.
pub(in crate::kilo) fn agent(mode: Mode) -> &'static str {
    match mode {
        Mode::Build => "code",
        Mode::Plan => "plan",
    }
}

#[cfg(test)]
mod tests {
    use domain::{AttachmentKind, ModelSelection, TurnId};

    use super::*;

    #[tokio::test]
    async fn a_message_whose_file_cannot_be_read_any_more_is_refused_with_the_file_s_name() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("stored");
        std::fs::write(&path, "words").unwrap();
        let file = PromptFile {
            name: "notes.txt".to_owned(),
            kind: AttachmentKind::Text,
            path: path.clone(),
        };
        let prompt = Prompt {
            turn: TurnId::parse("trn_00000000000000000000000000000007").unwrap(),
            key: "msg_1".to_owned(),
            kind: InputKind::Message,
            text: "Read this.".to_owned(),
            attachments: vec![file],
            model: ModelSelection { model: "mock/m1".to_owned(), option: None },
            mode: Mode::Build,
        };
        assert_eq!(wire_prompt(&prompt).await.unwrap().parts.len(), 2);
        std::fs::remove_file(path).unwrap();
        let refused = wire_prompt(&prompt).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Rejected);
        assert!(refused.message.contains("notes.txt"), "{refused:?}");
    }

    #[test]
    fn what_a_message_is_called_says_which_it_is_whether_or_not_it_was_seen() {
        for (key, kind) in [
            ("msg_1", InputKind::Message),
            ("command:msg_1", InputKind::Message),
            ("compact:msg_1", InputKind::Compact),
        ] {
            let parsed = Key::parse(key);
            assert_eq!((parsed.kind(), parsed.message().as_str()), (kind, "msg_1"), "{key}");
        }
    }
}
