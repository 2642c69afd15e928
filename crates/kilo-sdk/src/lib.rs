//! The Rust client of `kilo serve`, the server of the Kilo coding agent.
//!
//! It owns finding the program ([`locate`]), running it ([`launch`]) or connecting to one that
//! runs ([`attach`], [`daemon`]), typed requests ([`Client`], [`Instance`]) and the event stream with
//! reconnect ([`EventStream`]). It deliberately knows nothing of what the answers are used for:
//! no threads, no screens, no storage, and no policy about permissions.
//!
//! Facts about Kilo are as measured on version 7.7.7. Everything read from it is tolerant:
//! unknown fields are skipped, missing ones take their default, unknown kinds of parts, messages
//! and events are kept as they came.

mod attach;
mod client;
pub mod drift;
mod error;
mod event;
mod ids;
mod instance;
mod json;
mod launch;
mod locate;
mod sse;
mod stream;
pub mod types;

pub use agent_program::LocateError;
pub use attach::{AttachError, DaemonError, attach, daemon};
pub use client::{Client, Connection, Health, Limits};
pub use error::{ApiError, Error};
pub use event::{CloseReason, Envelope, Event};
pub use ids::{MessageId, NetworkWaitId, PartId, PermissionId, QuestionId, SessionId};
pub use instance::{
    Instance, NewSession, Prompt, PromptPart, Reply, RunCommand, SessionFilter, SessionUpdate,
};
pub use launch::{Launch, LaunchError, Server, launch};
pub use locate::{Installed, MINIMUM_VERSION, find, locate};
pub use sse::MAX_FRAME;
pub use stream::{EventStream, StreamItem, StreamOptions, Why};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
