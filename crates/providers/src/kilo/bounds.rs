//! How long and how much is borne of Kilo's server before something is done about it.

use std::time::Duration;

/// The bounds within which a server counts as healthy. The defaults are for people; tests that
/// cannot wait so long name smaller ones.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// How often a server that is used is asked whether it answers.
    pub check_every: Duration,
    /// How long it may take. Kilo 7.7.7 answers in 10–40 ms, under load within seconds.
    pub answer_within: Duration,
    /// How long every check in a row must have failed until it is ended, when its event stream is
    /// silent as well. No less than three checks.
    pub silent_for: Duration,
    /// The same while heartbeats still come: what is left of it may yet recover.
    pub hung_for: Duration,
    /// How often memory and processor are looked at.
    pub sample_every: Duration,
    /// The server's own resident memory above which a person is warned and it is started anew once
    /// no turn runs. Kilo 7.7.7 takes 0.6 GB at the start and 1.1 GB with twenty sessions.
    pub memory_bytes: u64,
    /// The processor time, in percent of one processor, above which a server on which nothing runs
    /// is not idle. Kilo 7.7.7 takes 1–9 %.
    pub idle_cpu_percent: u32,
    /// How long it may take so much.
    pub idle_cpu_for: Duration,
    /// How old a server is at least when it is started anew for its memory or processor time, so
    /// that a bound that is too narrow does not start one after the other.
    pub recycle_after: Duration,
    /// How long a directory's instance, with its MCP servers, is kept when nothing uses it.
    pub directory_unused: Duration,
    /// How long the server is kept when no thread has a session open: it takes half a gigabyte.
    pub server_unused: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            check_every: Duration::from_secs(10),
            answer_within: Duration::from_secs(10),
            silent_for: Duration::from_secs(30),
            hung_for: Duration::from_secs(90),
            sample_every: Duration::from_secs(15),
            memory_bytes: 3 << 30,
            idle_cpu_percent: 80,
            idle_cpu_for: Duration::from_secs(180),
            recycle_after: Duration::from_secs(600),
            directory_unused: Duration::from_secs(600),
            server_unused: Duration::from_secs(600),
        }
    }
}
