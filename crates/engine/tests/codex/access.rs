//! What each access lets happen unasked, act by act.

use std::collections::BTreeSet;
use std::path::Path;

use domain::{
    Access, ApprovalKind, Decision, ItemContent, RequestState, ThreadPatch, TurnState, Window,
};
use serde_json::json;
use testkit::mcp::Notes;
use testkit::model::Script;

use crate::harness::{Bench, Tools as _, approval, mcp};

/// An act, in the order of the script.
const ACTS: [&str; 9] = [
    "look",
    "write",
    "delete",
    "commit",
    "command outside",
    "patch",
    "patch outside",
    "escalate",
    "tool",
];

/// Everything Codex's model may try, one act a step.
fn everything(outside: &Path) -> Script {
    let out = |name: &str| outside.join(name).display().to_string();
    let escalated = json!({"cmd": format!("touch {}", out("escalated")),
        "sandbox_permissions": "require_escalated", "justification": "wants out"});
    let commit = "git add -A && git -c user.name=x -c user.email=x@x commit -qm made";
    Script::new()
        .run_command("cat README.md")
        .step()
        .run_command("touch written")
        .step()
        .run_command("rm -rf doomed")
        .step()
        .run_command(commit)
        .step()
        .run_command(&format!("touch {}", out("commanded")))
        .step()
        .patch("*** Add File: patched\n+x")
        .step()
        .patch(&format!("*** Add File: {}\n+x", out("patched")))
        .step()
        .tool("exec_command", escalated)
        .step()
        .tool("mcp__notes.add_note", json!({"text": "x"}))
        .step()
        .text("ok")
}

/// Which acts changed something.
fn done(bench: &Bench, notes: &Notes, outside: &Path) -> BTreeSet<&'static str> {
    let commits = std::fs::read_to_string(bench.sandbox.project.join(".git/logs/HEAD"));
    let committed = commits.is_ok_and(|log| log.contains("made"));
    let changed = [
        ("write", bench.file("written").is_some()),
        ("delete", !bench.sandbox.project.join("doomed").exists()),
        ("commit", committed),
        ("command outside", outside.join("commanded").exists()),
        ("patch", bench.file("patched").is_some()),
        ("patch outside", outside.join("patched").exists()),
        ("escalate", outside.join("escalated").exists()),
        ("tool", notes.count() > 0),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(act, _)| act).collect()
}

/// Runs everything under one access, rejecting what asks; gives what asked and what was done.
async fn run(access: Access) -> (Vec<&'static str>, BTreeSet<&'static str>) {
    let dir = tempfile::tempdir().unwrap();
    let notes = Notes::at(dir.path()).unwrap();
    let bench = Bench::start_with(&mcp(&notes)).await;
    // Beside the project and in no directory for temporary files, which a sandbox lets be written.
    let outside = bench.sandbox.home.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::create_dir(bench.sandbox.project.join("doomed")).unwrap();
    let thread = bench.thread_with(access).await;
    let turn = bench.send(&thread, &everything(&outside)).await;
    let mut asked = Vec::new();
    let mut seen = BTreeSet::new();
    loop {
        let next = bench
            .see(&thread, |w| {
                if w.turns.iter().any(|t| t.id == turn && t.state.is_terminal()) {
                    return Some(None);
                }
                let open = |r: &&domain::Request| {
                    matches!(r.state, RequestState::Open { .. }) && !seen.contains(r.id.as_str())
                };
                w.requests.iter().find(open).cloned().map(Some)
            })
            .await;
        let Some(request) = next else { break };
        seen.insert(request.id.as_str().to_owned());
        let ask = approval(&request);
        let command = ask.command.as_deref().unwrap_or_default();
        asked.push(match ask.what {
            ApprovalKind::Mcp => "tool",
            ApprovalKind::Edit => "patch",
            ApprovalKind::OutsideWorkspace => "patch outside",
            _ if command.starts_with("cat") => "look",
            _ if command.starts_with("rm") => "delete",
            _ if command.starts_with("git") => "commit",
            _ if command.contains("commanded") => "command outside",
            _ if command.contains("escalated") => "escalate",
            _ => "write",
        });
        bench.decide(&request, Decision::Reject).await;
    }
    let ended = bench.ended(&thread, &turn).await;
    assert_eq!((ended.state, &ended.error), (TurnState::Completed, &None), "{access:?}");
    let done = done(&bench, &notes, &outside);
    // Codex writes nothing into the user's own configuration.
    assert!(!bench.config().contains("trust_level"), "{}", bench.config());
    bench.engine.shutdown().await;
    (asked, done)
}

