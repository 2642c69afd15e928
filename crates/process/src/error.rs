use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a child could not be started, or a short run did not finish.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused to start the program.
    #[error("could not start {program}: {source}")]
    Spawn {
        /// The program as it was asked for.
        program: PathBuf,
        /// The reason; `NotFound` when there is no such program or working directory.
        source: io::Error,
    },
    /// The thread that starts children is not there (it could not be created).
    #[error("the thread that starts child processes is gone")]
    NoSpawner,
    /// The ledger entry that must precede the child could not be written, so none was started.
    #[error("could not write the ledger entry in {dir}: {source}")]
    Ledger {
        /// The ledger's directory.
        dir: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A short run took too long and was ended as a group.
    #[error("{program} did not finish within {after:?}")]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// The time it was given.
        after: Duration,
        /// The end of what it wrote to stderr.
        stderr: Vec<u8>,
    },
    /// A pipe of a short run failed.
    #[error("could not read from {program}: {source}")]
    Pipe {
        /// The program.
        program: PathBuf,
        /// The reason.
        source: io::Error,
    },
}
