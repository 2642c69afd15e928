//! Files that go with messages: taken, given back, and deleted when nothing refers to them.

use std::time::Duration;

use domain::{
    Attachment, AttachmentId, AttachmentKind, MAX_ATTACHMENT_BYTES, ModelSelection, ProviderId,
    file_name,
};

use super::Engine;
use crate::EngineError;

/// How often files are looked for that no message refers to.
const CLEANING: Duration = Duration::from_secs(24 * 60 * 60);

impl Engine {
    /// Takes a file that is to go with a message. The same bytes again are the same file. One that
    /// no message is sent with within a day is deleted.
    ///
    /// # Errors
    /// [`EngineError::AttachmentTooLarge`], [`EngineError::AttachmentUnsupported`] for what no
    /// agent can be given, or a store that cannot write.
    pub async fn attach(&self, name: &str, bytes: Vec<u8>) -> Result<Attachment, EngineError> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > MAX_ATTACHMENT_BYTES {
            return Err(EngineError::AttachmentTooLarge);
        }
        let kind = AttachmentKind::of(&bytes).ok_or(EngineError::AttachmentUnsupported)?;
        let store = self.shared.store.clone();
        // Whole, even when whoever sends it goes away meanwhile.
        let id = super::whole(async move { Ok(store.keep_attachment(bytes).await?) }).await?;
        Ok(Attachment { id, name: file_name(name), kind, bytes: size })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`EngineError::UnknownAttachment`].
    pub async fn attachment(
        &self,
        id: &AttachmentId,
    ) -> Result<(AttachmentKind, Vec<u8>), EngineError> {
        let bytes = self.shared.store.attachment(id).await?;
        let bytes = bytes.ok_or(EngineError::UnknownAttachment)?;
        let kind = AttachmentKind::of(&bytes).ok_or(EngineError::UnknownAttachment)?;
        Ok((kind, bytes))
    }

    /// Finds files that were taken, by what they are called in a message.
    ///
    /// # Errors
    /// [`EngineError::UnknownAttachment`] when one is not there any more.
    pub async fn attachments(
        &self,
        named: Vec<(AttachmentId, String)>,
    ) -> Result<Vec<Attachment>, EngineError> {
        let mut found = Vec::with_capacity(named.len());
        for (id, name) in named {
            let (kind, bytes) = self.attachment(&id).await?;
            let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            found.push(Attachment { id, name: file_name(&name), kind, bytes });
        }
        Ok(found)
    }

    /// Refuses files that the model cannot look at, rather than have them left out silently.
    pub(super) fn check_abilities(
        &self,
        provider: &ProviderId,
        model: &ModelSelection,
        files: &[Attachment],
    ) -> Result<(), EngineError> {
        let inventory = self.provider(provider)?.inventory();
        let inventory = inventory.borrow();
        let Some(known) = inventory.models.iter().find(|m| m.id == model.model) else {
            return Ok(());
        };
        let unseen = files.iter().find(|file| match file.kind {
            AttachmentKind::Pdf => !known.abilities.pdf,
            AttachmentKind::Text => false,
            AttachmentKind::Png
            | AttachmentKind::Jpeg
            | AttachmentKind::Gif
            | AttachmentKind::Webp => !known.abilities.images,
        });
        match unseen {
            // What a person added by hand is not known to be unable.
            Some(file) if !known.custom => Err(EngineError::ModelCannotRead {
                model: known.name.clone(),
                file: file.name.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Deletes what nothing refers to, now and then, for as long as the engine is there.
    pub(super) fn clean_attachments(&self) {
        let shared = std::sync::Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            while let Some(shared) = shared.upgrade() {
                match shared.store.drop_attachments().await {
                    Ok(0) => {}
                    Ok(files) => tracing::info!(files, "attached files nobody sent were deleted"),
                    Err(error) => tracing::warn!(%error, "attached files could not be cleaned up"),
                }
                drop(shared);
                tokio::time::sleep(CLEANING).await;
            }
        });
    }
}
