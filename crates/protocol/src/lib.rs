//! The wire between Baton's server and its clients: HTTP bodies, WebSocket envelopes, problems,
//! and the generation of their TypeScript types.
//!
//! The things themselves (threads, turns, items, requests) are the types of `domain`, sent as they
//! are. This crate has no logic beyond shapes.

mod files;
mod http;
mod problem;
mod search;
mod sessions;
mod socket;
mod typescript;

pub use files::{FileMatch, FileMatches, MAX_WRITTEN, WriteFile};
pub use http::{
    AddProject, AnswerRequest, AnswerTaken, AttachmentName, Bootstrap, CreateThread, DecideTrust,
    Device, DeviceList, Diagnostics, Directories, DirectoryEntry, Health, LogLevel, LoggedLine,
    ModelList, MoveTurn, PairRequest, PairingAddress, PairingLink, ProjectList, ProjectTrust,
    ProviderList, ProviderProcesses, RestartProvider, SendMessage, SetProvider, TextWhole,
    ThreadList,
};
pub use problem::{Problem, ProblemCode};
pub use search::{SearchHit, SearchPage, SearchPiece};
pub use sessions::{
    BackRequest, CompactRequest, ContinueRequest, ForkRequest, SessionCommand, SessionPage,
};
pub use socket::{ClientMessage, Cursor, ServerMessage, Topic};
pub use typescript::typescript;
