//! A Rust client of `codex app-server`, the JSON protocol that the Codex program speaks on its
//! standard input and output.
//!
//! The crate owns finding the program behind npm's wrapper ([`locate`]), launching it through the
//! `process` crate, the handshake, the framing, and the two tables of requests: ours, each with a
//! time limit, and the server's, which are told as [`Incoming`] and answered by their id. It
//! decodes what it needs into small types that bear unknown fields, values and kinds ([`types`]);
//! everything else stays JSON. It knows nothing of whoever uses it.
//!
//! Facts about the protocol are of Codex 0.169.0, measured.

mod client;
mod error;
mod frame;
mod launch;
mod locate;
pub mod types;

pub use agent_program::{Installed, LocateError};
pub use client::{Client, Limits, Told};
pub use error::{Error, RpcError};
pub use frame::{Frame, Incoming, RequestId};
pub use launch::{Launch, LaunchError, Server, launch};
pub use locate::{MINIMUM_VERSION, find, locate};
pub use process::{Exit, ExitWatch, Usage};
