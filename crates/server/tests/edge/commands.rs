//! Commands and queries, and how they are refused.

use domain::{Answer, Decision, Project, RequestState, Thread, ThreadId, Turn, TurnId, Window};
use protocol::{
    Bootstrap, Diagnostics, Directories, ModelList, Problem, ProblemCode, ProjectTrust, ThreadList,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kit::{DEADLINE, Server, problem};

fn message(text: &str) -> Value {
    json!({ "id": TurnId::from_uuid(Uuid::now_v7()), "text": text })
}

#[tokio::test]
async fn a_repeated_command_gives_the_same_answer() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let new = json!({
        "id": thread.id, "project_id": thread.project_id, "provider": "fake",
        "model": { "model": "fake/echo" },
    });
    let again: Thread = server.post("/api/threads", &new).await.json().await.unwrap();
    assert_eq!(again.created_at, thread.created_at);

    let turns = format!("/api/threads/{}/turns", thread.id);
    let first = message("hold");
    let sent = server.post(&turns, &first).await;
    assert_eq!(sent.status(), 202);
    let sent: Turn = sent.json().await.unwrap();
    let again: Turn = server.post(&turns, &first).await.json().await.unwrap();
    assert_eq!((again.id, again.ordinal), (sent.id, sent.ordinal));
    let window: Window = server.get(&format!("/api/threads/{}/window", thread.id)).await;
    assert_eq!(window.turns.len(), 1);
}

