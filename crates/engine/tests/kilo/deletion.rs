//! Sessions and threads that are deleted, here and at the agent.

use domain::{ThreadId, TurnState};
use engine::{EngineError, SessionQuery};
use kilo_sdk::SessionId;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use providers::{Place, Provider};
use testkit::faults::Fault;
use testkit::model::Script;

use crate::harness::{Bench, said};
use crate::sessions::go_on;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_deleted_while_nothing_runs_is_shown_at_once_and_goes_on_anew() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    bench.run(&thread, &Script::new().text("While it is open.")).await;
    // As any other client of the same server deletes it.
    delete(&bench, &thread).await;
    bench.see(&thread, |w| w.thread.session_gone.then_some(())).await;
    bench.restart().await;
    let row = bench.row(&thread).await;
    assert!(row.session_gone, "it outlives a restart");
    assert_eq!(row.status, domain::ThreadStatus::Idle);
    assert!(!bench.engine.renew_session(&thread).await.expect("renewed").session_gone);
    let turn = bench.run(&thread, &Script::new().text("Anew.")).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));

    // A thread that does not have it open is told as well.
    bench.restart().await;
    assert!(!bench.row(&thread).await.session_gone);
    delete(&bench, &thread).await;
    bench.see(&thread, |w| w.thread.session_gone.then_some(())).await;
    assert_eq!(said(&bench.window(&thread).await), ["While it is open.", "Anew."]);
    bench.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_is_deleted_with_its_thread_or_neither_is() {
    let (bench, proxy) = Bench::behind_faults().await;
    let all = || SessionQuery { limit: 50, ..SessionQuery::default() };
    let kept = bench.thread().await;
    bench.run(&kept, &Script::new().text("Kept at the agent.")).await;
    let row = bench.row(&kept).await;
    let there = async || {
        let listed = bench.engine.sessions(&row.project_id, &row.provider, all()).await;
        let ids = listed.expect("sessions").0.into_iter().map(|s| (s.id, s.thread));
        ids.collect::<std::collections::HashMap<_, _>>()
    };
    let gone = bench.thread().await;
    let script = Script::new().text("Said.").wait("never").text("Not said.");
    bench.send(&gone, &script).await;
    bench.reached("never").await;
    bench.see(&gone, |w| said(w).contains(&"Said.").then_some(())).await;
    let session = bench.row(&gone).await.session.expect("a session");

    // Kilo does not do it: that is told, and nothing is lost.
    proxy.next("DELETE", session.clone(), 1, Fault::Page(502));
    let refused = bench.engine.delete_thread_and_session(&gone).await;
    assert!(matches!(refused, Err(EngineError::Agent(_))), "{refused:?}");
    assert_eq!(said(&bench.window(&gone).await), ["Said."]);
    assert_eq!(there().await.get(&session), Some(&Some(gone.clone())));

    // Another time it does, though a turn may still run.
    bench.engine.delete_thread_and_session(&gone).await.expect("deleted");
    let unknown = bench.engine.thread(&gone).await;
    assert!(matches!(unknown, Err(EngineError::UnknownThread)), "{unknown:?}");
    assert_eq!(there().await.get(&session), None);

    // Otherwise the conversation stays, is nobody's, and can be gone on with and deleted then.
    bench.engine.delete_thread(&kept).await.expect("deleted");
    let session = SessionId::from(row.session.as_deref().expect("a session"));
    assert_eq!(there().await.get(session.as_str()), Some(&None));
    let again = go_on(&bench, &session).await.expect("a thread");
    bench.engine.delete_thread_and_session(&again.id).await.expect("deleted");
    assert_eq!(there().await.get(session.as_str()), None);

    // The server is dead: threads are put away and deleted all the same.
    let (away, gone) = (bench.thread().await, bench.thread().await);
    for thread in [&away, &gone] {
        bench.run(thread, &Script::new().text("Before.")).await;
    }
    let pid = bench.kilo.server_pid().await.expect("a server");
    proxy.next("POST", "/abort", u32::MAX, Fault::Refuse);
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL).unwrap();
    let patch = domain::ThreadPatch { archived: Some(true), ..domain::ThreadPatch::default() };
    assert!(bench.engine.patch_thread(&away, patch).await.expect("archived").archived);
    bench.engine.delete_thread(&gone).await.expect("deleted");
    assert_eq!(said(&bench.window(&away).await), ["Before."]);
    bench.engine.shutdown().await;
}

/// Deletes a thread's session on the server that Baton uses.
async fn delete(bench: &Bench, thread: &ThreadId) {
    let row = bench.row(thread).await;
    let projects = bench.engine.projects().await.expect("projects");
    let project = projects.iter().find(|p| p.id == row.project_id).expect("its project");
    let place = Place { workspace: row.workspace.into(), trusted: project.is_trusted() };
    let sessions = bench.kilo.sessions().expect("whole sessions");
    sessions.delete(&place, &row.session.expect("a session")).await.expect("deleted");
}
