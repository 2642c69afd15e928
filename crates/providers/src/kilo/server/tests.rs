//! What keeps a server from being started, with a program that never gets ready.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use domain::{Access, AgentEndReason, ProviderSettings, ProviderState, ThreadId};

use crate::kilo::{Kilo, KiloConfig};
use crate::shared::failures::{BACK_OFF, FORGIVEN};
use crate::{OpenSession, Provider};

/// Ends a test that hangs; well below the 30 s a server has to get ready.
const PATIENT: Duration = Duration::from_secs(15);

/// A Kilo whose server writes `started` into its directory and then hangs.
async fn hanging(dir: &Path) -> Kilo {
    let program = dir.join("kilo");
    let script =
        "#!/bin/sh\n[ \"$1\" = serve ] || { echo 7.7.7; exit; }\ntouch started\nexec sleep 600\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let kilo = Kilo::new(KiloConfig {
        host: process::Host::default(),
        path: "/usr/bin:/bin".into(),
        cwd: dir.join("cwd"),
        state: dir.join("state"),
        injected: None,
        env: Vec::new(),
        scratch: None,
        bounds: super::super::Bounds::default(),
        native_log: None,
    });
    kilo.0.face.settings.send_replace(Some(settings(dir, true)));
    kilo
}

fn settings(dir: &Path, enabled: bool) -> ProviderSettings {
    let binary = Some(dir.join("kilo").to_string_lossy().into_owned());
    ProviderSettings { enabled, binary, ..ProviderSettings::default() }
}

fn request(dir: &Path) -> OpenSession {
    OpenSession {
        thread: ThreadId::parse("thr_00000000000000000000000000000007").unwrap(),
        session: None,
        workspace: dir.to_owned(),
        access: Access::Supervised,
        title: String::new(),
        trusted: true,
    }
}

async fn refusal(kilo: &Kilo, dir: &Path) -> String {
    match kilo.open(request(dir)).await {
        Ok(_) => panic!("a session was opened"),
        Err(error) => error.message,
    }
}

/// Begins to open a session, and waits until the server is being started.
async fn opening(kilo: &Kilo, dir: &Path) -> tokio::task::JoinHandle<String> {
    let (kilo, at) = (kilo.clone(), dir.to_owned());
    let opening = tokio::spawn(async move { refusal(&kilo, &at).await });
    let started = async {
        while !dir.join("cwd/started").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENT, started).await.unwrap();
    opening
}

#[tokio::test]
async fn the_end_of_baton_cuts_a_start_short_and_bars_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let kilo = hanging(dir.path()).await;
    let opening = opening(&kilo, dir.path()).await;

    tokio::time::timeout(PATIENT, kilo.shutdown()).await.unwrap();

    assert_eq!(opening.await.unwrap(), "Baton ends");
    assert_eq!(refusal(&kilo, dir.path()).await, "Baton ends");
}

#[tokio::test]
async fn switching_off_cuts_a_start_short() {
    let dir = tempfile::tempdir().unwrap();
    let kilo = hanging(dir.path()).await;
    let opening = opening(&kilo, dir.path()).await;

    let off = kilo.configure(settings(dir.path(), false));
    tokio::time::timeout(PATIENT, off).await.unwrap();

    assert_eq!(opening.await.unwrap(), "Kilo is switched off");
    assert_eq!(refusal(&kilo, dir.path()).await, "Kilo is switched off");
}

#[tokio::test]
async fn a_look_that_is_given_up_does_not_stay_in_progress() {
    let dir = tempfile::tempdir().unwrap();
    let kilo = hanging(dir.path()).await;
    let mut status = kilo.status();
    let looking = tokio::spawn({
        let kilo = kilo.clone();
        async move { kilo.detect().await }
    });
    tokio::time::timeout(PATIENT, status.wait_for(|s| s.checking)).await.unwrap().unwrap();

    looking.abort();

    tokio::time::timeout(PATIENT, status.wait_for(|s| !s.checking)).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_open_waits_for_the_first_settings() {
    let dir = tempfile::tempdir().unwrap();
    let kilo = hanging(dir.path()).await;
    kilo.0.face.settings.send_replace(None);
    let (first, ()) = tokio::join!(refusal(&kilo, dir.path()), async {
        tokio::task::yield_now().await;
        kilo.configure(settings(dir.path(), false)).await;
    });
    assert_eq!(first, "Kilo is switched off");
}

#[tokio::test]
async fn a_server_that_does_not_start_is_left_alone_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let kilo = hanging(dir.path()).await;
    let script = "#!/bin/sh\n[ \"$1\" = serve ] || { echo 7.7.7; exit; }\n\
        echo start >> starts\necho 'no space left on the moon' >&2\nexit 3\n";
    std::fs::write(dir.path().join("kilo"), script).unwrap();
    let starts = || std::fs::read_to_string(dir.path().join("cwd/starts")).unwrap_or_default();

    // Many at once are one start after the other, with pauses, and not many.
    let opens = (0..20).map(|_| refusal(&kilo, dir.path()));
    let refused = futures_util::future::join_all(opens).await;
    assert!(refused.iter().all(|said| said.contains("no space left on the moon")), "{refused:?}");
    assert_eq!(starts().lines().count(), FORGIVEN);
    let status = kilo.status().borrow().clone();
    assert_eq!(status.state, ProviderState::Broken);
    assert!(status.message.contains("no space left on the moon"), "{}", status.message);
    let report = kilo.report().await;
    assert_eq!((report.ends.len(), report.starts), (FORGIVEN, 0));
    assert!(report.ends.iter().all(|end| end.why == AgentEndReason::NotStarted));
    let apart = report.ends.windows(2).rev().map(|ends| ends[0].at - ends[1].at);
    for (apart, pause) in apart.zip(BACK_OFF) {
        // The clock that an end is noted by may be set meanwhile, but not by this much.
        assert!(apart >= i64::try_from(pause.as_millis() / 2).unwrap(), "{:?}", report.ends);
    }

    // A person wants it tried again: it is, and the reason is told.
    let restarted = kilo.restart(false).await.unwrap_err().to_string();
    assert!(restarted.contains("no space left on the moon"), "{restarted}");
    assert_eq!(starts().lines().count(), FORGIVEN + 1);
}
