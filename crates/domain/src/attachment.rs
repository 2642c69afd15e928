//! Files that go with a message.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::AttachmentId;

/// The most files that go with one message.
pub const MAX_ATTACHMENTS: usize = 20;
/// The largest file, in bytes.
pub const MAX_ATTACHMENT_BYTES: u64 = 10 * 1024 * 1024;
/// How much the files of one message may be together, in bytes: an agent repeats each as text.
pub const MAX_MESSAGE_BYTES: u64 = 20 * 1024 * 1024;
/// The longest name of a file, in characters.
pub const MAX_FILE_NAME: usize = 200;

/// A file that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Attachment {
    /// Its id, made of what is in it.
    pub id: AttachmentId,
    /// What the person calls it; no path.
    pub name: String,
    /// What it is, found by looking into it.
    pub kind: AttachmentKind,
    /// How large it is, in bytes.
    pub bytes: u64,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A PNG image.
    Png,
    /// A JPEG image.
    Jpeg,
    /// A GIF image.
    Gif,
    /// A WebP image.
    Webp,
    /// A PDF document.
    Pdf,
    /// Text in UTF-8.
    Text,
}

impl AttachmentKind {
    /// Says what a file is by what is in it; `None` for what cannot be attached.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let begins = |with: &[u8]| bytes.starts_with(with);
        if begins(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if begins(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if begins(b"GIF87a") || begins(b"GIF89a") {
            Some(Self::Gif)
        } else if begins(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else if begins(b"%PDF-") {
            Some(Self::Pdf)
        } else {
            let text = std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'));
            text.then_some(Self::Text)
        }
    }

    /// Its media type.
    #[must_use]
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain",
        }
    }

    /// Whether it is a picture.
    #[must_use]
    pub fn is_image(self) -> bool {
        match self {
            Self::Png | Self::Jpeg | Self::Gif | Self::Webp => true,
            Self::Pdf | Self::Text => false,
        }
    }
}

impl AttachmentId {
    /// The id of what has this hash (SHA-256, of which the first half counts).
    #[must_use]
    pub fn of_hash(hash: &[u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        Self::from_uuid(Uuid::from_bytes(half))
    }
}

/// A name as it may be shown and told: the last part of a path, without what controls a terminal.
#[must_use]
pub fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !c.is_control()).take(MAX_FILE_NAME).collect();
    match kept.trim() {
        "" | "." | ".." => "file".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_what_is_in_them() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some(AttachmentKind::Png)),
            (b"\xff\xd8\xff\xe0", Some(AttachmentKind::Jpeg)),
            (b"GIF89a", Some(AttachmentKind::Gif)),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(AttachmentKind::Webp)),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"%PDF-1.7", Some(AttachmentKind::Pdf)),
            ("caf\u{e9}".as_bytes(), Some(AttachmentKind::Text)),
            (b"", Some(AttachmentKind::Text)),
            (b"PK\x03\x04\0", None),
            (b"\xff\xfe", None),
        ] {
            assert_eq!(AttachmentKind::of(bytes), kind, "{bytes:?}");
        }
    }

    #[test]
    fn names_are_no_paths() {
        for (name, kept) in [
            ("a.png", "a.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\dir\\b.txt", "b.txt"),
            ("..", "file"),
            ("", "file"),
            ("a\u{1b}[31mb\n", "a[31mb"),
        ] {
            assert_eq!(file_name(name), kept);
        }
    }
}
