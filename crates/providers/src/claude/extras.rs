//! The slash commands and MCP servers that Claude Code has in a directory: it is started there
//! without a conversation, and asked.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use claude_sdk::Launch;
use domain::{AgentCommand, CommandSource, Extras, McpServer, McpState};
use serde_json::{Value, json};

use super::mapper::text;
use super::{Shared, errors};
use crate::shared::places;
use crate::shared::shorten::line;
use crate::{OpenError, Place};

/// Commands and servers that are told.
const MAX_TOLD: usize = 500;
/// How long it may take to say how its servers are.
const ASKED: Duration = Duration::from_secs(10);

impl Shared {
    /// Asks for what there is in a directory (1 to 2 s).
    pub(super) async fn extras(self: &Arc<Self>, place: &Place) -> Result<Extras, OpenError> {
        places::must_be(&place.workspace).await?;
        let program = self.program().await?;
        let mut launch = Launch::new(program, &place.workspace);
        launch.persist = false;
        self.restrict(&mut launch, place.trusted);
        let started = self.launch(launch).await;
        let (agent, _frames, ready) =
            started.map_err(|error| errors::not_usable(&error.to_string()))?;
        let status = agent.control(json!({ "subtype": "mcp_status" }), ASKED).await;
        agent.stop("it has told what it has", Duration::from_secs(2)).await;
        let status = status.map_err(|error| errors::not_usable(&error.to_string()))?;
        Ok(Extras { commands: commands(&ready.commands), servers: servers(&status) })
    }
}

fn commands(told: &[Value]) -> Vec<AgentCommand> {
    let mut seen = HashSet::new();
    let command = |told: &Value| {
        let name = text(told, "name").to_owned();
        let hint = Some(line(text(told, "argumentHint"))).filter(|hint| !hint.is_empty());
        let is_new = !name.is_empty() && seen.insert(name.clone());
        is_new.then(|| AgentCommand {
            name,
            description: line(text(told, "description")),
            // It does not say what a command is made of (2.1.197).
            source: CommandSource::Command,
            hint,
            takes_arguments: true,
        })
    };
    told.iter().filter_map(command).take(MAX_TOLD).collect()
}

fn servers(told: &Value) -> Vec<McpServer> {
    let list = told.get("mcpServers").and_then(Value::as_array);
    let server = |told: &Value| McpServer {
        name: line(text(told, "name")),
        state: match text(told, "status") {
            "connected" => McpState::Connected,
            "disabled" => McpState::Disabled,
            "failed" => McpState::Failed { message: line(text(told, "error")) },
            "needs-auth" => McpState::NeedsSignIn { command: "claude /mcp".to_owned() },
            other => McpState::Other { word: line(other) },
        },
    };
    list.into_iter().flatten().take(MAX_TOLD).map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_once_and_servers_with_their_state() {
        let told = [
            json!({ "name": "review", "description": "Looks", "argumentHint": "[pr]" }),
            json!({ "name": "review", "description": "Again", "argumentHint": "" }),
        ];
        let commands = commands(&told);
        assert_eq!((commands.len(), commands[0].hint.as_deref()), (1, Some("[pr]")));
        let told = json!({ "mcpServers": [
            { "name": "notes", "status": "connected" },
            { "name": "far", "status": "failed", "error": "no" },
            { "name": "new", "status": "pending" },
        ] });
        let states: Vec<_> = servers(&told).into_iter().map(|server| server.state).collect();
        let failed = McpState::Failed { message: "no".to_owned() };
        assert_eq!(states[..2], [McpState::Connected, failed]);
        assert!(matches!(&states[2], McpState::Other { .. }));
    }
}
