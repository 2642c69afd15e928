use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use process::{Child, DeathSignal, Exit, ExitWatch, Host, Lines, Spec, Stream, Usage};
use serde_json::Value;
use tokio::time::Instant;

use crate::client::{Client, Connection, Health, Limits};
use crate::error::Error;
use crate::locate::Installed;

/// How to run a server.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Where to run it: any directory that exists, since requests name their own.
    pub cwd: PathBuf,
    /// Configuration on top of the user's and the projects' (`KILO_CONFIG_CONTENT`). Check
    /// [`Instance::config_warnings`](crate::Instance::config_warnings) after the start: one type
    /// error in it and all of it is silently ignored (Kilo 7.7.7).
    pub config: Option<Value>,
    /// Variables to set (`Some`) or remove (`None`) over the inherited environment.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// How long it may take to be ready: 3 s are usual, 6 s under load (Kilo 7.7.7). Default 30 s.
    pub timeout: Duration,
    /// Bounds of the client's requests.
    pub limits: Limits,
}

impl Launch {
    /// A launch of an installed Kilo, to be run in `cwd`.
    #[must_use]
    pub fn new(installed: &Installed, cwd: impl Into<PathBuf>) -> Self {
        let mut launch = Self::program(&installed.program, cwd);
        launch.env = installed.env.iter().cloned().map(|(n, v)| (n, Some(v))).collect();
        launch
    }

    /// A launch of a program known to be Kilo.
    #[must_use]
    pub fn program(program: impl Into<PathBuf>, cwd: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            cwd: cwd.into(),
            config: None,
            env: Vec::new(),
            timeout: Duration::from_secs(30),
            limits: Limits::default(),
        }
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), Some(value.into())));
        self
    }
}

/// Why a server could not be launched. Nothing of it runs any more.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// It could not be started.
    #[error(transparent)]
    Spawn(#[from] process::Error),
    /// It ended instead of getting ready; the exit holds its last lines.
    #[error("the server ended with {} while starting: {}", .exit.status, .exit.stderr.join("; "))]
    Exited {
        /// How it ended.
        exit: Box<Exit>,
        /// The last lines of its standard output.
        stdout: Vec<String>,
    },
    /// It was not ready in time.
    #[error("the server was not ready within {after:?}")]
    Timeout {
        /// The time it had.
        after: Duration,
        /// The last lines it wrote to both streams.
        said: Vec<String>,
    },
    /// What it says is not understood: not Kilo, or a version unknown to this crate.
    #[error("the server's start is not understood; it said: {said}")]
    Unsupported {
        /// What it said.
        said: String,
    },
    /// It lets requests in without a password, so it is not used.
    #[error("the server at {url} answers without a password")]
    Unprotected {
        /// Where it is.
        url: String,
    },
    /// It got ready but does not answer as it should.
    #[error("the server does not answer properly: {0}")]
    Unhealthy(#[source] Error),
    /// There is no randomness for a password.
    #[error("no random password could be made")]
    NoRandomness,
}

/// A running server of our own. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    client: Client,
    child: Child,
    health: Health,
    ready: Instant,
}

/// Launches a server on a free port of the loopback interface, with a random password that is
/// only in its environment and in the returned client, and waits until it answers.
///
/// It ends with this process: by the parent-death signal, and by its own watch of
/// `KILO_PARENT_PID`.
///
/// # Errors
/// As [`LaunchError`] says. If the future is dropped, the server is stopped.
pub async fn launch(host: &Host, launch: Launch) -> Result<Server, LaunchError> {
    let password = password().ok_or(LaunchError::NoRandomness)?;
    let mut child = host.spawn(spec(&launch, &password)).await?;
    let started = start(&mut child, &launch, password).await;
    match started {
        Ok((client, health, ready)) => Ok(Server { client, child, health, ready }),
        Err(error) => {
            child.stop("its start failed", Duration::from_secs(2)).await;
            Err(error)
        }
    }
}

impl Server {
    /// How long after its ready line a signal ends Kilo at once, without clean-up: it has not
    /// installed its handlers yet (Kilo 7.7.7: about 1 s).
    const UNHANDLED: Duration = Duration::from_millis(1200);

    /// Its client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What it said of itself when it got ready.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
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

    /// Stops it: running turns are aborted, and whatever is left after `grace` is killed. Takes
    /// 0.5 s with telemetry off (Kilo 7.7.7), up to 4 s when busy. Within its first second it is
    /// given that second, out of `grace`, to get ready for the signal.
    pub async fn stop(
        &self,
        reason: impl Into<std::borrow::Cow<'static, str>>,
        grace: Duration,
    ) -> Option<Exit> {
        let unhandled = Self::UNHANDLED.saturating_sub(self.ready.elapsed()).min(grace);
        let mut exit = self.exit();
        let _ = tokio::time::timeout(unhandled, exit.wait()).await;
        self.child.stop(reason, grace.saturating_sub(unhandled)).await
    }
}