#[tokio::test(flavor = "multi_thread")]
async fn supervised_asks_before_every_act() {
    let (asked, done) = run(Access::Supervised).await;
    assert_eq!(asked, ACTS);
    assert_eq!(done, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_edit_asks_before_every_act_but_changes_of_files_inside() {
    let (asked, done) = run(Access::AutoEdit).await;
    let wanted: Vec<_> = ACTS.into_iter().filter(|act| *act != "patch").collect();
    assert_eq!(asked, wanted);
    assert_eq!(done, BTreeSet::from(["patch"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn full_access_asks_nothing_and_does_it_all() {
    let (asked, done) = run(Access::Full).await;
    assert_eq!(asked, Vec::<&str>::new());
    let all: BTreeSet<_> = ACTS.into_iter().filter(|act| *act != "look").collect();
    assert_eq!(done, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_through_a_link_that_leads_out_is_asked_in_auto_edit() {
    let bench = Bench::start().await;
    let outside = bench.sandbox.home.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, bench.sandbox.project.join("link")).unwrap();
    let thread = bench.thread_with(Access::AutoEdit).await;
    let script = Script::new().patch("*** Add File: link/made\n+x").step().text("ok");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    bench.decide(&ask, Decision::Reject).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert!(!outside.join("made").exists());
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_changed_mid_turn_holds_from_the_next_act_and_frees_what_waits() {
    let bench = Bench::start().await;
    let thread = bench.free().await;
    let set = async |access| {
        let patch = ThreadPatch { access: Some(access), ..ThreadPatch::default() };
        bench.engine.patch_thread(&thread, patch).await.unwrap();
    };
    let script = Script::new()
        .run_command("touch r0")
        .step()
        .wait("begun")
        .run_command("touch r1")
        .step()
        .run_command("touch r2")
        .step()
        .wait("again")
        .run_command("touch r3")
        .step()
        .text("ok");
    let turn = bench.send(&thread, &script).await;
    bench.reached("begun").await;
    assert!(bench.file("r0").is_some());
    set(Access::Supervised).await;
    bench.sandbox.model.release("begun");
    bench.asked(&thread).await;
    assert!(bench.file("r1").is_none());
    // What waits is freed, and what comes next is not asked.
    set(Access::Full).await;
    bench.reached("again").await;
    assert!(bench.file("r1").is_some() && bench.file("r2").is_some());
    set(Access::Supervised).await;
    bench.sandbox.model.release("again");
    let ask = bench.asked(&thread).await;
    assert!(bench.file("r3").is_none());
    bench.decide(&ask, Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    assert!(bench.file("r3").is_some());
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loose_configuration_of_the_user_does_not_loosen_supervision() {
    let loose = "approval_policy = \"never\"\nsandbox_mode = \"danger-full-access\"\n\
                 approvals_reviewer = \"auto_review\"\n";
    let bench = Bench::start_with(loose).await;
    let thread = bench.thread().await;
    let script = Script::new().run_command("touch made").step().text("ok");
    let turn = bench.send(&thread, &script).await;
    let ask = bench.asked(&thread).await;
    assert!(bench.file("made").is_none());
    bench.decide(&ask, Decision::Reject).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    let window: Window = bench.window(&thread).await;
    assert!(window.items.iter().any(|i| matches!(i.content, ItemContent::Command { .. })));
    bench.engine.shutdown().await;
}
