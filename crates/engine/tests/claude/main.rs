//! The engine with the real Claude Code and a scripted model: whole turns, from message to store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod access;
mod approvals;
mod crashes;
#[path = "../shared/driver.rs"]
mod driver;
mod elicitation;
mod errors;
mod harness;
mod lookup;
mod mcp;
mod plans;
mod rules;
mod sessions;
mod status;
mod stop;
mod text;
mod threads;
mod titles;
mod tools;
mod trust;
