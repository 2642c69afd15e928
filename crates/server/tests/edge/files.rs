//! The files of a project, found by a few letters, and written.

use protocol::{FileMatches, ProblemCode};
use serde_json::json;

use crate::kit::{Server, problem};

#[tokio::test]
async fn files_are_found_in_the_project_and_the_workspace_of_its_threads() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let root = server.home.path().join("project");
    std::fs::create_dir(root.join("src")).unwrap();
    for file in ["src/main.rs", "src/my file.rs", "built.log", ".gitignore"] {
        std::fs::write(root.join(file), "*.log").unwrap();
    }
    let base = format!("/api/projects/{}/files", thread.project_id);
    let find = async |query: &str| -> FileMatches { server.get(&format!("{base}?{query}")).await };
    let paths = |found: &FileMatches| -> Vec<String> {
        found.files.iter().map(|file| file.path.clone()).collect()
    };
    let all = find("").await;
    assert_eq!(paths(&all), [".gitignore", "src/", "src/main.rs", "src/my file.rs"]);
    assert_eq!((all.total, all.cut, all.indexing), (4, false, false));
    let main = find(&format!("q=MAIN&thread={}", thread.id)).await;
    assert_eq!(paths(&main), ["src/main.rs"]);
    assert_eq!(main.files[0].at, [4, 5, 6, 7]);
    assert_eq!(paths(&find("q=my%20f").await), ["src/my file.rs"]);
    let one = find("q=s&limit=0").await;
    assert_eq!((one.files.len(), one.total), (1, 3), "at least one is told");
    for odd in ["%22%27*%3F%5B", "%F0%9F%98%80", "..%2F..%2Fetc", "%00", "%5C"] {
        assert_eq!(find(&format!("q={odd}")).await.total, 0, "{odd}");
    }
}

#[tokio::test]
async fn what_cannot_be_looked_through_is_refused_by_code() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let project = &thread.project_id;
    let ask = async |path: String| server.request("get", &path).send().await.unwrap();
    use ProblemCode as Code;
    let nobody = "prj_00000000-0000-7000-8000-000000000000";
    problem(ask(format!("/api/projects/{nobody}/files")).await, 404, Code::UnknownProject).await;
    let foreign = format!("/api/projects/{nobody}/files?thread={}", thread.id);
    problem(ask(foreign).await, 404, Code::UnknownThread).await;
    let gone = "thr_00000000-0000-7000-8000-000000000000";
    let gone = format!("/api/projects/{project}/files?thread={gone}");
    problem(ask(gone).await, 404, Code::UnknownThread).await;
    for bad in [format!("q={}", "x".repeat(4097)), "limit=many".to_owned(), "thread=no".to_owned()]
    {
        problem(ask(format!("/api/projects/{project}/files?{bad}")).await, 400, Code::BadRequest)
            .await;
    }
    std::fs::remove_dir(server.home.path().join("project")).unwrap();
    let missing = ask(format!("/api/projects/{project}/files")).await;
    problem(missing, 422, Code::NotADirectory).await;
}

#[tokio::test]
async fn a_file_is_written_in_the_workspace_and_replaced_only_when_that_is_said() {
    let server = Server::start().await;
    let thread = server.thread().await;
    let root = server.home.path().join("project");
    let write = async |body: serde_json::Value| {
        let path = format!("/api/threads/{}/files", thread.id);
        server.request("post", &path).json(&body).send().await.unwrap()
    };
    use ProblemCode as Code;
    let plan = json!({ "path": "plans/a.md", "text": "# One" });
    assert_eq!(write(plan.clone()).await.status(), 204);
    assert_eq!(std::fs::read_to_string(root.join("plans/a.md")).unwrap(), "# One");
    problem(write(plan).await, 409, Code::FileExists).await;
    let other = json!({ "path": "plans/a.md", "text": "# Two", "replace": true });
    assert_eq!(write(other).await.status(), 204);
    assert_eq!(std::fs::read_to_string(root.join("plans/a.md")).unwrap(), "# Two");

    for path in ["../a.md", "/tmp/a.md", "", ".git/config"] {
        let body = json!({ "path": path, "text": "x", "replace": true });
        problem(write(body).await, 403, Code::PathOutside).await;
    }
    let below_a_file = json!({ "path": "plans/a.md/b", "text": "x" });
    problem(write(below_a_file).await, 422, Code::NotWritten).await;
    let long = json!({ "path": "b.md", "text": "x".repeat(protocol::MAX_WRITTEN + 1) });
    problem(write(long).await, 413, Code::TooLarge).await;
    let odd = json!({ "path": "b.md", "text": "x", "mode": 777 });
    problem(write(odd).await, 400, Code::BadRequest).await;
    assert!(!root.join("b.md").exists());
}
