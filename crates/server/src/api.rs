//! The handlers of the routes, a file for each thing they are about.

pub(crate) mod attachments;
pub(crate) mod devices;
pub(crate) mod files;
pub(crate) mod projects;
pub(crate) mod providers;
pub(crate) mod queue;
pub(crate) mod search;
pub(crate) mod server;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod threads;
