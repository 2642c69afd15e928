//! A tiny MCP server on stdio, for agents to use.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// An MCP server with two tools: `add_note` appends a line to a file, `look` reads nothing.
///
/// It is a shell script, so that it runs wherever the agents do and needs no build of its own.
#[derive(Debug, Clone)]
pub struct Notes {
    script: PathBuf,
    /// The file that `add_note` appends to.
    pub file: PathBuf,
    /// Whether it has tools that ask the person.
    asks: bool,
}

impl Notes {
    /// Puts the server into `dir`, which must be there.
    ///
    /// # Errors
    /// When the script cannot be written.
    pub fn at(dir: &Path) -> io::Result<Self> {
        let script = dir.join("notes-mcp.sh");
        fs::write(&script, include_str!("mcp/notes.sh"))?;
        Ok(Self { script, file: dir.join("notes.txt"), asks: false })
    }

    /// The server with two more tools, which ask the person through the agent: `ask_form` for a
    /// title, a colour and whether it is urgent, `ask_page` to open an address. The answers are
    /// written to the file as the agent sends them.
    #[must_use]
    pub fn asking(self) -> Self {
        Self { asks: true, ..self }
    }

    /// The server as Kilo's configuration names it, under `mcp`.
    #[must_use]
    pub fn kilo_config(&self) -> Value {
        let mut command = vec![json!("sh"), json!(self.script), json!(self.file)];
        command.extend(self.asks.then(|| json!("asks")));
        json!({ "type": "local", "command": command })
    }

    /// How many notes were added.
    #[must_use]
    pub fn count(&self) -> usize {
        fs::read_to_string(&self.file).map_or(0, |notes| notes.lines().count())
    }
}
