//! What each access lets happen unasked, tool by tool, also where the user's own configuration
//! would let more happen.

use std::collections::BTreeMap;

use domain::{
    Access, Decision, ItemContent, ItemStatus, Mode, RequestBody, RequestState, ThreadPatch,
    TurnState, Window,
};
use providers::Provider;
use serde_json::{Value, json};
use testkit::mcp::Notes;
use testkit::model::Script;
use testkit::wait::{PATIENT, until};

use crate::harness::{Bench, approval};

/// What waits: how often each permission is asked, with the sub-agent that asks it.
type Asked = BTreeMap<String, usize>;

fn open_asks(window: &Window) -> Asked {
    let mut asks = Asked::new();
    for request in &window.requests {
        let what = match &request.body {
            RequestBody::Approval(approval) => approval.permission.as_str(),
            RequestBody::Question { .. } => "question",
            RequestBody::Plan { .. } => "plan",
        };
        if matches!(request.state, RequestState::Open { .. }) {
            let who = request.from.as_ref().map(|from| format!("{from}: ")).unwrap_or_default();
            *asks.entry(format!("{who}{what}")).or_default() += 1;
        }
    }
    asks
}

/// Every tool Kilo offers, in one turn, a sub-agent's among them.
fn everything(bench: &Bench, mark: &str, outside: &std::path::Path) -> Script {
    let inside = |name: &str| bench.sandbox.project.join(name);
    let out = |name: &str| outside.join(format!("{mark}-{name}"));
    let child = Script::new()
        .bash(format!("touch {mark}-child-bash"))
        .tool("write", json!({"filePath": inside(&format!("{mark}-child-write")), "content": "x"}))
        .tool("notes_add_note", json!({"text": "from a child"}))
        .tool("read", json!({"filePath": inside("README.md")}))
        .step()
        .text("The child is done.");
    let question = json!({"questions": [{"question": "Which?", "header": "Q", "options": [
        {"label": "This", "description": ""}]}]});
    Script::new()
        .tool("read", json!({"filePath": inside("edited.txt")}))
        .step()
        .bash(format!("touch {mark}-bash"))
        .tool("write", json!({"filePath": inside(&format!("{mark}-write")), "content": "x"}))
        .tool(
            "edit",
            json!({"filePath": inside("edited.txt"), "oldString": "before", "newString": "after"}),
        )
        .tool("read", json!({"filePath": inside(".env")}))
        .tool("glob", json!({"pattern": "*.md"}))
        .tool("grep", json!({"pattern": "tally"}))
        .tool(
            "todowrite",
            json!({"todos": [
            {"content": "one", "status": "completed", "priority": "low"}]}),
        )
        .tool("webfetch", json!({"url": bench.sandbox.model.url(), "format": "text"}))
        .tool("skill", json!({"name": "kilo-config"}))
        .tool("notes_add_note", json!({"text": "from the root"}))
        .tool("read", json!({"filePath": outside.join("there")}))
        .tool("write", json!({"filePath": out("write"), "content": "x"}))
        .tool(
            "bash",
            json!({"command": format!("touch {}", out("bash").display()),
            "description": "Touch"}),
        )
        .task("general", "Try it", &child)
        .tool("question", question)
        .step()
        .text("ok")
}

/// What changed something, by name.
fn changed(bench: &Bench, mark: &str, outside: &std::path::Path) -> Vec<&'static str> {
    let inside = |name: &str| bench.file(&format!("{mark}-{name}")).is_some();
    let mut found = Vec::new();
    for name in ["bash", "write", "child-bash", "child-write"] {
        if inside(name) {
            found.push(name);
        }
    }
    if bench.file("edited.txt").is_some_and(|text| text.contains("after")) {
        found.push("edit");
    }
    for (name, said) in [("write", "outside write"), ("bash", "outside bash")] {
        if outside.join(format!("{mark}-{name}")).exists() {
            found.push(said);
        }
    }
    found
}

/// What a turn of everything comes to under one access.
struct Wanted<'a> {
    access: Access,
    /// What asks, and how often.
    asked: &'a [(&'a str, usize)],
    /// What changes something unasked.
    done: &'a [&'a str],
    /// How many notes the MCP server has then.
    notes: usize,
}

