//! What a person's own settings let Claude Code do unasked, whatever a thread's access, where their
//! rules cannot be kept from counting (`rules`): an administrator has set up the agent. They are told
//! where its state is shown.

use std::path::Path;

use domain::{ProviderProblem, ProviderProblemKind};
use serde_json::Value;

use crate::shared::files::{self, Broken};
use crate::shared::shorten;

/// Rules that are named; of more their number is told.
const NAMED: usize = 4;

/// The problem that the settings in this directory of Claude Code's are, if they are one. Reads the
/// disk.
pub(super) fn problem(config: &Path) -> Option<ProviderProblem> {
    let file = config.join("settings.json");
    let message = match files::read(&file) {
        Ok(text) => {
            let settings: Value = serde_json::from_str(&text?).ok()?;
            sentence(&file, &settings)?
        }
        Err(Broken(why)) => format!("{} could not be read: {why}", file.display()),
    };
    let message = shorten::line(&message);
    Some(ProviderProblem { kind: ProviderProblemKind::Configuration, message })
}

fn sentence(file: &Path, settings: &Value) -> Option<String> {
    let rules = settings.get("permissions")?.get("allow")?.as_array()?;
    let rules: Vec<&str> = rules.iter().filter_map(Value::as_str).collect();
    let named: Vec<String> = rules.iter().take(NAMED).map(|rule| format!("`{rule}`")).collect();
    if named.is_empty() {
        return None;
    }
    let more = match rules.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "your own settings let Claude Code do {}{more} without asking, in supervised threads too: \
         take it out of `permissions.allow` in {} to be asked",
        named.join(", "),
        file.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_allow_are_told_and_others_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let told = |text: &str| {
            std::fs::write(dir.path().join("settings.json"), text).unwrap();
            problem(dir.path()).map(|problem| problem.message)
        };
        assert_eq!(problem(dir.path()), None, "there is no such file");
        assert_eq!(told("{}"), None);
        assert_eq!(told(r#"{"permissions":{"allow":[],"deny":["Bash"]}}"#), None);
        let one = told(r#"{"permissions":{"allow":["Bash(git push:*)"]}}"#).unwrap();
        assert!(one.contains("`Bash(git push:*)` without asking, in supervised"), "{one}");
        let many = told(r#"{"permissions":{"allow":["A","B","C","D","E","F"]}}"#).unwrap();
        assert!(many.contains("`D` and 2 more"), "{many}");
    }
}
