//! The data directory: who uses it, and how its server is reached.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use server::Token;

use crate::cli::Data;

/// The data directory, there and writable.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

/// The right to use a data directory, until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Whether the right was to be had.
pub(crate) enum Locking {
    /// It is ours.
    Ours(Lock),
    /// Another Baton has it; what that one wrote about itself, e.g. `4711 serve`.
    Theirs(String),
}

/// How the server of a data directory is reached; for its user's eyes only.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ServerFile {
    pub(crate) pid: u32,
    pub(crate) url: String,
    pub(crate) token: String,
}

impl DataDir {
    /// Makes sure that the directory is there.
    pub(crate) fn open(chosen: &Data) -> Result<Self> {
        let path = match &chosen.data_dir {
            Some(path) if !path.as_os_str().is_empty() => path.clone(),
            Some(_) | None => default_dir()?,
        };
        let advice = || {
            format!(
                "the data directory {} cannot be used; give this user the right to write there, \
                 or choose another with --data-dir",
                path.display()
            )
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&path).with_context(advice)?;
        Ok(Self(path.canonicalize().with_context(advice)?))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Takes the right to use the directory, which the system gives back however we end.
    pub(crate) fn lock(&self, role: &str) -> Result<Locking> {
        let path = self.0.join("lock");
        let mut file = private().read(true).truncate(false).open(&path).with_context(|| {
            format!(
                "the data directory {} cannot be written; give this user the right to, or choose \
                 another with --data-dir",
                self.0.display()
            )
        })?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                write!(file, "{} {role}", std::process::id()).map_err(|e| full_disk(&path, &e))?;
                Ok(Locking::Ours(Lock { _file: file }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // What it says is for people; nothing depends on it.
                let _ = file.take(100).read_to_string(&mut owner);
                Ok(Locking::Theirs(owner))
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} cannot be locked", path.display()))
            }
        }
    }

    /// The secret of command lines and scripts, drawn at the first start.
    pub(crate) fn token(&self) -> Result<Token> {
        let path = self.0.join("token");
        match fs::read_to_string(&path) {
            Ok(text) => {
                if let Some(token) = Token::parse(&text) {
                    return Ok(token);
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        }
        let token = Token::random().map_err(|e| anyhow!("the system has no randomness: {e}"))?;
        write_atomically(&path, token.reveal())?;
        Ok(token)
    }

    /// Tells command lines how to reach the server, until the guard is dropped.
    pub(crate) fn announce(&self, server: &ServerFile) -> Result<Temporary> {
        let path = self.0.join("server.json");
        write_atomically(&path, &serde_json::to_string_pretty(server)?)?;
        Ok(Temporary(path))
    }

    /// Writes a page that leads a browser to a link, until the guard is dropped. The link holds a
    /// secret, and the arguments of an opener's process are for every user of the machine to read.
    pub(crate) fn redirect(&self, link: &str) -> Result<Temporary> {
        let path = self.0.join("open.html");
        write_atomically(&path, &redirect_page(link))?;
        Ok(Temporary(path))
    }

    /// What the last server told about itself, whether or not it still runs.
    pub(crate) fn announced(&self) -> Option<ServerFile> {
        let text = fs::read_to_string(self.0.join("server.json")).ok()?;
        serde_json::from_str(&text).ok()
    }
}

/// A file that is taken away when this is dropped.
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // One that stays does no harm: nobody holds the lock any more, and the code is used or old.
        let _ = fs::remove_file(&self.0);
    }
}

fn redirect_page(link: &str) -> String {
    let link = link.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" \
         content=\"no-referrer\">\n<meta http-equiv=\"refresh\" content=\"0; url={link}\">\n\
         <title>Baton</title>\n<p><a href=\"{link}\">Open Baton</a></p>\n"
    )
}

/// The home directory.
pub(crate) fn home() -> Result<PathBuf> {
    match std::env::home_dir() {
        Some(home) if home.is_absolute() => Ok(home),
        Some(_) | None => bail!("the home directory is not known; set HOME"),
    }
}

fn default_dir() -> Result<PathBuf> {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|d| d.is_absolute());
    let data = match data {
        Some(data) => data,
        None => home()?.join(".local/share"),
    };
    Ok(data.join("baton"))
}

/// Writes a file so that nobody ever reads half of it, and nobody but the user reads it at all.
fn write_atomically(path: &Path, text: &str) -> Result<()> {
    let temporary = path.with_extension("tmp");
    let written = private()
        .truncate(true)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| full_disk(path, &error))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn full_disk(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full; free some space and start again"
        }
        _ => "give this user the right to write there, or choose another with --data-dir",
    };
    anyhow!("{} cannot be written ({error}); {advice}", path.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_redirect_is_for_its_user_alone_and_goes_away() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let data = DataDir(dir.path().to_owned());
        // One that an earlier run left gets the same mode as a new one.
        let left = dir.path().join("open.html");
        fs::write(&left, "old")?;
        fs::set_permissions(&left, fs::Permissions::from_mode(0o644))?;
        let page = data.redirect("http://127.0.0.1:4777/?a=1&b=\"#pair=AB12-CD34")?;
        assert_eq!(page.path(), left);
        assert_eq!(fs::metadata(page.path())?.permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(page.path())?;
        let link = "http://127.0.0.1:4777/?a=1&amp;b=&quot;#pair=AB12-CD34";
        assert!(text.contains(&format!("content=\"0; url={link}\"")), "{text}");
        assert!(text.contains(&format!("<a href=\"{link}\">")), "{text}");
        drop(page);
        assert_eq!(fs::read_dir(dir.path())?.count(), 0);
        Ok(())
    }
}