/// Runs everything with one access and stops when what asks, asks, and what does not, is done.
async fn check(bench: &Bench, notes: &Notes, wanted: &Wanted<'_>) {
    let Wanted { access, asked, done, .. } = *wanted;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("there"), "secret").unwrap();
    std::fs::write(bench.sandbox.project.join("edited.txt"), "before").unwrap();
    let mark = format!("{access:?}").to_lowercase();
    let thread = bench.thread_with(access).await;
    let turn = bench.send(&thread, &everything(bench, &mark, outside.path())).await;
    let asks: Asked = asked.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    bench
        .see(&thread, |w| {
            let finished = |wanted: fn(&ItemContent) -> bool| {
                let mut items = w.items.iter().filter(|i| wanted(&i.content));
                items.any(|i| i.status == ItemStatus::Done)
            };
            let looked =
                finished(|c| matches!(c, ItemContent::Search { query, .. } if query == "*.md"))
                    && finished(
                        |c| matches!(c, ItemContent::Search { query, .. } if query == "tally"),
                    )
                    && finished(|c| matches!(c, ItemContent::TodoList { .. }))
                    && finished(|c| matches!(c, ItemContent::Tool { name, .. } if name == "skill"));
            let did = changed(bench, &mark, outside.path()) == done;
            (looked && did && open_asks(w) == asks && notes.count() == wanted.notes).then_some(())
        })
        .await;
    bench.engine.stop(&thread).await.unwrap();
    bench.ended(&thread, &turn).await;
    assert_eq!(changed(bench, &mark, outside.path()), done, "{access:?}");
    assert_eq!(notes.count(), wanted.notes, "{access:?}");
}

async fn matrix(bench: &Bench, notes: &Notes) {
    std::fs::write(bench.sandbox.project.join(".env"), "SECRET=1").unwrap();
    let always = [
        ("bash", 1),
        ("external_directory", 3),
        ("general: bash", 1),
        ("general: notes_add_note", 1),
        ("notes_add_note", 1),
        ("question", 1),
        ("read", 1),
        ("webfetch", 1),
    ];
    let mut supervised = always.to_vec();
    supervised.extend([("edit", 2), ("general: edit", 1)]);
    let of = |access, asked, done, notes| Wanted { access, asked, done, notes };
    check(bench, notes, &of(Access::Supervised, &supervised, &[], 0)).await;
    let edits = ["write", "child-write", "edit"];
    check(bench, notes, &of(Access::AutoEdit, &always, &edits, 0)).await;
    // Questions are a person's in every access.
    let all =
        ["bash", "write", "child-bash", "child-write", "edit", "outside write", "outside bash"];
    check(bench, notes, &of(Access::Full, &[("question", 1)], &all, 2)).await;
}

