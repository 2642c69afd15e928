//! What a person's configuration adds: skills, used like slash commands, and MCP servers; files.

use domain::{AttachmentKind, McpState, ProviderId, TurnState};
use testkit::mcp::Notes;
use testkit::model::Script;

use crate::driver::message;
use crate::harness::{Bench, mcp};

/// A picture of one pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, 0x49, 0x44, 0x41, 0x54,
    0x78, 0xda, 0x63, 0xfc, 0xcf, 0xc0, 0x50, 0x0f, 0, 4, 0x85, 1, 0x80, 0x84, 0xa9, 0x8c, 0x21, 0,
    0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

#[tokio::test(flavor = "multi_thread")]
async fn skills_and_servers_are_listed_and_a_skill_is_used_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let notes = Notes::at(dir.path()).unwrap();
    let bench = Bench::start_with(&mcp(&notes)).await;
    let skill = bench.codex_home().join("skills/greet");
    std::fs::create_dir_all(&skill).unwrap();
    let text = "---\nname: greet\ndescription: Greets people.\n---\n\nSay heron to everybody.\n";
    std::fs::write(skill.join("SKILL.md"), text).unwrap();
    let thread = bench.thread().await;
    let project = bench.row(&thread).await.project_id;
    let extras = bench.engine.extras(&project, &ProviderId::known("codex")).await.unwrap();
    let greet = extras.commands.iter().find(|command| command.name == "greet");
    assert_eq!(greet.map(|c| c.description.as_str()), Some("Greets people."), "{extras:?}");
    let notes = extras.servers.iter().find(|server| server.name == "notes");
    assert_eq!(notes.map(|server| &server.state), Some(&McpState::Connected), "{extras:?}");

    let words = format!("/greet {}", Script::new().text("Heron!").prompt("the team"));
    let turn = bench.say(&thread, &words).await;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let calls = bench.sandbox.model.calls();
    assert!(calls.iter().any(|call| call.body.to_string().contains("Say heron to everybody.")));
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_and_a_text_go_to_the_model_with_their_message() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let image = bench.engine.attach("dot.png", PNG.to_vec()).await.unwrap();
    assert_eq!(image.kind, AttachmentKind::Png);
    // It is the last that the model is told, and so where the script is looked for.
    let words = Script::new().text("Seen.").prompt("the heron stands");
    let text = bench.engine.attach("notes.txt", words.into_bytes()).await.unwrap();
    let mut new = message("Look.");
    new.attachments = vec![image, text];
    let turn = bench.engine.send(&thread, new).await.unwrap().id;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    let call = bench.sandbox.model.calls().into_iter().last().unwrap();
    let sent = call.body.to_string();
    assert!(sent.contains("data:image/png;base64,") && sent.contains("the heron stands"));
    bench.engine.shutdown().await;
}
