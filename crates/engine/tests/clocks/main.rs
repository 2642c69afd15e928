//! The engine's clocks, on paused time, with an agent that does what it is told: every turn ends,
//! whatever the agent fails to say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod agent;
mod answers;
mod chaos;
mod heads;
mod interleavings;
mod kit;
mod memory;
mod preparing;
mod running;
mod settings;
mod stopping;
mod storage;
mod trust;
