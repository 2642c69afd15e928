//! The HTTP edge: routes, credentials, the live socket, the embedded web app, and every refusal as
//! `problem+json`.
//!
//! A server takes its listener, its [`App`] and its shutdown from the caller ([`run`]), so tests
//! drive it whole. It turns requests into calls of the `engine` and answers into JSON; it decides
//! nothing about threads and does not know what a provider is. Every request and socket passes the
//! guard: Host, Origin, credential, in this order.

mod addresses;
mod api;
mod assets;
mod credentials;
mod devices;
mod extract;
mod files;
mod guard;
mod live;
mod openapi;
mod pairing;
mod problem;
mod qr;
mod recent;
mod router;
mod serve;
mod state;

pub use addresses::reachable;
pub use assets::{Asset, Assets};
pub use credentials::Token;
pub use guard::Hosts;
pub use pairing::PairingCode;
pub use recent::RecentLog;
pub use serve::{MAX_CONNECTIONS, run};
pub use state::{App, Config};
