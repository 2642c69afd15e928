//! The command line without an agent: what it refuses, and how it says so.

use std::os::unix::fs::PermissionsExt as _;

use crate::kit::{Place, text};

#[tokio::test]
async fn arguments_that_make_no_sense_are_usage_errors() {
    let place = Place::new();
    for arguments in [
        &["run"][..],
        &["run", "--access", "everything", "x"],
        &["run", "--thread", "thr_x", "--dir", "/", "x"],
        &["serve", "--port", "70000"],
        &["nonsense"],
        &["run", "  "],
        &["run", "--thread", "thr_nonsense", "x"],
        &["run", "--thread", "thr_01a204686fa57445b33418397e1692e5", "x"],
        &["run", "--provider", "other", "x"],
    ] {
        let ran = place.baton(arguments).await;
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
        assert!(ran.out.is_empty(), "{arguments:?}: {}", ran.out);
    }
}

#[tokio::test]
async fn a_provider_that_is_not_installed_is_said_with_what_to_do() {
    let place = Place::new();
    let ran = place.baton(&["run", "--dir", "/", "hello"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("Kilo cannot be used"), "{}", ran.err);
    let ran = place.baton(&["doctor"]).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("kilo       not installed"), "{}", ran.out);
    assert!(ran.out.contains("to do"), "{}", ran.out);
    assert_eq!(place.baton(&["models"]).await.code, 1);
}

#[tokio::test]
async fn a_server_tells_where_it_is_and_takes_that_back_at_its_end() {
    let place = Place::new();
    let mut server = place.serve(&["--port", "0"]).await;
    let told = std::fs::read_to_string(place.data().join("server.json")).unwrap();
    assert!(told.contains(&server.url), "{told}");
    assert!(server.link.starts_with(&format!("{}/#pair=", server.url)), "{}", server.link);
    for name in ["server.json", "token", "baton.db"] {
        let mode = place.data().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} is for its owner alone");
    }
    let ran = place.baton(&["doctor"]).await;
    assert!(ran.out.contains(&server.url), "{}", ran.out);
    assert_eq!(server.end().await, 0);
    assert!(!place.data().join("server.json").exists());
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() {
    let place = Place::new();
    let mut server = place.serve(&["--port", "0"]).await;
    let ran = place.baton(&["serve", "--no-open", "--port", "0"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains(&server.url), "{}", ran.err);
    server.end().await;
}

#[tokio::test]
async fn what_a_killed_server_left_behind_does_not_matter() {
    let place = Place::new();
    let mut server = place.serve(&["--port", "0"]).await;
    server.kill().await;
    assert!(place.data().join("server.json").exists());
    let ran = place.baton(&["doctor"]).await;
    assert!(ran.out.contains("server     not running"), "{}{}", ran.out, ran.err);
    let mut server = place.serve(&["--port", "0"]).await;
    server.end().await;
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = place.baton(&["serve", "--no-open", "--port", &port]).await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains(&format!("port {port}")) && ran.err.contains("--port 0"),
        "{}",
        ran.err
    );
    let ran = place.baton(&["serve", "--no-open", "--host", "192.0.2.1", "--port", "0"]).await;
    assert!(ran.code == 1 && ran.err.contains("--host"), "{}", ran.err);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let place = Place::new();
    place.baton(&["doctor"]).await;
    let path = place.data().join("baton.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // Where SQLite keeps `user_version` in its header.
    bytes[60..64].copy_from_slice(&9999_u32.to_be_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let ran = place.baton(&["serve", "--no-open", "--port", "0"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("newer Baton"), "{}", ran.err);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    std::fs::write(&path, "not a database, but long enough to be looked at").unwrap();
    let ran = place.baton(&["serve", "--no-open", "--port", "0"]).await;
    assert!(ran.code == 1 && ran.err.contains("is not a Baton database"), "{}", ran.err);
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_used_is_said() {
    let place = Place::new();
    let file = place.home().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let dir = text(&file.join("data"));
    let ran = place.baton(&["serve", "--no-open", "--data-dir", &dir]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains(&dir) && ran.err.contains("--data-dir"), "{}", ran.err);
}

#[tokio::test]
async fn a_further_device_is_paired_by_a_new_link() {
    let place = Place::new();
    let ran = place.baton(&["pair"]).await;
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("no Baton runs"), "{}", ran.err);
    let mut server = place.serve(&["--port", "0"]).await;
    let ran = place.baton(&["pair"]).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let link = ran.out.trim();
    assert!(link.starts_with(&format!("{}/#pair=", server.url)), "{link}");
    assert_ne!(link, server.link);
    assert_eq!(server.end().await, 0);
}