#[tokio::test]
async fn who_answers_too_late_is_told_how_it_was_answered() {
    let server = Server::start().await;
    let thread = server.thread().await;
    server.post(&format!("/api/threads/{}/turns", thread.id), &message("ask")).await;
    let address = format!("/api/threads/{}/window", thread.id);
    let seen = async |wanted: &dyn Fn(&Window) -> bool| {
        let look = async {
            loop {
                let window: Window = server.get(&address).await;
                if wanted(&window) {
                    return window;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, look).await.unwrap()
    };
    let request = seen(&|window| !window.requests.is_empty()).await.requests.remove(0).id;
    let path = format!("/api/threads/{}/requests/{}/answer", thread.id, request);
    let answer = async |decision: &str| {
        let answer = json!({ "answer": { "kind": "approval", "decision": decision } });
        server.post(&path, &answer).await
    };
    assert_eq!(answer("once").await.status(), 202);
    let given = Answer::Approval { decision: Decision::Once, message: None };
    let stands = |problem: Problem| match problem.stands {
        Some(
            RequestState::Answering { answer } | RequestState::Resolved { answer: Some(answer) },
        ) => answer,
        other => panic!("{other:?}"),
    };
    let late = answer("reject").await;
    let late: Problem = late.json().await.unwrap();
    assert_eq!((late.status, stands(late)), (409, given.clone()));
    // Also when the turn is over.
    server.post(&format!("/api/threads/{}/stop", thread.id), &json!({})).await;
    seen(&|window| window.turns.iter().all(|turn| turn.state.is_terminal())).await;
    let late = problem(answer("reject").await, 409, ProblemCode::RequestClosed).await;
    assert_eq!(stands(late), given);
}

#[tokio::test]
async fn a_broad_directory_is_added_when_that_is_confirmed() {
    let server = Server::start().await;
    let whole = json!({ "path": "/", "broad": true });
    let project: Project = server.post("/api/projects", &whole).await.json().await.unwrap();
    assert_eq!(project.path, "/");
    let known = server.post("/api/projects", &json!({ "path": "/" })).await;
    assert_eq!(known.status(), 200, "what is a project already is not asked again");
    let trust: ProjectTrust = server.get(&format!("/api/projects/{}/trust", project.id)).await;
    assert_eq!((trust.project, trust.startup.acts.len()), (project, 0));
}

#[tokio::test]
async fn refusals_have_stable_codes() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let unknown = ThreadId::from_uuid(Uuid::now_v7());
    let turn = TurnId::from_uuid(Uuid::now_v7());
    let here = format!("/api/threads/{}", thread.id);
    let check = async |method: &str, path: &str, body: Option<Value>, status, code| {
        let request = server.request(method, path);
        let request = body.iter().fold(request, reqwest::RequestBuilder::json);
        problem(request.send().await.unwrap(), status, code).await
    };
    use ProblemCode as Code;
    check("get", "/api/nothing", None, 404, Code::NotFound).await;
    check("put", "/api/threads", None, 405, Code::MethodNotAllowed).await;
    check("get", "/api/threads/nonsense", None, 400, Code::BadRequest).await;
    check("get", "/api/threads?before=nonsense", None, 400, Code::BadRequest).await;
    check("get", "/api/threads?archived=perhaps", None, 400, Code::BadRequest).await;
    check("get", &format!("/api/threads/{unknown}"), None, 404, Code::UnknownThread).await;
    let there = format!("/api/threads/{unknown}/turns");
    check("post", &there, Some(message("x")), 404, Code::UnknownThread).await;
    check("post", &format!("{here}/turns"), Some(message("  ")), 422, Code::EmptyMessage).await;
    let steer = json!({ "id": turn, "text": "x", "delivery": "steer" });
    check("post", &format!("{here}/turns"), Some(steer.clone()), 422, Code::SteerUnsupported).await;
    check("post", &there, Some(steer), 404, Code::UnknownThread).await;
    let now = format!("{here}/turns/{turn}/steer");
    check("post", &now, Some(json!({})), 422, Code::SteerUnsupported).await;
    let long = message(&"x".repeat(1_000_001));
    check("post", &format!("{here}/turns"), Some(long), 422, Code::MessageTooLong).await;
    let huge = message(&"x".repeat(4 * 1024 * 1024));
    check("post", &format!("{here}/turns"), Some(huge), 413, Code::TooLarge).await;
    let wide = json!({ "path": "x".repeat(70_000) });
    check("post", "/api/projects", Some(wide), 413, Code::TooLarge).await;
    check("delete", &format!("{here}/turns/{turn}"), None, 409, Code::NotQueued).await;
    let words = json!({ "text": "else" });
    check("patch", &format!("{here}/turns/{turn}"), Some(words), 409, Code::NotQueued).await;
    let odd = json!({ "txet": "else" });
    check("patch", &format!("{here}/turns/{turn}"), Some(odd), 400, Code::BadRequest).await;
    let last = Some(json!({}));
    check("post", &format!("{here}/turns/{turn}/move"), last, 409, Code::NotQueued).await;
    check("get", &format!("{here}/turns/{turn}/text"), None, 404, Code::UnknownTurn).await;
    check("patch", &here, Some(json!({ "title": " " })), 422, Code::BadTitle).await;
    check("patch", &here, Some(json!({ "titel": "x" })), 400, Code::BadRequest).await;
    let wrong = json!({ "id": turn, "text": 7 });
    check("post", &format!("{here}/turns"), Some(wrong), 400, Code::BadRequest).await;
    check("post", "/api/projects", Some(json!({ "path": "/no/where" })), 422, Code::NotADirectory)
        .await;
    check("post", "/api/projects", Some(json!({ "path": "/" })), 409, Code::BroadDirectory).await;
    check("post", "/api/projects", Some(json!({ "path": "~/" })), 409, Code::BroadDirectory).await;
    let trust = format!("/api/projects/{}/trust", thread.project_id);
    let shown = Some(json!({ "trusted": true, "fingerprint": "other" }));
    check("post", &trust, shown, 409, Code::TrustChanged).await;
    check("get", "/api/directories?path=/no/where/", None, 422, Code::NotADirectory).await;
    check("get", "/api/providers/other/models", None, 404, Code::UnknownProvider).await;
    let elsewhere = json!({
        "id": unknown, "project_id": thread.project_id, "provider": "fake",
        "model": { "model": "fake/missing" },
    });
    check("post", "/api/threads", Some(elsewhere), 422, Code::UnknownModel).await;
    let archived = server.request("patch", &here).json(&json!({ "archived": true }));
    assert_eq!(archived.send().await.unwrap().status(), 200);
    check("post", &format!("{here}/turns"), Some(message("x")), 409, Code::ThreadArchived).await;
}

#[tokio::test]
async fn commands_and_mcp_servers_of_a_project_are_listed_by_provider() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let path = format!("/api/projects/{}/extras", thread.project_id);
    let listed: Value = server.get(&format!("{path}?provider=fake")).await;
    assert_eq!(
        listed,
        json!({
            "commands": [{ "name": "echo", "description": "Says it again", "source": "command",
                "hint": null, "takes_arguments": true }],
            "servers": [{ "name": "notes", "state": "needs_sign_in", "command": "fake login" }],
        })
    );
    let refused = async |path: &str, status, code| {
        problem(server.request("get", path).send().await.unwrap(), status, code).await
    };
    use ProblemCode as Code;
    let of_other = format!("{path}?provider=other");
    refused(&of_other, 404, Code::UnknownProvider).await;
    refused(&path, 400, Code::BadRequest).await;
    let nowhere = domain::ProjectId::from_uuid(Uuid::now_v7());
    let unknown = format!("/api/projects/{nowhere}/extras?provider=fake");
    refused(&unknown, 404, Code::UnknownProject).await;
    std::fs::write(format!("{}/broken", thread.workspace), "").unwrap();
    let broken = refused(&format!("{path}?provider=fake"), 503, Code::ProviderUnavailable).await;
    assert_eq!(broken.detail.as_deref(), Some("Remove the file `broken`."));
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_with_the_place() {
    let server = Server::start().await;
    let request =
        server.request("post", "/api/projects").header("content-type", "application/json");
    let response = request.body("{\"path\": ").send().await.unwrap();
    let problem = problem(response, 400, ProblemCode::BadRequest).await;
    assert!(problem.detail.unwrap().contains("line 1"));
}

#[tokio::test]
async fn projects_threads_and_providers_can_be_managed() {
    let server = Server::start().await;
    let bootstrap: Bootstrap = server.get("/api/bootstrap").await;
    assert_eq!((bootstrap.version.as_str(), bootstrap.host.as_str()), ("1.2.3", "box"));
    std::fs::create_dir_all(server.home.path().join("work/.git")).unwrap();
    let found: Directories = server.get("/api/directories?path=~/w").await;
    let [entry] = found.entries.as_slice() else { panic!("one directory: {found:?}") };
    assert!(entry.git && entry.name == "work");

    let thread = server.thread().await;
    let listed: ThreadList = server.get("/api/threads").await;
    assert_eq!((listed.threads.len(), listed.more), (1, false));
    let after: ThreadList = server.get(&format!("/api/threads?before={}", thread.id)).await;
    assert!(after.threads.is_empty());
    for (moment, wanted) in [(thread.active_at, 0), (thread.active_at + 1, 1)] {
        let listed: ThreadList = server.get(&format!("/api/threads?before={moment}")).await;
        assert_eq!(listed.threads.len(), wanted);
    }

    let models: ModelList = server.get("/api/providers/fake/models").await;
    assert_eq!((models.models.len(), models.stale), (1, false));
    let change = json!({ "custom_models": [" a/b ", "", "a/b"], "binary": "" });
    let response =
        server.request("patch", "/api/providers/fake").json(&change).send().await.unwrap();
    let status: domain::ProviderStatus = response.json().await.unwrap();
    assert_eq!(status.settings.custom_models, ["a/b"]);
    assert!(status.settings.enabled && status.settings.binary.is_none());

    let diagnostics: Diagnostics = server.get("/api/diagnostics").await;
    assert_eq!(diagnostics.pid, std::process::id());
    let said = diagnostics.processes[0].report.ends[0].said.as_deref();
    assert_eq!(said, Some("it began\nPASSWORD=[hidden] it ended"));
    let text = serde_json::to_string(&diagnostics).unwrap();
    assert!(!text.contains(server.token.reveal()));

    for path in
        [format!("/api/threads/{}", thread.id), format!("/api/projects/{}", thread.project_id)]
    {
        let response = server.request("delete", &path).send().await.unwrap();
        assert_eq!(response.status(), 204, "{path}");
    }
    let gone = server.request("delete", &format!("/api/projects/{}", thread.project_id));
    problem(gone.send().await.unwrap(), 404, ProblemCode::UnknownProject).await;
}

#[tokio::test]
async fn a_turn_runs_and_stops() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let here = format!("/api/threads/{}", thread.id);
    assert_eq!(server.post(&format!("{here}/turns"), &message("hold")).await.status(), 202);
    for _ in 0..2 {
        let response = server.request("post", &format!("{here}/stop")).send().await.unwrap();
        assert_eq!(response.status(), 202);
    }
    let ended = async {
        loop {
            let window: Window = server.get(&format!("{here}/window")).await;
            if window.turns.iter().all(|turn| turn.state.is_terminal()) {
                return window;
            }
            tokio::task::yield_now().await;
        }
    };
    let window = tokio::time::timeout(DEADLINE, ended).await.unwrap();
    assert_eq!(window.turns[0].state, domain::TurnState::Interrupted);
}

