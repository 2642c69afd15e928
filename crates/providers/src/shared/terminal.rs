//! Commands for a person's terminal.

use std::path::Path;

/// The command line that runs these words in a directory.
pub(crate) fn command(directory: &Path, words: &[&str]) -> String {
    let call: Vec<_> = words.iter().copied().map(quoted).collect();
    format!("cd {} && {}", quoted(&directory.to_string_lossy()), call.join(" "))
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("/home/me/a-b_c.d"), "/home/me/a-b_c.d");
        assert_eq!(quoted("/my project's"), r"'/my project'\''s'");
        assert_eq!(quoted("$(rm -rf ~)"), "'$(rm -rf ~)'");
    }
}
