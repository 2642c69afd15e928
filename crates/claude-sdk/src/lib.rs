//! The Rust client of `claude`, the program of the Claude Code coding agent, through its
//! stream-json lines and its control protocol.
//!
//! It owns finding the program ([`locate`]), asking who is signed in ([`auth_status`]), running it
//! ([`launch`]), one conversation with it ([`Claude`]: messages, control requests, answers to what
//! it asks) and its stop in the right order. It deliberately knows nothing of what the frames are
//! used for: no threads, no screens, no storage, and no policy about permissions.
//!
//! Facts about Claude Code are as measured on version 2.1.197, against scripted model endpoints.
//! Everything read from it is tolerant: a few fields are typed, the rest is kept as JSON, unknown
//! kinds of frames are kept as they came.

mod auth;
mod claude;
mod frame;
mod launch;
mod locate;
mod uuid;

pub use agent_program::{Installed, LocateError};
pub use auth::{AuthError, AuthStatus, auth_status};
pub use claude::{Asked, Claude, ControlError, Ended, Frames, Incoming, MAX_LINE, UserMessage};
pub use frame::{Ask, Frame, TurnResult};
pub use launch::{Conversation, Initialized, Launch, LaunchError, launch};
pub use locate::{MINIMUM_VERSION, find, locate};
pub use uuid::random_uuid;
