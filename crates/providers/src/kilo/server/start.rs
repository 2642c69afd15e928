//! A server's start: launched, its rules read back, its event stream open.

use std::sync::Arc;
use std::time::Duration;

use kilo_sdk::{
    AttachError, Client, Connection, EventStream, Installed, Launch, LaunchError, Limits, Server,
    StreamItem, StreamOptions,
};

use super::{GRACE, Host, Kind};
use crate::OpenError;
use crate::contract::unavailable;
use crate::kilo::scratch::{self, Scratch};
use crate::kilo::{Shared, baseline};
use crate::shared::looks;

/// How long the first connection of the event stream may take.
const CONNECT: Duration = Duration::from_secs(15);
/// Variables that would undo the baseline: `KILO_PERMISSION` is merged above it, and under
/// another `KILO_CLIENT` Kilo has neither questions nor the plan checkpoint (7.7.7).
const REMOVED: [&str; 2] = ["KILO_PERMISSION", "KILO_CLIENT"];
/// What makes Kilo leave the configuration of the directories it works in unread (7.7.7).
const NO_PROJECT_CONFIG: (&str, &str) = ("KILO_DISABLE_PROJECT_CONFIG", "1");

/// What the settings name for the server that `kilo daemon` started.
const DAEMON: &str = "daemon";
/// How a server gets Baton's rules. Rules of a session do not do: sub-agents inherit nothing but
/// denials of them, and would act unasked (Kilo 7.7.7).
const RULES_HINT: &str = "start it with Baton's rules: \
    KILO_CONFIG_CONTENT=\"$(baton kilo-rules)\" kilo daemon start";

impl Shared {
    pub(super) async fn start(
        &self,
        kind: Kind,
        installed: &Installed,
    ) -> Result<(Server, EventStream), OpenError> {
        std::fs::create_dir_all(&self.config.cwd).map_err(|error| {
            let said = format!("{} cannot be made: {error}", self.config.cwd.display());
            unavailable(&said, Some("check the rights of the data directory"))
        })?;
        let mut launch = Launch::new(installed, &self.config.cwd);
        launch.config = Some(baseline::over(self.config.injected.as_deref()));
        launch.env.extend(self.config.env.iter().map(|(n, v)| (n.clone(), Some(v.clone()))));
        launch.env.extend(REMOVED.map(|name| (name.into(), None)));
        if kind == Kind::Untrusted {
            let (name, value) = NO_PROJECT_CONFIG;
            launch = launch.env(name, value);
        }
        let scratch = self.scratch();
        if let Some(scratch) = &scratch {
            launch = launch.env(scratch::VARIABLE, scratch.path());
        }
        let server =
            kilo_sdk::launch(&self.config.host, launch).await.map_err(|e| launch_error(&e))?;
        if let Some(scratch) = scratch {
            scratch.until(server.exit());
        }
        let options = StreamOptions {
            exit: Some(server.exit()),
            raw: self.config.native_log.as_ref().is_some_and(|log| log.on),
            ..StreamOptions::default()
        };
        let mut stream = server.client().events(options);
        let ready = async {
            check_baseline(server.client()).await?;
            wait_connected(&mut stream).await
        };
        match ready.await {
            Ok(()) => Ok((server, stream)),
            Err(error) => {
                server.stop("it did not get ready", GRACE).await;
                Err(error)
            }
        }
    }
}

impl Shared {
    /// A folder for what a server unpacks; without one it goes where it always went.
    fn scratch(&self) -> Option<Scratch> {
        let made = Scratch::new(self.config.scratch.as_deref()?);
        made.inspect_err(|error| tracing::warn!(%error, "there is no folder for Kilo's files")).ok()
    }

    /// Connects to a server that runs already, if it may be used.
    pub(super) async fn attach(
        &self,
        server: &str,
        password: Option<String>,
    ) -> Result<(Host, EventStream), OpenError> {
        let connection = if server == DAEMON {
            let hint = "start it: kilo daemon start";
            kilo_sdk::daemon(&self.config.state)
                .map_err(|error| unavailable(&error.to_string(), Some(hint)))?
        } else {
            Connection::new(server, password.unwrap_or_default())
        };
        let (client, health) = kilo_sdk::attach(connection, Limits::default())
            .await
            .map_err(|error| attach_error(&error))?;
        if let Err(error) = check_baseline(&client).await {
            return Err(unavailable(&error.message, Some(RULES_HINT)));
        }
        let mut stream = client.events(StreamOptions::default());
        wait_connected(&mut stream).await?;
        Ok((Host::Attached(Arc::new((client, health))), stream))
    }
}

fn attach_error(error: &AttachError) -> OpenError {
    let hint = match error {
        AttachError::NotLocal { .. } => {
            "the connection is not encrypted; bring a server of another machine here by a tunnel"
        }
        AttachError::Unprotected { .. } => {
            "start it with KILO_SERVER_PASSWORD, or as `kilo daemon`"
        }
        AttachError::Refused { .. } => "enter its password in the settings",
        AttachError::TooOld { .. } => "install a current Kilo: npm install -g @kilocode/cli@latest",
        AttachError::Unhealthy { .. } => {
            "start it, or clear the server in the settings to have Baton start one"
        }
    };
    unavailable(&error.to_string(), Some(hint))
}

/// Reads the permission rules back: no thread runs when Kilo did not take them.
async fn check_baseline(client: &Client) -> Result<(), OpenError> {
    let home = client.at_home();
    let config = home.config().await.map_err(|error| {
        unavailable(&format!("Kilo's configuration could not be read back: {error}"), None)
    })?;
    let Some(missing) = baseline::missing(&config) else { return Ok(()) };
    let warnings = home.config_warnings().await.unwrap_or_default();
    let said: Vec<_> =
        warnings.iter().map(|w| format!("{}: {}", w.path, w.message)).take(3).collect();
    Err(unavailable(
        &format!("Kilo did not take Baton's permission rules ({missing}), so nothing is run"),
        Some(if said.is_empty() { "check Kilo's configuration" } else { &said[0] }),
    ))
}

async fn wait_connected(stream: &mut EventStream) -> Result<(), OpenError> {
    let connected = async {
        while let Some(item) = stream.next().await {
            if matches!(item, StreamItem::Connected) {
                return true;
            }
        }
        false
    };
    match tokio::time::timeout(CONNECT, connected).await {
        Ok(true) => {
            tokio::time::sleep(StreamItem::SETTLE).await;
            Ok(())
        }
        Ok(false) | Err(_) => Err(unavailable("Kilo's event stream could not be opened", None)),
    }
}

fn launch_error(error: &LaunchError) -> OpenError {
    let hint = match error {
        LaunchError::Spawn(_) | LaunchError::NoRandomness => "check that the program can be run",
        LaunchError::Exited { .. } => {
            "if it names a file of Kilo's configuration, mend that; `kilo serve` in a terminal says the same"
        }
        LaunchError::Timeout { .. } => "try again; the machine may be busy",
        LaunchError::Unsupported { .. } => "install a current Kilo: npm install -g @kilocode/cli",
        LaunchError::Unprotected { .. } | LaunchError::Unhealthy(_) => {
            "install a current Kilo: npm install -g @kilocode/cli@latest"
        }
    };
    let said = looks::plain(&error.to_string());
    unavailable(&format!("Kilo could not be started: {said}"), Some(hint))
}
