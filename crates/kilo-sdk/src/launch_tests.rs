use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// A stand-in for the program, which behaves as `script` says.
async fn launched(script: &str) -> Result<Server, LaunchError> {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("kilo");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut launch = Launch::program(program, dir.path());
    launch.timeout = Duration::from_secs(20);
    super::launch(&Host::default(), launch).await
}

#[tokio::test]
async fn an_exit_while_starting_shows_the_last_lines() {
    let error = launched("echo hello; echo EACCES: denied >&2; exit 1").await.unwrap_err();
    let LaunchError::Exited { exit, stdout } = error else { panic!("{error}") };
    assert_eq!((exit.stderr, stdout), (vec!["EACCES: denied".into()], vec!["hello".into()]));
}

#[tokio::test]
async fn words_that_are_not_understood_are_reported_soon() {
    let error = launched("echo Serving at http://127.0.0.1:1; sleep 600").await.unwrap_err();
    let LaunchError::Unsupported { said } = error else { panic!("{error}") };
    assert!(said.starts_with("Serving"));
}

/// Answers as a healthy server does, to everybody or to those who have credentials; gives its port.
async fn answering(protected: bool) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let read = socket.read(&mut head).await.unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
            // Base64 of `kilo:`, which is no password.
            let asked = head.contains("authorization: basic ") && !head.contains("a2lsbzo=\r");
            let known = !protected || asked;
            let status = if known { "200 OK" } else { "401 Unauthorized" };
            let body = r#"{"healthy":true,"version":"7.7.7"}"#;
            let head = format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn a_server_without_a_password_is_refused() {
    let port = answering(false).await;
    let script = format!(
        "echo Warning: http://x is odd; echo kilo server listening on http://127.0.0.1:{port}; exec sleep 600"
    );
    let error = launched(&script).await.unwrap_err();
    assert!(matches!(error, LaunchError::Unprotected { .. }), "{error}");
}

/// Where a test's log is written.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn warnings_of_a_server_that_works_are_no_errors_and_no_log_has_its_password() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    let port = answering(true).await;
    let script = format!(
        "printf %s \"$KILO_SERVER_PASSWORD\" > '{}'
        echo 'ExperimentalWarning: SQLite is experimental' >&2
        echo 'Error: telemetry could not be sent' >&2
        echo kilo server listening on http://127.0.0.1:{port}
        echo 'FATAL: not really' >&2
        exec sleep 600",
        secret.display()
    );
    let server = launched(&script).await.expect("what it says beside its work is of no matter");
    assert_eq!(server.health().version, "7.7.7");
    server.client().health().await.expect("it is asked with its password");
    server.stop("the test is over", Duration::from_secs(5)).await;
    let secret = std::fs::read_to_string(secret).unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(secret.len(), 64);
    assert!(log.contains("child ended"), "the log was kept: {log}");
    assert!(!log.contains(&secret), "{log}");
}

#[tokio::test]
async fn the_password_is_in_the_environment_only() {
    let looks =
        "for word in \"$@\"; do case $word in *$KILO_SERVER_PASSWORD*) echo said; esac; done
        echo ${#KILO_SERVER_PASSWORD}; exit 1";
    let error = launched(looks).await.unwrap_err();
    let LaunchError::Exited { stdout, .. } = error else { panic!("{error}") };
    assert_eq!(stdout, ["64"], "no argument says it");

    let secret = password().unwrap();
    assert_eq!(secret.len(), 64);
    assert_ne!(Some(&secret), password().as_ref());
    let connection = Connection::new("http://127.0.0.1:1", &secret);
    let client = Client::new(connection.clone(), Limits::default()).unwrap();
    assert!(!format!("{connection:?} {client:?}").contains(&secret));
}

/// Its own watch of us, for where no signal tells it of our end.
#[tokio::test]
async fn the_server_is_told_whose_end_is_its_own() {
    let error = launched("echo $KILO_PARENT_PID; exit 1").await.unwrap_err();
    let LaunchError::Exited { stdout, .. } = error else { panic!("{error}") };
    assert_eq!(stdout, [std::process::id().to_string()]);
}

#[test]
fn the_ready_line_is_recognised() {
    let url = |line| listening_on(line);
    assert_eq!(
        url("kilo server listening on http://127.0.0.1:4096").as_deref(),
        Some("http://127.0.0.1:4096")
    );
    assert_eq!(url("listening on   http://[::1]:1  x").as_deref(), Some("http://[::1]:1"));
    assert_eq!(url("Warning: KILO_SERVER_PASSWORD is not set; server is unsecured."), None);
    assert_eq!(url("listening on port 80"), None);
}
