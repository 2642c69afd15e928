//! Properties and cases of the machine.

mod back;
mod cases;
mod client;
mod order;
mod plans;
mod recovery;
mod refusals;
mod steer;
mod text;
mod world;
