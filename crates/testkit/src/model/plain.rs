//! What the model answers to people who write without a script.

use super::request::ChatRequest;
use super::script::{Script, Step};

/// Chooses the steps for what a person wrote.
pub(crate) fn steps(_words: &str, _request: &ChatRequest) -> Vec<Step> {
    Script::new().text("Hello.").steps
}