/// A Kilo with an MCP server, and more in its user's configuration.
async fn with_notes(mut config: Value) -> (Bench, Notes, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let notes = Notes::at(dir.path()).unwrap();
    config["mcp"] = json!({ "notes": notes.kilo_config() });
    (Bench::start_with_config(&config).await, notes, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_access_is_what_it_says() {
    let (bench, notes, _dir) = with_notes(json!({})).await;
    matrix(&bench, &notes).await;
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loose_configuration_of_the_user_does_not_loosen_supervision() {
    let loose = json!({
        "permission": {"*": "allow", "bash": "allow", "edit": {"*": "allow"}},
        "agent": {
            "code": {"permission": {"bash": "allow", "edit": "allow", "webfetch": "allow"}},
            "general": {"permission": {"bash": "allow", "edit": "allow"}},
            "wild": {"mode": "subagent", "description": "d", "prompt": "p",
                     "permission": {"bash": "allow"}},
            "unseen": {"mode": "subagent", "hidden": true, "description": "d", "prompt": "p",
                       "permission": {"bash": "allow"}},
        },
    });
    let (bench, notes, _dir) = with_notes(loose).await;
    matrix(&bench, &notes).await;
    // A sub-agent asks as well, and one with loose rules of its own is asked for itself.
    for (agent, wanted) in [("general", "bash"), ("wild", "task"), ("unseen", "task")] {
        let thread = bench.thread().await;
        let child = Script::new().bash("touch by-a-child").step().text("done");
        let script = Script::new().task(agent, "Try it", &child).step().text("ok");
        let turn = bench.send(&thread, &script).await;
        let ask = bench.asked(&thread).await;
        assert_eq!(approval(&ask).permission, wanted, "{agent}");
        assert!(bench.file("by-a-child").is_none(), "{agent} acted unasked");
        bench.engine.stop(&thread).await.unwrap();
        bench.ended(&thread, &turn).await;
    }
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_loosened_while_a_session_rests_are_asked_in_it_too() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("ok")).await;
    let file = bench.sandbox.home.path().join(".config/kilo/kilo.json");
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    config["agent"]["late"] = json!({"mode": "subagent", "description": "d", "prompt": "p",
        "permission": {"bash": "allow"}});
    std::fs::write(&file, config.to_string()).unwrap();
    // It is read anew, and with it what has to be asked.
    until(PATIENT, || async {
        let open: u32 = bench.kilo.report().await.processes.iter().map(|p| p.sessions).sum();
        if open == 0 { Ok(()) } else { Err("the session goes by the old rules") }
    })
    .await;
    let child = Script::new().bash("touch by-a-child").step().text("done");
    let script = Script::new().task("late", "Try it", &child).step().text("ok");
    bench.send(&thread, &script).await;
    assert_eq!(approval(&bench.asked(&thread).await).permission, "task");
    assert!(bench.file("by-a-child").is_none(), "it acted unasked");
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_changed_mid_turn_holds_from_the_next_tool_and_frees_what_waits() {
    let bench = Bench::start().await;
    let thread = bench.thread_with(Access::Full).await;
    let set = async |access| {
        let patch = ThreadPatch { access: Some(access), ..ThreadPatch::default() };
        bench.engine.patch_thread(&thread, patch).await.unwrap();
    };
    let child = Script::new().bash("touch c1").step().wait("in-child").bash("touch c2").step();
    let child = child.text("done");
    let script = Script::new().bash("touch r0").step().wait("begun").bash("touch r1").step();
    let script = script.task("general", "Try it", &child).step();
    let script = script.wait("in-root").bash("touch r2").step().text("ok");
    let turn = bench.send(&thread, &script).await;
    // What was allowed from the beginning is allowed no longer: Kilo has to be told.
    bench.reached("begun").await;
    assert!(bench.file("r0").is_some());
    set(Access::Supervised).await;
    bench.sandbox.model.release("begun");
    bench.asked(&thread).await;
    assert!(bench.file("r1").is_none());
    // What waits is freed, and neither the root nor its sub-agent asks any more.
    set(Access::Full).await;
    bench.reached("in-child").await;
    assert!(bench.file("r1").is_some() && bench.file("c1").is_some());
    // Back again, in the middle of the sub-agent: it asks, and so does the root after it.
    set(Access::Supervised).await;
    bench.sandbox.model.release("in-child");
    let ask = bench.asked(&thread).await;
    assert_eq!((ask.from.as_deref(), bench.file("c2")), (Some("general"), None));
    bench.decide(&ask, Decision::Once).await;
    bench.reached("in-root").await;
    bench.sandbox.model.release("in-root");
    let ask = bench.asked(&thread).await;
    assert_eq!((ask.from.as_deref(), bench.file("r2")), (None, None));
    bench.decide(&ask, Decision::Once).await;
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_plan_turns_are_offered_the_end_of_a_plan() {
    let bench = Bench::start().await;
    let offered = |marker: &str| {
        let calls = bench.sandbox.model.calls_with(marker);
        calls.iter().any(|call| call.tools.iter().any(|tool| tool == "plan_exit"))
    };
    for access in [Access::Supervised, Access::Full] {
        let thread = bench.thread_with(access).await;
        let build = format!("build-{access:?}");
        let turn = bench.say(&thread, &Script::new().text("ok").prompt(&build)).await;
        bench.ended(&thread, &turn).await;
        assert!(!offered(&build), "{access:?}");
        let patch = ThreadPatch { mode: Some(Mode::Plan), ..ThreadPatch::default() };
        bench.engine.patch_thread(&thread, patch).await.unwrap();
        let plan = format!("plan-{access:?}");
        let turn = bench.say(&thread, &Script::new().text("ok").prompt(&plan)).await;
        bench.ended(&thread, &turn).await;
        assert!(offered(&plan), "{access:?}");
    }
    bench.engine.shutdown().await;
}
