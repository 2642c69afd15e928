//! Talks to Kilo about the current directory: one prompt from the command line, the answer on
//! standard output. Permissions are asked for on the terminal.
//!
//! ```sh
//! cargo run -p kilo-sdk --example converse -- "What does this project do?"
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::collections::HashSet;
use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use kilo_sdk::types::{PartBody, Rule};
use kilo_sdk::{
    CloseReason, Event, Instance, Launch, MessageId, NewSession, Prompt, PromptPart, Reply,
    SessionId, StreamItem, StreamOptions, launch, locate,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let configured = std::env::var_os("KILO").map(std::path::PathBuf::from);
    let here = std::env::current_dir()?;

    let host = process::Host::default();
    let installed = locate(&host, configured.as_deref(), &path).await?;
    let server = launch(&host, Launch::new(&installed, &here)).await?;
    eprintln!("kilo {} at {}", server.health().version, server.client().url());

    let instance = server.client().at(&here.to_string_lossy());
    let result = converse(&server, &instance, &words.join(" ")).await;
    server.stop("done", Duration::from_secs(5)).await;
    result
}

async fn converse(
    server: &kilo_sdk::Server,
    instance: &Instance,
    words: &str,
) -> Result<(), Box<dyn Error>> {
    let options = StreamOptions { exit: Some(server.exit()), ..StreamOptions::default() };
    let mut events = server.client().events(options);
    while !matches!(events.next().await, Some(StreamItem::Connected)) {}
    tokio::time::sleep(StreamItem::SETTLE).await;

    let ask = Rule { permission: "bash".into(), pattern: "*".into(), ..Rule::default() };
    let new = NewSession {
        title: Some("A conversation".into()),
        permission: vec![ask],
        ..NewSession::default()
    };
    let session = instance.create_session(&new).await?.id;
    let prompt = Prompt {
        message_id: MessageId::ascending(),
        agent: Some("code".into()),
        parts: vec![PromptPart::text(words)],
        ..Prompt::default()
    };
    instance.prompt(&session, &prompt).await?;

    // Deltas do not say whether they are of the answer or of the reasoning: their part does.
    let mut answers = HashSet::new();
    while let Some(item) = events.next().await {
        match item {
            StreamItem::Event { envelope, .. } if of(&envelope.event, &session) => {
                match envelope.event {
                    Event::PartUpdated { part, .. } if matches!(part.body, PartBody::Text(_)) => {
                        answers.insert(part.id);
                    }
                    Event::PartDelta { part_id, delta, .. } if answers.contains(&part_id) => {
                        print!("{delta}");
                        std::io::stdout().flush()?;
                    }
                    Event::PermissionAsked(request) => {
                        eprint!("\n{} {:?}: allow? [y/N] ", request.permission, request.patterns);
                        let mut line = String::new();
                        std::io::stdin().read_line(&mut line)?;
                        let yes = line.trim() == "y";
                        let reply = if yes { Reply::Once } else { Reply::Reject };
                        instance.reply_permission(&request.id, reply, None).await?;
                    }
                    Event::SessionError { error, .. } => eprintln!("\n{}", error.message),
                    Event::TurnClose { reason, .. } => {
                        println!();
                        return if reason == CloseReason::Completed {
                            Ok(())
                        } else {
                            Err(format!("the turn ended: {reason:?}").into())
                        };
                    }
                    _ => {}
                }
            }
            StreamItem::Disconnected(why) => eprintln!("\n[disconnected: {why:?}]"),
            StreamItem::Connected | StreamItem::Event { .. } | StreamItem::Malformed { .. } => {}
        }
    }
    Err("the server is gone".into())
}

fn of(event: &Event, session: &SessionId) -> bool {
    event.session_id().as_ref() == Some(session)
}
