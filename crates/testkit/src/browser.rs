//! Finds a Chromium for the browser tests.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;

/// The names a Chromium goes by, best first.
pub const NAMES: &[&str] =
    &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Finds a Chromium: the one `CHROMIUM` names, else the first of [`NAMES`] on the `PATH`.
#[must_use]
pub fn find() -> Option<PathBuf> {
    find_in(env::var_os("CHROMIUM").as_deref(), env::var_os("PATH").as_deref())
}

fn find_in(named: Option<&OsStr>, path: Option<&OsStr>) -> Option<PathBuf> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let dirs: Vec<PathBuf> = env::split_paths(path?).collect();
    let places = NAMES.iter().flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    places.into_iter().find(|place| place.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_the_named_one_then_the_order_of_names() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().as_os_str();
        assert_eq!(find_in(None, Some(path)), None);
        std::fs::write(dir.path().join("google-chrome"), "")?;
        assert_eq!(find_in(None, Some(path)), Some(dir.path().join("google-chrome")));
        std::fs::write(dir.path().join("chromium"), "")?;
        assert_eq!(find_in(None, Some(path)), Some(dir.path().join("chromium")));
        let named = OsStr::new("/opt/chrome");
        assert_eq!(find_in(Some(named), Some(path)), Some(PathBuf::from("/opt/chrome")));
        Ok(())
    }
}
