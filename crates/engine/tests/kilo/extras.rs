//! What the user's and a project's configuration add to Kilo: commands, skills and MCP servers.

use domain::{CommandSource, Extras, McpState, ProviderId};
use serde_json::json;
use testkit::mcp::Notes;

use crate::harness::Bench;

async fn extras(bench: &Bench) -> Extras {
    let project = bench.engine.projects().await.unwrap().remove(0);
    bench.engine.extras(&project.id, &ProviderId::known("kilo")).await.expect("what Kilo has")
}

fn state<'a>(extras: &'a Extras, name: &str) -> Option<&'a McpState> {
    extras.servers.iter().find(|server| server.name == name).map(|server| &server.state)
}

fn names(extras: &Extras) -> Vec<&str> {
    extras.commands.iter().map(|command| command.name.as_str()).collect()
}

/// Gives the project a command, a skill and an MCP server that cannot start.
fn configure(bench: &Bench) {
    let write = |path: &str, text: &str| {
        let path = bench.sandbox.project.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let greet = "---\ndescription: Greets somebody\n---\nGreet. $ARGUMENTS";
    write(".kilo/command/greet.md", greet);
    let poet = "---\nname: poet\ndescription: Writes poems\n---\nRhyme.";
    write(".kilo/skills/poet/SKILL.md", poet);
    let theirs = json!({ "mcp": { "theirs": { "type": "local", "command": ["/no/program"] } } });
    write("kilo.json", &theirs.to_string());
}

#[tokio::test]
async fn commands_and_mcp_servers_are_those_that_the_trust_allows() {
    let dir = tempfile::tempdir().unwrap();
    let notes = Notes::at(dir.path()).unwrap();
    let off = json!({ "type": "local", "command": ["cat"], "enabled": false });
    let users = json!({ "mcp": { "notes": notes.kilo_config(), "off": off } });
    let bench = Bench::start_with_config(&users).await;
    configure(&bench);
    bench.thread().await;

    let unread = extras(&bench).await;
    assert!(names(&unread).contains(&"init") && !names(&unread).contains(&"greet"), "{unread:?}");
    assert!(!names(&unread).contains(&"poet"), "{unread:?}");
    assert_eq!(state(&unread, "notes"), Some(&McpState::Connected));
    assert_eq!(state(&unread, "off"), Some(&McpState::Disabled));
    assert_eq!(state(&unread, "theirs"), None, "it is not even started");

    let project = bench.engine.projects().await.unwrap().remove(0);
    bench.engine.decide_trust(&project.id, true, project.fingerprint).await.unwrap();
    let read = extras(&bench).await;
    let command = |name| read.commands.iter().find(|command| command.name == name).unwrap();
    assert_eq!(command("greet").description, "Greets somebody");
    assert!(command("greet").takes_arguments);
    assert_eq!(command("poet").source, CommandSource::Skill);
    assert_eq!(state(&read, "notes"), Some(&McpState::Connected));
    let theirs = state(&read, "theirs");
    let why =
        matches!(theirs, Some(McpState::Failed { message }) if message.contains("/no/program"));
    assert!(why, "{theirs:?}");
}
