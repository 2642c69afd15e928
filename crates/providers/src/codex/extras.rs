//! Codex's skills and MCP servers in a directory, as Baton shows them. A skill is used like a slash
//! command: by its name at the beginning of a message.

use std::path::Path;
use std::sync::Arc;

use codex_sdk::types::{McpServerStatus, Page, Skill, Skills};
use codex_sdk::{Client, Error};
use domain::{AgentCommand, CommandSource, Extras, McpServer, McpState};
use serde_json::{Value, json};

use super::{NAME, Shared};
use crate::shared::face;
use crate::shared::places::must_be;
use crate::shared::shorten::line;
use crate::{OpenError, Place};

/// Skills that are listed; of more, the first by name.
const MAX_COMMANDS: usize = 500;
/// MCP servers that are listed; of more, the first by name.
const MAX_SERVERS: usize = 100;
/// The longest name, in characters. Something longer is left out: it could not be used cut.
const MAX_NAME: usize = 200;

impl Shared {
    /// Reads what there is.
    pub(super) async fn extras(self: &Arc<Self>, place: &Place) -> Result<Extras, OpenError> {
        must_be(&place.workspace).await?;
        self.face.configured().await?;
        let held = self.server().await?;
        let client = held.server.client();
        let skills =
            skills(client, &place.workspace).await.map_err(|e| face::not_opened(NAME, &e))?;
        let mut commands: Vec<_> = skills.iter().map(command).collect();
        commands.sort_by(|a, b| a.name.cmp(&b.name));
        commands.dedup_by(|a, b| a.name == b.name);
        commands.truncate(MAX_COMMANDS);
        // Of a directory's own servers nothing is told without a thread in it (0.169.0).
        let params = json!({ "limit": MAX_SERVERS, "detail": "toolsAndAuthOnly" });
        let page: Page<McpServerStatus> = client
            .request("mcpServerStatus/list", params)
            .await
            .map_err(|e| face::not_opened(NAME, &e))?;
        let mut servers: Vec<_> =
            page.data.iter().filter(|server| is_name(&server.name)).map(server).collect();
        servers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Extras { commands, servers })
    }
}

/// The skills that can be used in a directory.
async fn skills(client: &Client, directory: &Path) -> Result<Vec<Skill>, Error> {
    let params = json!({ "cwds": [directory] });
    let page: Page<Skills> = client.request("skills/list", params).await?;
    let all = page.data.into_iter().flat_map(|entry| entry.skills);
    Ok(all.filter(|skill| skill.enabled && is_name(&skill.name)).collect())
}

/// The skill that a message begins with, as Codex takes it beside the words.
pub(super) async fn named(client: &Client, directory: &Path, text: &str) -> Option<Value> {
    let name = text.strip_prefix('/')?.split_whitespace().next()?;
    match skills(client, directory).await {
        Ok(skills) => {
            let skill = skills.into_iter().find(|skill| skill.name == name)?;
            Some(json!({ "type": "skill", "name": skill.name, "path": skill.path }))
        }
        Err(error) => {
            tracing::warn!(%error, "the skills of Codex could not be read");
            None
        }
    }
}

fn command(skill: &Skill) -> AgentCommand {
    AgentCommand {
        name: skill.name.clone(),
        description: line(&skill.description),
        source: CommandSource::Skill,
        hint: None,
        takes_arguments: true,
    }
}

fn server(server: &McpServerStatus) -> McpServer {
    let word = |value: &Value| {
        let word = value.as_str().or_else(|| value.get("status").and_then(Value::as_str));
        word.or_else(|| value.get("type").and_then(Value::as_str)).map(str::to_owned)
    };
    let state = match (word(&server.auth_status).as_deref(), word(&server.runtime_status)) {
        (Some("notLoggedIn"), _) => {
            McpState::NeedsSignIn { command: format!("codex mcp login {}", server.name) }
        }
        _ if !server.tools.is_empty() => McpState::Connected,
        (_, Some(word)) => McpState::Other { word: line(&word) },
        (_, None) => McpState::Failed { message: String::new() },
    };
    McpServer { name: server.name.clone(), state }
}

/// Whether something can be called by this name, which a repository may have chosen.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.chars().count() <= MAX_NAME
        && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}
