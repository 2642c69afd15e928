//! Which changes of files are plain edits: inside the workspace, and of nothing that steers programs.

use std::path::{Component, Path};

/// What inside a workspace steers programs, agents among them: a change there is no plain edit.
const STEERING: [&str; 10] = [
    ".git",
    ".codex",
    ".agents",
    ".claude",
    ".kilo",
    ".kilocode",
    ".opencode",
    ".mcp.json",
    "kilo.json",
    "kilo.jsonc",
];

/// Whether a path within a workspace is, or lies in, what steers programs.
pub(crate) fn steers(inside: &Path) -> bool {
    let mut parts = inside.components().map(Component::as_os_str);
    parts.any(|part| STEERING.iter().any(|name| part.eq_ignore_ascii_case(name)))
}

/// Whether every path, with the links on the way to it followed, lies inside the workspace and in
/// nothing that steers programs. Reads the disk.
pub(crate) fn lies_inside(paths: &[String], workspace: &Path) -> bool {
    let Ok(root) = workspace.canonicalize() else { return false };
    paths.iter().all(|path| {
        // What is there of it says where it leads; the rest is yet to be made.
        let mut there = Path::new(path);
        loop {
            // A link that leads nowhere yet would be followed by whoever writes.
            if there.is_symlink() && !there.exists() {
                return false;
            }
            match (there.canonicalize(), there.parent()) {
                (Ok(real), _) => {
                    let new = Path::new(path).strip_prefix(there).unwrap_or(there);
                    let back = |part: Component<'_>| part == Component::ParentDir;
                    return real.strip_prefix(&root).is_ok_and(|inside| !steers(inside))
                        && !steers(new)
                        && !new.components().any(back);
                }
                (Err(_), Some(parent)) => there = parent,
                (Err(_), None) => return false,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = dir.path().join("w");
        std::fs::create_dir_all(workspace.join("sub")).unwrap();
        std::os::unix::fs::symlink(dir.path(), workspace.join("out")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("none"), workspace.join("dangling")).unwrap();
        let inside = |name: &str| {
            lies_inside(&[workspace.join(name).to_string_lossy().into_owned()], &workspace)
        };
        assert!(inside("new") && inside("sub/new/file"));
        assert!(!inside("out/file") && !inside("dangling"));
        assert!(!inside("sub/.codex/new") && !inside("none/../../file"), "what is yet to be made");
        std::fs::create_dir(workspace.join(".git")).unwrap();
        std::os::unix::fs::symlink(".git", workspace.join("plain")).unwrap();
        assert!(!inside("plain/hooks/pre-commit"), "a link to what steers programs");
    }
}
