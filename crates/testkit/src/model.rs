//! A model server that plays scripts.
//!
//! It speaks OpenAI's chat completions and Responses and Anthropic's Messages on a loopback port.
//! What it answers rides in the prompt: a message carries a fenced block of JSON, and so a test, the
//! command line or a person in the browser chooses the model's behaviour without any shared state:
//!
//! ````text
//! Look around
//! ```script
//! [ [ {"text": "I will look.", "chunk": 3, "delay_ms": 10},
//!     {"tool": "bash", "args": {"command": "ls", "description": "List files"}} ],
//!   [ {"text": "Done."} ] ]
//! ```
//! ````
//!
//! A script is a list of *steps*, one for each call of the model that the message leads to: the
//! step to play is the number of assistant messages since. A step is a list of *actions*
//! ([`Action`] has their JSON). Past the last step the model says "Done.". Messages without
//! a script get an answer fit for people.
//!
//! - A sub-agent's script rides in the `prompt` argument of the `task` call, itself a string in
//!   JSON ([`Script::task`] writes it); so it does in the `prompt` of Claude Code's `Agent` and in the
//!   `message` of Codex's `spawn_agent`, which `gpt-5.5` must find first (`tool_search`).
//! - Messages that the agent writes itself, such as Kilo's "Implement the plan above.", are
//!   answered by the script's `then` ([`Script::then`]).
//! - A request for a summary is answered with one that carries the rest of the script, so that
//!   a compacted conversation goes on where it was.
//! - A request for a title is answered with the message's first words.
//! - A message that is looked at, in a picture say, need not show its script: the server is told it in
//!   advance ([`ModelServer::answer_to`]) and plays it to every message of these words.
//!
//! Tests pause the model at gates (`{"wait": "name"}`) instead of sleeping:
//! [`ModelServer::reached`] waits until the model is there, [`ModelServer::release`] lets it go
//! on. Other programs use `POST /control/release/<name>`, `POST /control/script` (`words` and
//! `script`), `GET /control/calls` and `GET /control/connections`.

mod answer;
mod builder;
mod chat;
pub(crate) mod conn;
mod emit;
mod log;
mod messages;
mod plain;
mod protocol;
mod request;
mod responses;
mod run;
mod script;
mod server;
mod told;

pub use answer::{Answer, Kind, answer};
pub use log::{Call, Outcome};
pub use protocol::Protocol;
pub use request::{Message, Purpose, Request};
pub use script::{Action, FENCE, Pace, Script, ScriptError, Step};
pub use server::{Connections, ModelServer};
