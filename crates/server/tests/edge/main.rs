//! The whole server over real sockets, with a provider that answers by itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod attachments;
mod commands;
mod devices;
mod fake;
mod files;
mod guard;
mod kit;
mod live;
mod search;
mod settings;
