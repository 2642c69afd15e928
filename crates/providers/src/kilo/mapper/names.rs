//! Whose a tool is: Kilo's own, or an MCP server's.

/// The MCP servers that are configured, as Kilo writes their names in tools and permissions.
///
/// Kilo 7.7.7 names a tool of a server `<server>_<tool>`, each with everything but letters,
/// digits, `_` and `-` replaced by `_`. Its own tools have underscores as well (`board_post`,
/// `kilo_local_recall`), and so may what a model makes up, so the name alone does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::kilo) struct Servers(Vec<String>);

impl Servers {
    /// The servers of these names.
    pub(in crate::kilo) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let written = |name: &str| -> String {
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            name.chars().map(|c| if legal(c) { c } else { '_' }).collect()
        };
        Self(names.map(written).filter(|name| !name.is_empty()).collect())
    }

    /// The server and the tool that a name means; of several servers the one named longest.
    pub(super) fn split<'a>(&self, name: &'a str) -> Option<(&'a str, &'a str)> {
        let longest = self
            .0
            .iter()
            .filter(|server| {
                let tool = name.strip_prefix(server.as_str()).and_then(|n| n.strip_prefix('_'));
                tool.is_some_and(|tool| !tool.is_empty())
            })
            .map(String::len)
            .max()?;
        Some((name.get(..longest)?, name.get(longest + 1..)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_server_is_configured_for_is_a_servers() {
        let servers = Servers::new(["notes", "my.notes", "notes_old"].into_iter());
        assert_eq!(servers.split("notes_add_note"), Some(("notes", "add_note")));
        assert_eq!(servers.split("notes_old_add"), Some(("notes_old", "add")));
        assert_eq!(servers.split("my_notes_add"), Some(("my_notes", "add")));
        for name in ["no_such_tool", "board_post", "notes", "notes_", "bash"] {
            assert_eq!(servers.split(name), None, "{name}");
        }
    }
}
