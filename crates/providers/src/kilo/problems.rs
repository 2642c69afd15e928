//! What is wrong with Kilo although it can be used, gathered from where it is seen.

use domain::{ProviderProblem, ProviderProblemKind};
use kilo_sdk::types::ConfigWarning;

use super::Shared;
use super::router::Generation;

/// Problems that are shown; of more, the latest.
const MAX_PROBLEMS: usize = 12;
/// The longest problem, in characters: Kilo quotes whole files.
const MAX_CHARS: usize = 500;

/// Where a problem was seen. What a source tells replaces what it told before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The configuration as it is in force outside of projects.
    User,
    /// The configuration as it is in force in a directory.
    Directory(String),
    /// A server.
    Server(Generation, ProviderProblemKind),
}

impl Shared {
    /// Replaces what a source told.
    pub(super) fn set_problems(&self, source: &Source, problems: Vec<ProviderProblem>) {
        let mut known = self.problems();
        let before = known.len();
        known.retain(|(of, _)| of != source);
        if problems.is_empty() && known.len() == before {
            return;
        }
        known.extend(problems.into_iter().map(|problem| (source.clone(), problem)));
        let more = known.len().saturating_sub(MAX_PROBLEMS);
        known.drain(..more);
        // Under the lock, so that what was told last is what is shown.
        self.face.status.send_if_modified(|status| {
            let shown = shown(&known);
            let changed = status.problems != shown;
            status.problems = shown;
            changed
        });
    }

    /// Forgets what was told of a server that is gone.
    pub(super) fn clear_problems(&self, generation: Generation) {
        let kinds = [
            ProviderProblemKind::NotAnswering,
            ProviderProblemKind::Memory,
            ProviderProblemKind::Processor,
            ProviderProblemKind::UnknownEvents,
        ];
        for kind in kinds {
            self.set_problems(&Source::Server(generation, kind), Vec::new());
        }
    }
}

/// Each problem once; a broken file of the user's is seen from every directory.
fn shown(known: &[(Source, ProviderProblem)]) -> Vec<ProviderProblem> {
    let mut shown: Vec<ProviderProblem> = Vec::new();
    for (_, problem) in known {
        if !shown.contains(problem) {
            shown.push(problem.clone());
        }
    }
    shown
}

/// What Kilo says of its configuration, each part by itself. Kilo 7.7.7 says some things twice.
pub(super) fn of_configuration(warnings: &[ConfigWarning]) -> Vec<ProviderProblem> {
    warnings
        .iter()
        .map(|warning| {
            let mut lines: Vec<&str> = Vec::new();
            for line in warning.message.lines().map(str::trim).filter(|line| !line.is_empty()) {
                if !lines.contains(&line) && !lines.iter().any(|known| known.ends_with(line)) {
                    lines.push(line);
                }
            }
            let said = lines.join("; ");
            let said = if said.contains(&warning.path) {
                said
            } else {
                format!("{}: {said}", warning.path)
            };
            let message = said.chars().take(MAX_CHARS).collect();
            ProviderProblem { kind: ProviderProblemKind::Configuration, message }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_part_is_named_once() {
        let bash = "permission.bash: Expected \"ask\", got \"maybe\"";
        let warning = ConfigWarning {
            path: "/home/x/kilo.json".to_owned(),
            message: format!("Configuration is invalid at /home/x/kilo.json: {bash}\n{bash}"),
        };
        let problems = of_configuration(&[warning]);
        let said: Vec<_> = problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(said, [format!("Configuration is invalid at /home/x/kilo.json: {bash}")]);
    }
}
