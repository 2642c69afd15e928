//! How much the agent does unasked, cell by cell: what must ask asks, what must not does not.

use std::os::unix::fs::symlink;
use std::path::Path;

use domain::{Access, Decision, Mode, RequestState, ThreadId, TurnState};
use serde_json::{Value, json};
use testkit::model::Script;

use crate::harness::{Bench, message};

/// What the agent does, the file that shows it was done, and whether it asks when supervised, when
/// edits are free, and with full access.
struct Act {
    tool: &'static str,
    args: Value,
    /// A file that is there once it was done.
    made: Option<String>,
    asks: [bool; 3],
}

fn acts(project: &Path, outside: &Path, access: &str) -> Vec<Act> {
    let inside = |name: &str| project.join(format!("{name}-{access}")).display().to_string();
    let beyond = |name: &str| outside.join(format!("{name}-{access}")).display().to_string();
    let write = |file: String, asks| Act {
        tool: "Write",
        args: json!({ "file_path": file, "content": "new\n" }),
        made: Some(file),
        asks,
    };
    let bash = |command: String, made: Option<String>, asks| Act {
        tool: "Bash",
        args: json!({ "command": command, "description": "Do it" }),
        made,
        asks,
    };
    let read = |file: String, asks| Act {
        tool: "Read",
        args: json!({ "file_path": file }),
        made: None,
        asks,
    };
    const NEVER: [bool; 3] = [false, false, false];
    const EDIT: [bool; 3] = [true, false, false];
    const OTHER: [bool; 3] = [true, true, false];
    vec![
        bash("ls".to_owned(), None, NEVER),
        bash("git status".to_owned(), None, NEVER),
        read(project.join("README.md").display().to_string(), NEVER),
        write(inside("made.txt"), EDIT),
        write(inside("deep/down/made.txt"), EDIT),
        bash(format!("touch {}", inside("touched")), Some(inside("touched")), OTHER),
        bash(format!("mkdir {}", inside("dir")), Some(inside("dir")), OTHER),
        bash(format!("echo x > {}", inside("redirected")), Some(inside("redirected")), OTHER),
        bash("git commit --allow-empty -m x".to_owned(), None, OTHER),
        bash("curl -s http://127.0.0.1:1/ || true".to_owned(), None, OTHER),
        write(beyond("made.txt"), OTHER),
        write(inside("link/made.txt").replace(&format!("made.txt-{access}"), access), OTHER),
        write(inside(".git/made"), OTHER),
        write(inside(".claude/made"), OTHER),
        write(inside(".codex/made"), OTHER),
        write(inside("deep/.kilo/made"), OTHER),
        write(project.join(format!("steering-{access}/made")).display().to_string(), OTHER),
        read("/etc/hostname".to_owned(), OTHER),
        bash("cat /etc/hostname".to_owned(), None, OTHER),
    ]
}

/// Has the agent do one thing; says whether it asked. What it asks is refused.
async fn asks(bench: &Bench, thread: &ThreadId, act: &Act, mode: Mode) -> bool {
    let script = Script::new().tool(act.tool, act.args.clone()).step().text("Done.");
    let mut new = message(&script.prompt("Please do this."));
    new.mode = Some(mode);
    let turn = bench.engine.send(thread, new).await.expect("an accepted message").id;
    let mut asked = false;
    loop {
        let (ended, request) = bench
            .see(thread, |w| {
                let turn = w.turns.iter().find(|t| t.id == turn)?;
                let open = |r: &&domain::Request| matches!(r.state, RequestState::Open { .. });
                let request = w.requests.iter().find(open).cloned();
                let ended = turn.state.is_terminal();
                (ended || request.is_some()).then(|| (ended.then(|| turn.clone()), request))
            })
            .await;
        if let Some(request) = request {
            asked = true;
            bench.decide(&request, Decision::Reject).await;
            bench
                .see(thread, |w| {
                    let open = |r: &domain::Request| r.id == request.id && r.state.is_open();
                    (!w.requests.iter().any(open)).then_some(())
                })
                .await;
            continue;
        }
        let turn = ended.expect("an ended turn");
        assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None), "{:?}", act.args);
        return asked;
    }
}

