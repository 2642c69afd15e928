//! The contract between Baton and the agents it drives, and one folder for each provider.
//!
//! A provider is a small mandatory core ([`Provider`], [`Session`]) that tells what happens as
//! [`AgentEvent`]s. Its wire types never leave its folder. The crate knows nothing of storage,
//! browsers or threads beyond their ids.

mod contract;
pub mod kilo;

pub use contract::{
    AnswerError, Inventory, OpenError, OpenSession, Opened, Origin, Prompt, Provider, RestartError,
    SendError, Session, Sighting,
};
pub use domain::AgentEvent;
