//! What the real agent cannot be had to do: programs that speak a little of its language.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    Access, AgentEvent, ErrorCode, InputKind, Mode, ModelSelection, ProviderSettings, ThreadId,
    TurnEvent, TurnId,
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
        quiet: true,
    });
    let binary = Some(program.to_string_lossy().into_owned());
    let settings = ProviderSettings { enabled: true, binary, ..ProviderSettings::default() };
    claude.0.face.settings.send_replace(Some(settings));
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

/// Answers what is asked of it, and takes messages up without ending their turns. What `$1` says is
/// done with an interrupt.
const SPEAKS: &str = r#"
echo start >> log
id() { id=${line#*\"request_id\":\"}; id=${id%%\"*}; }
say() { printf '{"type":"control_response","response":{"subtype":"success",'; \
    printf '"request_id":"%s","response":%s}}\n' "$id" "$1"; }
while read -r line; do case "$line" in
*'"subtype":"initialize"'*) id; say '{}';;
*'"subtype":"get_settings"'*) id; say '{"effective":{"allowManagedPermissionRulesOnly":true}}';;
*'"subtype":"interrupt"'*) INTERRUPT;;
*'"type":"user"'*) echo message >> log
    uuid=${line#*\"uuid\":\"}; uuid=${uuid%%\"*}
    printf '{"type":"user","uuid":"%s","isReplay":true,"message":{}}\n' "$uuid";;
esac; done
echo end >> log
"#;

async fn until(events: &mut mpsc::Receiver<AgentEvent>, wanted: impl Fn(&TurnEvent) -> bool) {
    let read = async {
        while let Some(event) = events.recv().await {
            if matches!(&event, AgentEvent::Turn { event, .. } if wanted(event)) {
                return;
            }
        }
        panic!("the session ended");
    };
    tokio::time::timeout(PATIENT, read).await.expect("in time");
}

#[tokio::test]
async fn a_message_waits_for_the_stop_before_it_and_a_stop_that_may_come_late_hits_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // The turn ends, and whatever comes next is seen before the stop is answered, if it ever is.
    let late = r#"echo stop >> log
    printf '{"type":"result","is_error":true,"terminal_reason":"aborted_tools"}\n'"#;
    let claude = scripted(dir.path(), &SPEAKS.replace("INTERRUPT", late));
    let (session, mut events) = open(&claude, dir.path()).await;
    send(session.as_ref(), 1).await.unwrap();
    until(&mut events, |event| *event == TurnEvent::Started).await;
    let stop = {
        let (session, turn) = (session.clone(), prompt(session.as_ref(), 1).turn);
        tokio::spawn(async move { session.interrupt(&turn).await })
    };
    until(&mut events, |event| matches!(event, TurnEvent::Ended(_))).await;
    send(session.as_ref(), 2).await.unwrap();
    assert!(stop.await.unwrap().is_err(), "the stop was not answered");
    until(&mut events, |event| *event == TurnEvent::Started).await;
    claude.shutdown().await;
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    let log: Vec<_> = log.lines().collect();
    assert_eq!(log[..6], ["start", "message", "stop", "end", "start", "message"]);
}
