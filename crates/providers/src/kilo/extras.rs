//! Kilo's slash commands and MCP servers in a directory, as Baton shows them.

use std::collections::HashMap;
use std::sync::Arc;

use domain::{AgentCommand, CommandSource, ErrorCode, Extras, McpServer, McpState};
use kilo_sdk::types::{Command, McpStatus};

use super::server::Kind;
use super::{Shared, workspace_of};
use crate::{OpenError, Place};

/// Commands that are listed; of more, the first by name.
const MAX_COMMANDS: usize = 500;
/// MCP servers that are listed; of more, the first by name.
const MAX_SERVERS: usize = 100;
/// The longest description, hint or reason, in characters.
const MAX_TEXT: usize = 400;
/// The longest name, in characters. Something longer is left out: it could not be used cut.
const MAX_NAME: usize = 200;
/// Kilo's command that goes on after its turn, in turns that nobody here began (7.7.7, measured).
pub(super) const ENDLESS: &str = "goal";

impl Shared {
    /// Reads what there is. The first question about a directory makes its instance, which
    /// waits for its MCP servers to connect or fail (Kilo 7.7.7); later ones take milliseconds.
    pub(super) async fn extras(self: &Arc<Self>, place: &Place) -> Result<Extras, OpenError> {
        let workspace = workspace_of(&place.workspace, place.trusted).await?;
        self.face.configured().await?;
        let held = self.server(Kind::of(place.trusted)).await?;
        let instance = held.server.client().at(&workspace);
        let commands = instance.commands().await.map_err(|e| failed(&e))?;
        let states = instance.mcp().await.map_err(|e| failed(&e))?;
        let sign_in = |name: &str| self.in_terminal(place, &["mcp", "auth", name]);
        Ok(Extras { commands: listed(commands), servers: servers(states, sign_in) })
    }
}

/// The commands by name; skills are among them.
fn listed(commands: Vec<Command>) -> Vec<AgentCommand> {
    let mut listed: Vec<_> =
        commands.into_iter().filter(|command| is_offered(&command.name)).map(command).collect();
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    listed.dedup_by(|a, b| a.name == b.name);
    listed.truncate(MAX_COMMANDS);
    listed
}

fn command(command: Command) -> AgentCommand {
    let source = match command.source.as_deref() {
        Some("skill") => CommandSource::Skill,
        Some("mcp") => CommandSource::Mcp,
        // `review` is told without a source (Kilo 7.7.7).
        _ => CommandSource::Command,
    };
    // Placeholders such as `$ARGUMENTS` and `$1` only tell that there are arguments.
    let words = command.hints.iter().find(|hint| !hint.starts_with('$'));
    AgentCommand {
        description: cut(command.description.as_deref().unwrap_or_default()),
        source,
        hint: words.map(|hint| cut(hint)),
        // What is typed after a skill's name is put below its text.
        takes_arguments: !command.hints.is_empty() || source == CommandSource::Skill,
        name: command.name,
    }
}

/// The MCP servers by name.
fn servers(states: HashMap<String, McpStatus>, sign_in: impl Fn(&str) -> String) -> Vec<McpServer> {
    let mut servers: Vec<_> = states
        .into_iter()
        .filter(|(name, _)| is_name(name))
        .map(|(name, status)| McpServer { state: state(&name, status, &sign_in), name })
        .collect();
    servers.sort_by(|a, b| a.name.cmp(&b.name));
    servers.truncate(MAX_SERVERS);
    servers
}

fn state(name: &str, status: McpStatus, sign_in: impl Fn(&str) -> String) -> McpState {
    let McpStatus { status, error } = status;
    match status.as_str() {
        "connected" => McpState::Connected,
        "disabled" => McpState::Disabled,
        // One that knows no unknown clients wants a client id in the configuration; it says so.
        "failed" | "needs_client_registration" => {
            McpState::Failed { message: cut(error.as_deref().unwrap_or_default()) }
        }
        "needs_auth" => McpState::NeedsSignIn { command: sign_in(name) },
        other => McpState::Other { word: cut(other) },
    }
}

fn is_offered(name: &str) -> bool {
    is_name(name) && name != ENDLESS
}

/// Whether something can be called by this name, which a repository may have chosen.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= MAX_NAME
        && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A text as one line, cut.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

fn failed(error: &kilo_sdk::Error) -> OpenError {
    OpenError {
        code: ErrorCode::AgentUnavailable,
        message: format!("Kilo did not say which commands and MCP servers it has here: {error}"),
        hint: Some("try again; if it goes on, restart Kilo in the settings".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Command {
        Command { name: name.to_owned(), ..Command::default() }
    }

    #[test]
    fn what_is_listed_is_bounded_and_can_be_typed() {
        let many = (0..600).map(|n| named(&format!("c{n:03}")));
        let odd = ["", "two words", "line\nend", ENDLESS].map(named);
        let long = named(&"x".repeat(MAX_NAME + 1));
        let commands = listed(many.chain(odd).chain([long, named("c000")]).collect());
        assert_eq!(commands.len(), MAX_COMMANDS);
        assert_eq!((commands[0].name.as_str(), commands[1].name.as_str()), ("c000", "c001"));

        let told = Command {
            description: Some(format!("one\n two {}", "é".repeat(MAX_TEXT))),
            hints: vec!["$ARGUMENTS".to_owned()],
            ..named("told")
        };
        let told = command(told);
        assert!(told.description.starts_with("one two é") && told.description.ends_with('…'));
        assert_eq!(told.description.chars().count(), MAX_TEXT + 1);
        assert_eq!((told.hint, told.takes_arguments), (None, true), "a placeholder is no hint");
    }

    #[test]
    fn every_state_of_a_server_is_told_apart() {
        let status = |status: &str, error: Option<&str>| McpStatus {
            status: status.to_owned(),
            error: error.map(str::to_owned),
        };
        let states = HashMap::from([
            ("a".to_owned(), status("connected", None)),
            ("b".to_owned(), status("failed", Some("no such\n program"))),
            ("c".to_owned(), status("needs_auth", None)),
            ("d".to_owned(), status("disabled", None)),
            ("e".to_owned(), status("napping", None)),
        ]);
        let told = servers(states, |name| format!("sign in to {name}"));
        let states: Vec<_> = told.into_iter().map(|server| server.state).collect();
        assert_eq!(
            states,
            [
                McpState::Connected,
                McpState::Failed { message: "no such program".to_owned() },
                McpState::NeedsSignIn { command: "sign in to c".to_owned() },
                McpState::Disabled,
                McpState::Other { word: "napping".to_owned() },
            ]
        );
    }
}
