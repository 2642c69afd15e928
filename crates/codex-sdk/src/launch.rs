use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use process::{Child, Exit, ExitWatch, Host, Spec, Stdin, Stdout, Stream, Usage};
use serde_json::json;

use crate::client::{Client, Limits, Told};
use crate::error::Error;
use crate::types::Initialized;

/// How to run a server.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Where to run it: any directory that exists, since each thread names its own.
    pub cwd: PathBuf,
    /// Settings over the user's configuration, as `key=value` in TOML.
    pub config: Vec<String>,
    /// Variables to set (`Some`) or remove (`None`) over the inherited environment.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// How the client names itself: a short name, one for people, and a version.
    pub client: (String, String, String),
    /// How long the start may take: 60 ms are usual, 0.75 s with a new home. Default 30 s.
    pub timeout: Duration,
    /// Bounds of the connection.
    pub limits: Limits,
}

impl Launch {
    /// A launch of a program known to be Codex, to be run in `cwd`.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, cwd: impl Into<PathBuf>) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            program: program.into(),
            cwd: cwd.into(),
            config: Vec::new(),
            env: Vec::new(),
            client: ("codex-sdk".to_owned(), "codex-sdk".to_owned(), version),
            timeout: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }
}

/// Why a server could not be launched. Nothing of it runs any more.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// It could not be started.
    #[error(transparent)]
    Spawn(#[from] process::Error),
    /// It ended instead of getting ready; the exit holds its last lines.
    #[error("it ended with {} while starting: {}", .exit.status, .exit.stderr.join("; "))]
    Exited {
        /// How it ended.
        exit: Box<Exit>,
    },
    /// It was not ready in time.
    #[error("it was not ready within {after:?}: {}", .said.join("; "))]
    Timeout {
        /// The time it had.
        after: Duration,
        /// The last lines it wrote to standard error.
        said: Vec<String>,
    },
    /// It does not speak the protocol as it should.
    #[error("it does not answer properly: {0}")]
    Unusable(#[source] Error),
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    client: Client,
    child: Child,
    about: Initialized,
}

/// Launches `codex app-server`, shakes hands with it, and gives what it says by itself.
///
/// # Errors
/// As [`LaunchError`] says. If the future is dropped, the server is stopped.
pub async fn launch(host: &Host, launch: Launch) -> Result<(Server, Told), LaunchError> {
    let mut child = host.spawn(spec(&launch)).await?;
    let pipes = child.take_stdin().zip(child.take_stdout());
    let Some((stdin, stdout)) = pipes else { return Err(LaunchError::Unusable(Error::Gone)) };
    let (client, incoming) = Client::new(stdin, stdout, launch.limits.clone());
    let shaken = tokio::time::timeout(launch.timeout, shake(&client, &launch)).await;
    let error = match shaken {
        Ok(Ok(about)) => return Ok((Server { client, child, about }, incoming)),
        Ok(Err(Error::Gone)) => match child.stop("it said nothing", GRACE).await {
            Some(exit) => LaunchError::Exited { exit: Box::new(exit) },
            None => LaunchError::Unusable(Error::Gone),
        },
        Ok(Err(Error::Timeout(after))) => {
            LaunchError::Timeout { after, said: child.tail(Stream::Stderr) }
        }
        Ok(Err(error @ (Error::Refused(_) | Error::Decode { .. }))) => LaunchError::Unusable(error),
        Err(_) => LaunchError::Timeout { after: launch.timeout, said: child.tail(Stream::Stderr) },
    };
    child.stop("its start failed", GRACE).await;
    Err(error)
}

/// How long one that failed to start has to end by itself.
const GRACE: Duration = Duration::from_secs(2);

impl Server {
    /// How long a server may take to end once its input is closed: 65 ms are usual.
    const CLOSING: Duration = Duration::from_secs(1);

    /// Its client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What it said of itself.
    #[must_use]
    pub fn about(&self) -> &Initialized {
        &self.about
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// A watch of its end.
    #[must_use]
    pub fn exit(&self) -> ExitWatch {
        self.child.exit()
    }

    /// What it and the tools it runs use; blocks for some milliseconds.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.child.usage()
    }

    /// The last lines it wrote to standard error.
    #[must_use]
    pub fn stderr(&self) -> Vec<String> {
        self.child.tail(Stream::Stderr)
    }

    /// Stops it: its input is closed, upon which it ends itself and its commands; what is left
    /// after a second is asked to by a signal, and what is left after `grace` is killed.
    pub async fn stop(
        &self,
        reason: impl Into<Cow<'static, str>>,
        grace: Duration,
    ) -> Option<Exit> {
        self.client.close();
        let closing = Self::CLOSING.min(grace);
        let mut exit = self.exit();
        let _ = tokio::time::timeout(closing, exit.wait()).await;
        self.child.stop(reason, grace.saturating_sub(closing)).await
    }
}

fn spec(launch: &Launch) -> Spec {
    let mut spec = Spec::new(&launch.program)
        .arg("app-server")
        .cwd(&launch.cwd)
        .label("codex app-server")
        .stdin(Stdin::Piped)
        .stdout(Stdout::Raw);
    for setting in &launch.config {
        spec = spec.arg("-c").arg(setting);
    }
    for (name, value) in &launch.env {
        spec = match value {
            Some(value) => spec.env(name, value),
            None => spec.env_remove(name),
        };
    }
    spec
}

async fn shake(client: &Client, launch: &Launch) -> Result<Initialized, Error> {
    let (name, title, version) = &launch.client;
    let params = json!({
        "clientInfo": { "name": name, "title": title, "version": version },
        // Without it Codex refuses modes, settings and background terminals.
        "capabilities": { "experimentalApi": true, "requestAttestation": false },
    });
    let about = client.request("initialize", params).await?;
    client.notify("initialized").await?;
    Ok(about)
}
