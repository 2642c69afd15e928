//! The mapper before the real Kilo's recorded streams, undisturbed and disturbed, and in cases.

mod asks;
mod calls;
mod children;
mod faults;
mod frames;
mod past;
mod play;
mod recorded;
mod replay;
mod show;
mod steer;
mod texts;
mod tools;
mod turns;
