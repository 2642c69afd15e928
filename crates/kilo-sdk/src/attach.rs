//! Connecting to a server that somebody else started.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use reqwest::Url;
use semver::Version;
use serde::Deserialize;

use crate::client::{Client, Connection, Health, Limits};
use crate::error::Error;
use crate::locate::MINIMUM_VERSION;

/// Why a server that runs already is not used.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Its address is none of this machine. The connection is not encrypted.
    #[error("{url} is not an address on this machine, like http://127.0.0.1:4096")]
    NotLocal {
        /// The address.
        url: String,
    },
    /// It lets requests in without a password.
    #[error("the server at {url} answers without a password")]
    Unprotected {
        /// Where it is.
        url: String,
    },
    /// It does not take this password.
    #[error("the server at {url} refused the password")]
    Refused {
        /// Where it is.
        url: String,
    },
    /// It is too old, or no Kilo.
    #[error("the server at {url} is version `{version}`; at least {MINIMUM_VERSION} is needed")]
    TooOld {
        /// Where it is.
        url: String,
        /// What it said.
        version: String,
    },
    /// It is not there, or does not answer as it should.
    #[error("the server at {url} cannot be used: {source}")]
    Unhealthy {
        /// Where it is.
        url: String,
        /// Why.
        source: Error,
    },
}

/// Connects to a server that runs already on this machine, and looks whether it may be used. It is
/// not stopped by anything this crate does.
///
/// # Errors
/// As [`AttachError`] says.
pub async fn attach(
    connection: Connection,
    limits: Limits,
) -> Result<(Client, Health), AttachError> {
    let url = connection.url.clone();
    if !is_local(&url) {
        return Err(AttachError::NotLocal { url });
    }
    let unhealthy = |source| AttachError::Unhealthy { url: url.clone(), source };
    let open = Connection { password: String::new(), ..connection.clone() };
    match Client::new(open, limits.clone()).map_err(unhealthy)?.health().await {
        Err(Error::Unauthorized) => {}
        Ok(_) => return Err(AttachError::Unprotected { url }),
        Err(error) => return Err(unhealthy(error)),
    }
    let client = Client::new(connection, limits).map_err(unhealthy)?;
    let health = match client.health().await {
        Ok(health) => health,
        Err(Error::Unauthorized) => return Err(AttachError::Refused { url }),
        Err(error) => return Err(unhealthy(error)),
    };
    match Version::parse(&health.version) {
        Ok(version) if version >= MINIMUM_VERSION => Ok((client, health)),
        Ok(_) | Err(_) => Err(AttachError::TooOld { url, version: health.version }),
    }
}

/// Whether an address is of this machine, and nothing but an address.
fn is_local(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    local
        && url.scheme() == "http"
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
}

/// Why the daemon is not known.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// None was started, or it was stopped.
    #[error("no daemon of Kilo runs: {} is not there", .0.display())]
    NotRunning(PathBuf),
    /// What is written of it cannot be read.
    #[error("{} is not understood: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Where `kilo daemon` listens and how to get in, as it wrote it for the user alone below the
/// directory for state (`~/.local/state`, or `XDG_STATE_HOME`; Kilo 7.7.7).
///
/// # Errors
/// [`DaemonError`].
pub fn daemon(state: &Path) -> Result<Connection, DaemonError> {
    #[derive(Deserialize)]
    struct Written {
        url: String,
        username: String,
        password: String,
    }
    let path = state.join("kilo").join("daemon.json");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(DaemonError::NotRunning(path));
        }
        Err(error) => return Err(DaemonError::Unreadable { path, reason: error.to_string() }),
    };
    match serde_json::from_str::<Written>(&text) {
        Ok(Written { url, username, password }) => Ok(Connection { url, username, password }),
        // Where it went wrong, without what stands there.
        Err(error) => {
            let reason = format!("line {}, column {}", error.line(), error.column());
            Err(DaemonError::Unreadable { path, reason })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_local() {
        let local = ["http://127.0.0.1:4096", "http://localhost:1/", "http://[::1]:4096"];
        assert!(local.into_iter().all(is_local));
        let others = [
            "https://127.0.0.1:4096",
            "http://10.0.0.2:4096",
            "http://127.0.0.1.example.com",
            "http://me:secret@127.0.0.1:4096",
            "http://127.0.0.1:4096/elsewhere",
            "127.0.0.1:4096",
        ];
        for url in others {
            assert!(!is_local(url), "{url}");
        }
    }
}
