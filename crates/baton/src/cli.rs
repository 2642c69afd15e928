//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Conducts coding agents from a browser. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "baton", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the web app (the default)
    Serve(Serve),
    /// Sends one message to an agent and prints its answer
    #[command(after_help = "Exit codes: 0 completed, 1 failed, 2 usage, 3 needs an answer that \
                            nobody can give here, 130 interrupted")]
    Run(Run),
    /// Lists the models of the providers
    Models(Models),
    /// Prints a new link to pair a browser or a phone with the running server
    Pair(Pair),
    /// Says what works, what does not, and what to do about it
    Doctor(Doctor),
    /// Prints the rules that a Kilo server has to be started with to be used by Baton
    #[command(after_help = "KILO_CONFIG_CONTENT=\"$(baton kilo-rules)\" kilo daemon start")]
    KiloRules,
}

/// Where everything is stored.
#[derive(Debug, Clone, Args)]
pub(crate) struct Data {
    /// Where everything is stored [default: the user's data directory, e.g. ~/.local/share/baton]
    #[arg(long, value_name = "DIR", env = "BATON_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Serve {
    /// Does not open the browser
    #[arg(long)]
    pub(crate) no_open: bool,
    /// The address to listen on; others than loopback can be reached by other machines
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// The port to listen on; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = DEFAULT_PORT)]
    pub(crate) port: u16,
    /// A further name this server is reached by, e.g. behind a proxy; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Writes down the agents' own events for each thread, to find out what went wrong; they hold
    /// prompts, answers and file contents, and lie in native-log below the data directory
    #[arg(long, env = "BATON_NATIVE_LOG")]
    pub(crate) native_log: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Run {
    /// The provider that drives a new thread
    #[arg(long, value_name = "PROVIDER", default_value = "kilo", conflicts_with = "thread")]
    pub(crate) provider: String,
    /// The model to run on, for Kilo as providerID/modelID [default: the provider's]
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// How much the agent may do unasked [default: supervised, or what the thread has]
    #[arg(long)]
    pub(crate) access: Option<Access>,
    /// What the message is for [default: build, or what the thread has]
    #[arg(long)]
    pub(crate) mode: Option<Mode>,
    /// The directory a new thread works in [default: this one]
    #[arg(long, value_name = "DIR", conflicts_with = "thread")]
    pub(crate) dir: Option<PathBuf>,
    /// The thread to continue
    #[arg(long, value_name = "ID")]
    pub(crate) thread: Option<String>,
    /// Prints one JSON object per line: each change, at last how the turn ended
    #[arg(long)]
    pub(crate) json: bool,
    /// Stops with exit code 3 when an answer is needed, though somebody could give it in a browser
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) data: Data,
    /// The message; `-` reads it from standard input
    #[arg(value_name = "PROMPT")]
    pub(crate) prompt: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Models {
    /// Prints JSON: for each provider its models
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Pair {
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) data: Data,
}

/// The port people know.
pub(crate) const DEFAULT_PORT: u16 = 4777;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Access {
    /// Everything that changes something is asked first
    Supervised,
    /// Edits inside the workspace run; the rest is asked
    AutoEdit,
    /// Nothing is asked
    Full,
}

impl From<Access> for domain::Access {
    fn from(access: Access) -> Self {
        match access {
            Access::Supervised => Self::Supervised,
            Access::AutoEdit => Self::AutoEdit,
            Access::Full => Self::Full,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Mode {
    /// The agent does the work
    Build,
    /// The agent writes a plan and waits for it to be accepted
    Plan,
}

impl From<Mode> for domain::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Build => Self::Build,
            Mode::Plan => Self::Plan,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_it_is_reached_from_this_machine_alone_and_keeps_no_native_log() {
        let serve = Cli::parse_from(["baton"]).serve;
        assert_eq!((serve.host.as_str(), serve.port), ("127.0.0.1", DEFAULT_PORT));
        assert!(serve.allow_host.is_empty() && !serve.native_log);
    }
}