#[tokio::test]
async fn the_web_app_is_served() {
    let server = Server::start().await;
    let get = async |path: &str, name: &str, value: &str| {
        server.bare("get", path).header(name, value).send().await.unwrap()
    };
    let page = get("/threads/thr_1", "accept-encoding", "identity").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers()["cache-control"], "no-cache");
    assert_eq!(page.text().await.unwrap(), "<!doctype html>page");
    assert_eq!(get("/", "if-none-match", "\"1\"").await.status(), 304);
    let script = get("/assets/a-1.js", "accept-encoding", "br, gzip").await;
    assert_eq!(script.headers()["content-encoding"], "gzip");
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(script.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(script.bytes().await.unwrap(), "zipped");
    let plain = get("/assets/a-1.js", "accept-encoding", "gzip;q=0").await;
    assert_eq!(plain.bytes().await.unwrap(), "plain");
    problem(get("/assets/b-2.js", "accept", "*/*").await, 404, ProblemCode::NotFound).await;
    let post = server.bare("post", "/").send().await.unwrap();
    problem(post, 405, ProblemCode::MethodNotAllowed).await;
}

#[tokio::test]
async fn a_queue_is_changed_and_a_change_that_is_repeated_is_none() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let turns = format!("/api/threads/{}/turns", thread.id);
    let mut ids = Vec::new();
    for text in ["hold", "one", "two", "three"] {
        let turn: Turn = server.post(&turns, &message(text)).await.json().await.unwrap();
        ids.push(turn.id);
    }
    let change = format!("{turns}/{}", ids[2]);
    for _ in 0..2 {
        let words = json!({ "text": "changed", "mode": "plan" });
        let answer = server.request("patch", &change).json(&words).send().await.unwrap();
        let turn: Turn = answer.json().await.unwrap();
        assert_eq!((turn.input.text.head.as_str(), turn.mode), ("changed", domain::Mode::Plan));
        let before = json!({ "before": ids[1] });
        assert_eq!(server.post(&format!("{turns}/{}/move", ids[3]), &before).await.status(), 204);
    }
    for _ in 0..2 {
        let removed = server.request("delete", &format!("{turns}/{}", ids[1])).send().await;
        assert_eq!(removed.unwrap().status(), 204);
    }
    let window: Window = server.get(&format!("/api/threads/{}/window", thread.id)).await;
    let waiting: Vec<&str> = window
        .turns
        .iter()
        .filter(|turn| turn.state == domain::TurnState::Queued)
        .map(|turn| turn.input.text.head.as_str())
        .collect();
    assert_eq!(waiting, ["three", "changed"]);
}

