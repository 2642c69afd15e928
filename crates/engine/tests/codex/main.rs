//! The engine with the real Codex and a scripted model: whole turns, from message to store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod access;
mod approvals;
mod children;
#[path = "../shared/driver.rs"]
mod driver;
mod elicitation;
mod errors;
mod extras;
mod harness;
mod plans;
mod resume;
mod sessions;
mod status;
mod steer;
mod stop;
mod text;
mod tools;
mod trust;
