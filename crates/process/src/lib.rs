//! Every child process goes through this crate.
//!
//! It owns starting a child (own process group, parent-death signal, explicit environment, no
//! leaked descriptors), draining its pipes for life, stopping it with everything it started,
//! waiting for it, and a ledger on disk by which a later run ends what an earlier one left
//! behind; and what Baton's own process needs of the system's library. It deliberately does not know what a child does, which protocol it speaks or why it
//! was wanted, and it never signals a process it cannot prove to be its own.
//!
//! Start with [`Host`]: one per program, cheap to clone.

mod child;
mod drain;
mod error;
mod exit;
mod host;
mod ledger;
mod lookup;
mod memory;
mod proc;
mod reap;
mod run;
mod signal;
mod spawner;
mod spec;

pub use child::Child;
pub use drain::{Line, Lines, Stream};
pub use error::Error;
pub use exit::{Cause, Exit, ExitWatch, Status};
pub use host::{Host, HostConfig};
pub use ledger::{Entry, Ledger};
pub use lookup::which;
pub use memory::give_back_memory;
pub use proc::{Usage, usage};
pub use reap::{Outcome, Reaped, reap};
pub use run::Output;
pub use spec::{DeathSignal, Spec, Stdin, Stdout};

pub use tokio::process::{ChildStdin, ChildStdout};
