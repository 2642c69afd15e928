//! Properties and cases of the machine.

mod back;
mod cases;
mod client;
mod corrections;
mod gone;
mod ops;
mod order;
mod permits;
mod plans;
mod recovery;
mod refusals;
mod samples;
mod steer;
mod text;
mod world;
