//! The engine with the real Kilo and a scripted model: whole turns, from message to store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod access;
mod approvals;
mod attachments;
mod commands;
mod crashes;
mod deletion;
#[path = "../shared/driver.rs"]
mod driver;
mod errors;
mod extras;
mod faults;
mod harness;
mod models;
mod native_log;
mod plans;
mod queue;
mod scratch;
mod servers;
mod sessions;
mod steer;
mod stop;
mod text;
mod tools;
mod trust;