#[tokio::test]
async fn a_conversation_goes_back_and_that_is_undone_and_refused_by_code() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let here = format!("/api/threads/{}", thread.id);
    let (turns, back) = (format!("{here}/turns"), format!("{here}/back"));
    let mut ids = Vec::new();
    for text in ["one", "two", "hold", "waits"] {
        let turn: Turn = server.post(&turns, &message(text)).await.json().await.unwrap();
        ids.push(turn.id);
    }
    let to = |turn: &TurnId| json!({ "turn": turn });
    let quiet = async |wanted: &str| loop {
        let window: Window = server.get(&format!("{here}/window")).await;
        if window.turns.iter().any(|t| t.input.text.head == wanted && t.state.is_terminal()) {
            return window;
        }
        tokio::task::yield_now().await;
    };
    tokio::time::timeout(DEADLINE, quiet("two")).await.unwrap();
    let refused = async |turn: &TurnId, status, code| {
        problem(server.post(&back, &to(turn)).await, status, code).await
    };
    refused(&TurnId::from_uuid(Uuid::now_v7()), 404, ProblemCode::UnknownTurn).await;
    refused(&ids[2], 409, ProblemCode::TurnRuns).await;
    refused(&ids[0], 409, ProblemCode::TurnRuns).await;
    server.request("post", &format!("{here}/stop")).send().await.unwrap();
    tokio::time::timeout(DEADLINE, quiet("hold")).await.unwrap();
    refused(&ids[0], 409, ProblemCode::MessagesWait).await;
    server.request("delete", &format!("{turns}/{}", ids[3])).send().await.unwrap();
    refused(&ids[3], 422, ProblemCode::NeverSent).await;

    for _ in 0..2 {
        let row: Thread = server.post(&back, &to(&ids[1])).await.json().await.unwrap();
        let away = row.back.expect("where it goes back to");
        assert_eq!((away.turn, away.turns.first), (ids[1].clone(), 2));
    }
    for _ in 0..2 {
        let undone = server.request("delete", &back).send().await.unwrap();
        let row: Thread = undone.json().await.unwrap();
        assert_eq!((row.back, row.taken_back), (None, Vec::new()));
    }
    assert_eq!(server.post(&back, &to(&ids[1])).await.status(), 200);
    server.post(&turns, &message("instead")).await;
    let window = tokio::time::timeout(DEADLINE, quiet("instead")).await.unwrap();
    assert_eq!(window.thread.back, None);
    assert_eq!(window.thread.taken_back, [domain::Span { first: 2, last: 4 }]);
    refused(&ids[1], 409, ProblemCode::TakenBack).await;
}
