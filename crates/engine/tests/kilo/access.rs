//! What each access lets happen unasked, tool by tool, also where the user's own configuration
//! would let more happen.

use domain::{Access, Decision, Mode, ThreadPatch, TurnState};
use serde_json::{Value, json};
use testkit::model::Script;

use crate::harness::{Bench, approval};

/// Runs one tool and says whether it asked. What asks is rejected.
async fn asks(bench: &Bench, access: Access, tool: &str, args: Value) -> bool {
    let thread = bench.thread_with(access).await;
    let turn = bench.send(&thread, &Script::new().tool(tool, args).step().text("ok")).await;
    let asked = bench
        .see(&thread, |w| {
            let ended = w.turns.iter().any(|t| t.id == turn && t.state.is_terminal());
            match (w.requests.first(), ended) {
                (Some(request), _) => Some(Some(request.clone())),
                (None, true) => Some(None),
                (None, false) => None,
            }
        })
        .await;
    if let Some(request) = &asked {
        bench.decide(request, Decision::Reject).await;
    }
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed, "{access:?} {tool}");
    asked.is_some()
}

async fn matrix(bench: &Bench) {
    let inside = |name: &str| bench.sandbox.project.join(name).to_string_lossy().into_owned();
    let page = bench.sandbox.model.url();
    for (tool, args, supervised, auto_edit) in [
        ("bash", json!({"command": "mkdir made-by-bash", "description": "d"}), true, true),
        ("write", json!({"filePath": inside("w.txt"), "content": "x"}), true, false),
        ("read", json!({"filePath": inside("README.md")}), false, false),
        ("read", json!({"filePath": "/etc/hostname"}), true, true),
        ("webfetch", json!({"url": page, "format": "text"}), true, true),
        ("todowrite", json!({"todos": []}), false, false),
    ] {
        let name = format!("{tool} {args}");
        assert_eq!(asks(bench, Access::Supervised, tool, args.clone()).await, supervised, "{name}");
        assert_eq!(asks(bench, Access::AutoEdit, tool, args.clone()).await, auto_edit, "{name}");
        assert!(!asks(bench, Access::Full, tool, args).await, "full access asked: {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_access_is_what_it_says() {
    let bench = Bench::start().await;
    matrix(&bench).await;
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
        },
    });
    let bench = Bench::start_with_config(&loose).await;
    matrix(&bench).await;
    // A sub-agent asks as well, and one with loose rules of its own is asked for itself.
    for (agent, wanted) in [("general", "bash"), ("wild", "task")] {
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
async fn access_changed_mid_turn_holds_from_the_next_tool_and_frees_what_waits() {
    let bench = Bench::start().await;
    let thread = bench.thread().await;
    let script = Script::new().bash("echo 1").step().bash("echo 2").step().text("ok");
    let turn = bench.send(&thread, &script).await;
    bench.asked(&thread).await;
    let patch = ThreadPatch { access: Some(Access::Full), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    assert_eq!(bench.ended(&thread, &turn).await.state, TurnState::Completed);
    // And back again: the next turn asks.
    let patch = ThreadPatch { access: Some(Access::Supervised), ..ThreadPatch::default() };
    bench.engine.patch_thread(&thread, patch).await.unwrap();
    let turn = bench.send(&thread, &Script::new().bash("echo 3").step().text("ok")).await;
    let ask = bench.asked(&thread).await;
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
