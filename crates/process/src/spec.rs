use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

/// What a child's standard input is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stdin {
    /// End of file at once.
    #[default]
    Null,
    /// A pipe, taken with [`Child::take_stdin`](crate::Child::take_stdin).
    Piped,
    /// These bytes, then end of file.
    Bytes(Vec<u8>),
}

/// What happens to a child's standard output. Standard error is always read as lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stdout {
    /// Read for life by this crate and delivered as lines; a slow reader loses lines.
    #[default]
    Lines,
    /// Handed to the caller as it is, for protocols on standard input and output. The caller
    /// must keep reading it, or the child blocks.
    Raw,
}

/// The signal the kernel sends a child when this process dies (Linux only).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeathSignal {
    /// It ends at once; what it started itself is left to the reaper.
    #[default]
    Kill,
    /// It may tidy up, and end what it started itself; for programs known to obey.
    Term,
}

/// A child to be started.
#[derive(Debug, Clone)]
pub struct Spec {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) env: Vec<(OsString, Option<OsString>)>,
    pub(crate) stdin: Stdin,
    pub(crate) stdout: Stdout,
    pub(crate) label: String,
    pub(crate) death_signal: DeathSignal,
    pub(crate) drop_grace: Duration,
    pub(crate) max_line: usize,
    pub(crate) line_queue: usize,
    pub(crate) tail_lines: usize,
}

impl Spec {
    /// A child running `program` (a path, or a name looked up on this process's `PATH`), with no
    /// input, its output read as lines, labelled by its program.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        Self {
            label: program.display().to_string(),
            program,
            args: Vec::new(),
            cwd: None,
            env: Vec::new(),
            stdin: Stdin::Null,
            stdout: Stdout::Lines,
            death_signal: DeathSignal::Kill,
            drop_grace: Duration::from_secs(2),
            max_line: 16 * 1024,
            line_queue: 256,
            tail_lines: 50,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I, A>(mut self, args: I) -> Self
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// Sets the working directory (default: this process's).
    #[must_use]
    pub fn cwd(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cwd = Some(dir.into());
        self
    }

    /// Sets a variable over the inherited environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Removes a variable from the inherited environment.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), None));
        self
    }

    /// Sets standard input.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.stdin = stdin;
        self
    }

    /// Sets what happens to standard output.
    #[must_use]
    pub fn stdout(mut self, stdout: Stdout) -> Self {
        self.stdout = stdout;
        self
    }

    /// Names the child in the ledger, in logs and in its exit record.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the signal sent when this process dies (default: kill).
    #[must_use]
    pub fn death_signal(mut self, signal: DeathSignal) -> Self {
        self.death_signal = signal;
        self
    }

    /// Sets the grace given when the [`Child`](crate::Child) is dropped without being stopped
    /// (default: 2 s).
    #[must_use]
    pub fn drop_grace(mut self, grace: Duration) -> Self {
        self.drop_grace = grace;
        self
    }

    /// Sets the bounds of what is kept of its lines: bytes per line (longer lines are cut;
    /// default 16 KiB), lines queued for a slow reader (further ones are dropped; default 256),
    /// and last lines kept per stream (default 50).
    #[must_use]
    pub fn line_bounds(mut self, max_line: usize, line_queue: usize, tail_lines: usize) -> Self {
        self.max_line = max_line.max(1);
        self.line_queue = line_queue.max(1);
        self.tail_lines = tail_lines;
        self
    }
}
