use std::borrow::Cow;
use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use tokio::sync::watch;

/// How a child ended, as the operating system tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It ended by itself with this code.
    Code(i32),
    /// It was ended by this signal.
    Signal(i32),
    /// The operating system did not say (waiting for it failed).
    Unknown,
}

impl Status {
    /// Says whether it ended with code 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl From<ExitStatus> for Status {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("unknown status"),
        }
    }
}

/// Why a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Not by our doing.
    Exited,
    /// Because it was asked to stop.
    Stopped {
        /// The reason given by whoever stopped it.
        reason: Cow<'static, str>,
        /// Whether the grace time ran out and it was killed.
        forced: bool,
    },
    /// Because its handle was dropped without a stop.
    Dropped {
        /// Whether the grace time ran out and it was killed.
        forced: bool,
    },
}

/// The record of a child's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its process id; may have been given to another process since.
    pub pid: u32,
    /// Its label.
    pub label: String,
    /// How it ended.
    pub status: Status,
    /// Why it ended.
    pub cause: Cause,
    /// How many processes it had left running, which were then killed.
    pub swept: usize,
    /// The last lines it wrote to standard error.
    pub stderr: Vec<String>,
}

/// Watches for the end of a child; cheap to clone, any number may wait.
#[derive(Debug, Clone)]
pub struct ExitWatch(pub(crate) watch::Receiver<Option<Exit>>);

impl ExitWatch {
    /// The record, if the child has ended.
    #[must_use]
    pub fn get(&self) -> Option<Exit> {
        self.0.borrow().clone()
    }

    /// Waits for the child's end. `None` only if the runtime that watched it was shut down.
    pub async fn wait(&mut self) -> Option<Exit> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|exit| exit.clone())
    }
}
