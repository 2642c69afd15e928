//! What Baton's tests stand on: the real agents, a model that plays scripts, homes of their own.
//!
//! The test kit knows the agents and the model protocol they speak. It deliberately knows nothing
//! of Baton's crates, so that each of them can test with it, and it is never linked into the
//! product.

pub mod agents;
pub mod arguments;
pub mod browser;
pub mod dice;
pub mod faults;
pub mod home;
pub mod kilo;
pub mod mcp;
pub mod model;
pub mod project;
pub mod sandbox;
pub mod wait;
