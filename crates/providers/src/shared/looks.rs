//! What is said of an agent's installation.

use agent_program::LocateError;
use domain::{ProviderState, ProviderStatus};
use tokio::sync::watch;

use crate::OpenError;
use crate::contract::unavailable;

/// A state with its sentence and the command that mends it.
pub(crate) struct Said {
    pub(crate) state: ProviderState,
    pub(crate) message: String,
    pub(crate) fix: Option<String>,
}

impl Said {
    /// The state of a provider that a person switched off.
    pub(crate) fn switched_off() -> Self {
        Self { state: ProviderState::Disabled, message: "switched off".to_owned(), fix: None }
    }
}

/// The commands that mend an agent's installation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remedies {
    pub(crate) install: &'static str,
    pub(crate) update: &'static str,
}

impl Remedies {
    /// The state an installation problem means. When the settings name a program, installing
    /// another one would not help.
    pub(crate) fn describe(self, error: &LocateError, configured: bool) -> Said {
        let (state, fix) = match error {
            LocateError::NotFound { .. } => (ProviderState::NotInstalled, self.install),
            LocateError::WrongProgram { .. } => (ProviderState::WrongProgram, self.install),
            LocateError::TooOld { .. } => (ProviderState::TooOld, self.update),
            LocateError::Broken { .. } => (ProviderState::Broken, self.install),
        };
        let message = match error {
            LocateError::Broken { stderr, .. } if !stderr.is_empty() => {
                format!("{error}: {}", plain(&stderr.join(" ")))
            }
            other => other.to_string(),
        };
        if configured {
            let advice = "correct the program in the settings, or clear it to have it looked for";
            return Said { state, message: format!("{message}; {advice}"), fix: None };
        }
        Said { state, message, fix: Some(fix.to_owned()) }
    }

    /// The same as the reason why no session is opened.
    pub(crate) fn refusal(self, error: &LocateError, configured: bool) -> OpenError {
        let said = self.describe(error, configured);
        let hint = said.fix.map(|command| format!("run `{command}` in a terminal"));
        unavailable(&said.message, hint.as_deref())
    }
}

/// The state of an installation whose program does not start. A hint is a sentence, while a fix is
/// a command to run, so the hint becomes part of the message.
pub(crate) fn broken(error: OpenError) -> Said {
    let message = match error.hint {
        Some(hint) => format!("{}; {hint}", error.message),
        None => error.message,
    };
    Said { state: ProviderState::Broken, message, fix: None }
}

/// Shows that a look is in progress for as long as it is, also when its caller gives up.
pub(crate) struct Checking<'a>(&'a watch::Sender<ProviderStatus>);

impl<'a> Checking<'a> {
    pub(crate) fn begin(status: &'a watch::Sender<ProviderStatus>) -> Self {
        status.send_modify(|status| status.checking = true);
        Self(status)
    }
}

impl Drop for Checking<'_> {
    fn drop(&mut self) {
        self.0.send_if_modified(|status| std::mem::take(&mut status.checking));
    }
}

/// What a program wrote for a terminal, without colours and other control codes.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                // A control sequence ends with its first letter.
                let _ = chars.by_ref().find(char::is_ascii_alphabetic);
            }
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::unavailable;

    #[test]
    fn a_hint_is_told_and_not_offered_as_a_command() {
        let said = broken(unavailable("Kilo is slow", Some("try again; the machine may be busy")));
        assert_eq!(said.message, "Kilo is slow; try again; the machine may be busy");
        assert_eq!(said.fix, None);
    }

    #[test]
    fn what_was_written_for_a_terminal_is_made_plain() {
        assert_eq!(plain("\u{1b}[91m\u{1b}[1mError: \u{1b}[0mbad\r\n\tline"), "Error: bad\n\tline");
        assert_eq!(plain("plain ünïcode"), "plain ünïcode");
    }
}