fn spec(launch: &Launch, password: &str) -> Spec {
    let mut spec = Spec::new(&launch.program)
        .args(["serve", "--hostname", "127.0.0.1", "--port", "0"])
        .cwd(&launch.cwd)
        .label("kilo serve")
        // It ends its tools, which a kill would leave running in groups of their own.
        .death_signal(DeathSignal::Term)
        // Any but the default takes tools away from the agent.
        .env_remove("KILO_CLIENT")
        .env_remove("KILO_SERVER_USERNAME")
        .env("KILO_DISABLE_AUTOUPDATE", "1")
        .env("KILO_TELEMETRY_LEVEL", "off");
    if let Some(config) = &launch.config {
        spec = spec.env("KILO_CONFIG_CONTENT", config.to_string());
    }
    for (name, value) in &launch.env {
        spec = match value {
            Some(value) => spec.env(name, value),
            None => spec.env_remove(name),
        };
    }
    // After the caller's, which must not undo them.
    spec.env("KILO_SERVER_PASSWORD", password)
        .env("KILO_PARENT_PID", std::process::id().to_string())
}

async fn start(
    child: &mut Child,
    launch: &Launch,
    password: String,
) -> Result<(Client, Health, Instant), LaunchError> {
    let deadline = Instant::now() + launch.timeout;
    let url = match tokio::time::timeout_at(deadline, ready(child)).await {
        Ok(url) => url?,
        Err(_) => return Err(LaunchError::Timeout { after: launch.timeout, said: said(child) }),
    };
    let at = Instant::now();
    let connection = Connection::new(&url, password);
    let open = Connection { password: String::new(), ..connection.clone() };
    let client = Client::new(connection, launch.limits.clone()).map_err(LaunchError::Unhealthy)?;
    let open = Client::new(open, launch.limits.clone()).map_err(LaunchError::Unhealthy)?;
    match open.health().await {
        Err(Error::Unauthorized) => {}
        Ok(_) => return Err(LaunchError::Unprotected { url }),
        Err(error) => return Err(LaunchError::Unhealthy(error)),
    }
    let health = client.health().await.map_err(LaunchError::Unhealthy)?;
    Ok((client, health, at))
}

/// Waits for the line that tells the URL. Warnings may come before it.
async fn ready(child: &mut Child) -> Result<String, LaunchError> {
    let Some(mut lines) = child.take_lines() else {
        return Err(LaunchError::Unsupported { said: String::new() });
    };
    match ready_line(&mut lines).await {
        Ok(Some(url)) => Ok(url),
        Ok(None) => match child.wait().await {
            Some(exit) => Err(LaunchError::Exited {
                exit: Box::new(exit),
                stdout: child.tail(Stream::Stdout),
            }),
            None => Err(LaunchError::Unsupported { said: said(child).join("; ") }),
        },
        Err(said) => Err(LaunchError::Unsupported { said }),
    }
}

/// `Ok(None)` when the child ended; `Err` with the line when a URL was told in words unknown.
async fn ready_line(lines: &mut Lines) -> Result<Option<String>, String> {
    const AFTER_ODD: Duration = Duration::from_secs(3);
    let mut odd: Option<(String, Instant)> = None;
    loop {
        let line = match &odd {
            None => lines.next().await,
            Some((said, at)) => {
                match tokio::time::timeout_at(*at + AFTER_ODD, lines.next()).await {
                    Ok(line) => line,
                    Err(_) => return Err(said.clone()),
                }
            }
        };
        let Some(line) = line else { return Ok(None) };
        if let Some(url) = listening_on(&line.text) {
            return Ok(Some(url));
        }
        if line.stream == Stream::Stdout && line.text.contains("http://") && odd.is_none() {
            odd = Some((line.text, Instant::now()));
        }
    }
}

fn listening_on(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("listening on")?;
    let url = rest.split_whitespace().next()?;
    (url.starts_with("http://") || url.starts_with("https://")).then(|| url.to_owned())
}

fn said(child: &Child) -> Vec<String> {
    let mut said = child.tail(Stream::Stdout);
    said.extend(child.tail(Stream::Stderr));
    said
}

/// 256 random bits in hexadecimal.
fn password() -> Option<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
#[path = "launch_tests.rs"]
mod tests;
