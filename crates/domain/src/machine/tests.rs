//! Properties and cases of the machine.

mod cases;
mod client;
mod order;
mod plans;
mod recovery;
mod refusals;
mod text;
mod world;
