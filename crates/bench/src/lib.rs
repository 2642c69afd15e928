//! What the benchmarks share with other programs that measure or wear out Baton: the way to a
//! server, a client of its live socket, threads of the past, the machine, and tables in documents.
//!
//! The benchmarks themselves are the program of this crate.

pub mod document;
pub mod history;
pub mod machine;
pub mod socket;
