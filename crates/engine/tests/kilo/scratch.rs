//! What Kilo unpacks for itself: in a folder of Baton's, and gone with its server.

use providers::kilo::Bounds;
use testkit::kilo::libraries;
use testkit::model::Script;
use testkit::sandbox::Sandbox;
use testkit::wait::{PATIENT, until};

use crate::harness::{Bench, SCRATCH, said};

#[tokio::test(flavor = "multi_thread")]
async fn what_kilo_unpacks_is_in_batons_folder_and_gone_with_its_server() {
    let temporary = tempfile::tempdir().unwrap();
    let mut sandbox = Sandbox::new().await.expect("a sandbox with the real Kilo");
    sandbox.env.push(("TMPDIR".to_owned(), temporary.path().display().to_string()));
    let bench = Bench::start_in(sandbox, Bounds::default()).await;
    let folder = bench.data().join(SCRATCH);
    let thread = bench.thread_with(domain::Access::Full).await;
    let script =
        Script::new().bash("echo \"temporary files: $TMPDIR\" > said").step().text("Done.");
    bench.run(&thread, &script).await;
    assert_eq!(said(&bench.window(&thread).await), ["Done."]);
    // Its commands have the person's own folder.
    let told = bench.file("said").expect("what the command wrote");
    assert_eq!(told.trim(), format!("temporary files: {}", temporary.path().display()));
    until(PATIENT, || async {
        if libraries(&folder) > 0 { Ok(()) } else { Err("nothing unpacked") }
    })
    .await;
    assert_eq!(libraries(temporary.path()), 0);
    bench.engine.shutdown().await;
    assert!(!folder.exists());
    assert_eq!(libraries(temporary.path()), 0);
}
