//! What makes threads live: one actor for each live thread, the hub that tells everyone what
//! changed, the queue, the start-up reconciliation, and the supervision of sessions.
//!
//! The rules of a turn are `domain`'s; this crate gives them a clock, a store and a provider. It
//! knows nothing of HTTP, of SQL, or of what any provider is called.

mod actor;
mod engine;
mod error;
mod feed;
mod heads;
mod sessions;
mod shell;
mod trust;

pub use engine::{Engine, NewThread};
pub use error::EngineError;
pub use feed::{Feed, FeedItem};
pub use providers::SessionQuery;
pub use sessions::{ContinueSession, MAX_SESSIONS};
pub use shell::ShellFeed;
