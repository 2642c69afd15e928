//! QR codes of links.

use qrcodegen::{QrCode, QrCodeEcc};

/// The code of a text, row by row: `1` is dark. The quiet zone around it is left to who draws it.
/// `None` when the text is too long for any code.
pub(crate) fn rows(text: &str) -> Option<Vec<String>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let row = |y| (0..code.size()).map(|x| if code.get_module(x, y) { '1' } else { '0' }).collect();
    Some((0..code.size()).map(row).collect())
}