/// Has a thread of this access do everything; what was not as it must be. For each access once.
pub(crate) async fn wrong(bench: &Bench, access: Access) -> Vec<String> {
    let outside = tempfile::tempdir().unwrap();
    let project = bench.sandbox.project.clone();
    let column = match access {
        Access::Supervised => 0,
        Access::AutoEdit => 1,
        Access::Full => 2,
    };
    let thread = bench.thread_with(access).await;
    let name = format!("{column}");
    std::fs::create_dir_all(project.join(".agents")).unwrap();
    symlink(".agents", project.join(format!("steering-{name}"))).unwrap();
    symlink(outside.path(), project.join(format!("link-{name}"))).unwrap();
    let mut acts = acts(&project, outside.path(), &name);
    for act in &mut acts {
        let file = act.args["file_path"].as_str().unwrap_or_default();
        if file.contains("/link/") {
            let file = project.join(format!("link-{name}/through"));
            act.args["file_path"] = json!(file);
            act.made = Some(file.display().to_string());
        }
    }
    let mut wrong = Vec::new();
    for act in &acts {
        let asked = asks(bench, &thread, act, Mode::Build).await;
        let done = act.made.as_ref().map(|made| Path::new(made).exists());
        let wanted = act.asks[column];
        if asked != wanted || done.is_some_and(|done| done == wanted) {
            wrong.push(format!("{access:?} {} asked {asked}, done {done:?}", act.args));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_ask_asks_and_what_must_not_does_not() {
    let bench = Bench::start().await;
    for access in [Access::Supervised, Access::AutoEdit, Access::Full] {
        let wrong = wrong(&bench, access).await;
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_changes_something_runs_unasked_in_a_plan_whatever_the_access() {
    let bench = Bench::start().await;
    let project = bench.sandbox.project.clone();
    for access in [Access::Supervised, Access::AutoEdit, Access::Full] {
        let file = project.join(format!("planned-{access:?}"));
        let command = format!("touch {}", file.display());
        let started_in_it = bench.thread_with(access).await;
        let taken_into_it = bench.thread_with(access).await;
        bench.run(&taken_into_it, &Script::new().text("It works outside a plan.")).await;
        for act in [
            Act {
                tool: "Write",
                args: json!({ "file_path": file, "content": "x" }),
                made: None,
                asks: [true; 3],
            },
            Act {
                tool: "Bash",
                args: json!({ "command": command, "description": "x" }),
                made: None,
                asks: [true; 3],
            },
        ] {
            for thread in [&started_in_it, &taken_into_it] {
                assert!(asks(&bench, thread, &act, Mode::Plan).await, "{access:?} {}", act.args);
                assert!(!file.exists(), "{access:?} {}", act.args);
            }
        }
    }
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_access_lets_what_waits_go_on_and_a_narrower_one_asks_again() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let bash = |file: &str| json!({ "command": format!("touch {file}"), "description": "x" });
    let script = Script::new().tool("Bash", bash("a")).step().tool("Bash", bash("b")).step();
    let script = script.text("Done.");
    let turn = bench.send(&thread, &script).await;
    bench.asked(&thread).await;
    bench.set_access(&thread, Access::Full).await;
    let ended = bench.ended(&thread, &turn).await;
    assert_eq!(ended.state, TurnState::Completed);
    assert!(bench.file("a").is_some() && bench.file("b").is_some());
    bench.set_access(&thread, Access::Supervised).await;
    let turn = bench.send(&thread, &Script::new().tool("Bash", bash("c"))).await;
    let request = bench.asked(&thread).await;
    bench.decide(&request, Decision::Reject).await;
    bench.ended(&thread, &turn).await;
    assert_eq!(bench.file("c"), None);
    bench.engine.shutdown().await;
}
