//! What the real agent cannot be had to do: programs that speak a little of its language.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Access, ErrorCode, InputKind, Mode, ModelSelection, ProviderSettings, ThreadId, TurnId,
};
use tokio::sync::mpsc;

use crate::claude::{Claude, ClaudeConfig};
use crate::shared::failures::FORGIVEN;
use crate::{OpenSession, Opened, Prompt, Provider as _, SendError, Session};

/// Ends a test that hangs.
const PATIENT: Duration = Duration::from_secs(60);

/// A Claude Code whose processes run this script, in a shell.
fn scripted(dir: &Path, script: &str) -> Claude {
    let program = dir.join("claude");
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\n--version) echo '2.1.197 (Claude Code)'; exit;;\n\
         auth) echo '{{\"loggedIn\":true}}'; exit;;\nesac\n{script}\n"
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let claude = Claude::new(ClaudeConfig {
        host: process::Host::default(),
        path: "/usr/bin:/bin".into(),
        cwd: dir.to_owned(),
        home: dir.to_owned(),
        config_dir: None,
        env: Vec::new(),
    });
    let binary = Some(program.to_string_lossy().into_owned());
    let settings = ProviderSettings { enabled: true, binary, ..ProviderSettings::default() };
    claude.0.settings.send_replace(Some(settings));
    claude
}

async fn open(
    claude: &Claude,
    dir: &Path,
) -> (Arc<dyn Session>, mpsc::Receiver<domain::AgentEvent>) {
    let request = OpenSession {
        thread: ThreadId::parse("thr_00000000000000000000000000000007").unwrap(),
        session: None,
        workspace: dir.to_owned(),
        access: Access::Supervised,
        title: String::new(),
        trusted: true,
    };
    match claude.open(request).await {
        Ok(Opened { session, events, .. }) => (session, events),
        Err(error) => panic!("{error}"),
    }
}

fn prompt(session: &dyn Session, n: u32) -> Prompt {
    Prompt {
        turn: TurnId::parse(&format!("trn_{n:032x}")).unwrap(),
        key: session.prompt_key(InputKind::Message),
        kind: InputKind::Message,
        text: format!("message {n}"),
        attachments: Vec::new(),
        model: ModelSelection { model: "sonnet".to_owned(), option: None },
        mode: Mode::Build,
    }
}

async fn send(session: &dyn Session, n: u32) -> Result<(), SendError> {
    let sent = session.send(prompt(session, n));
    tokio::time::timeout(PATIENT, sent).await.expect("in time")
}

#[tokio::test]
async fn an_agent_that_does_not_start_is_left_alone_in_its_session_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let script = "echo start >> starts\necho 'no space left on the moon' >&2\nexit 3";
    let claude = scripted(dir.path(), script);
    let starts = || std::fs::read_to_string(dir.path().join("starts")).unwrap_or_default();
    let (session, _events) = open(&claude, dir.path()).await;
    let forgiven = u32::try_from(FORGIVEN).unwrap();
    for n in 0..forgiven + 2 {
        let error = send(session.as_ref(), n).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::AgentUnavailable);
        assert!(error.message.contains("no space left on the moon"), "{error}");
        assert_eq!(error.message.contains("left alone"), n >= forgiven, "{error}");
    }
    assert_eq!(starts().lines().count(), FORGIVEN);
    // Another session is not held up by it.
    let (other, _events) = open(&claude, dir.path()).await;
    send(other.as_ref(), 20).await.unwrap_err();
    assert_eq!(starts().lines().count(), FORGIVEN + 1);
    // A person wants it tried again.
    claude.restart(false).await.unwrap();
    send(session.as_ref(), 21).await.unwrap_err();
    assert_eq!(starts().lines().count(), FORGIVEN + 2);
    claude.shutdown().await;
}
