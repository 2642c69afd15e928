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
}

impl Notes {
    /// Puts the server into `dir`, which must be there.
    ///
    /// # Errors
    /// When the script cannot be written.
    pub fn at(dir: &Path) -> io::Result<Self> {
        let script = dir.join("notes-mcp.sh");
        fs::write(&script, include_str!("mcp/notes.sh"))?;
        Ok(Self { script, file: dir.join("notes.txt") })
    }

    /// The server as Kilo's configuration names it, under `mcp`.
    #[must_use]
    pub fn kilo_config(&self) -> Value {
        json!({ "type": "local", "command": ["sh", &self.script, &self.file] })
    }

    /// How many notes were added.
    #[must_use]
    pub fn count(&self) -> usize {
        fs::read_to_string(&self.file).map_or(0, |notes| notes.lines().count())
    }
}
