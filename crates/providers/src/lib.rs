//! The contract between Baton and the agents it drives, and one folder for each provider.
//!
//! A provider is a small mandatory core ([`Provider`], [`Session`]) that tells what happens as
//! [`AgentEvent`]s. Its wire types never leave its folder. The crate knows nothing of storage,
//! browsers or threads beyond their ids.

pub mod claude;
pub mod codex;
mod contract;
pub mod kilo;
mod shared;

pub use contract::{
    AnswerError, Inventory, OpenError, OpenSession, Opened, Origin, Place, Prompt, PromptFile,
    Provider, ReadSession, Reading, RestartError, SendError, Session, SessionList, SessionQuery,
    Sessions, Sighting,
};
pub use domain::AgentEvent;
