use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn agent() -> Agent {
    Agent {
        name: "Some Agent",
        commands: &["some", "some-agent"],
        package: "@some/agent",
        minimum: Version::new(2, 0, 0),
        env: &[("SOME_QUIET", "1")],
        unset: &["HOME"],
        native: |package| Some(package.join("native/some")).filter(|native| native.is_file()),
        version: |lines| lines.last().and_then(|line| Version::parse(line).ok()),
    }
}

fn program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

async fn located(script: &str) -> Result<Installed, LocateError> {
    let dir = tempfile::tempdir().unwrap();
    program(&dir.path().join("some-agent"), script);
    agent().locate(&Host::default(), None, dir.path().as_os_str()).await
}

#[tokio::test]
async fn every_name_is_found_and_the_version_is_asked_for_quietly() {
    let installed = located("echo first run; echo 2.0.$SOME_QUIET$HOME").await.unwrap();
    assert_eq!(installed.version, Version::new(2, 0, 1));
    assert!(installed.found.ends_with("some-agent"));
}

#[tokio::test]
async fn what_is_not_usable_is_told_apart() {
    let error = located("echo some editor").await.unwrap_err();
    assert!(matches!(&error, LocateError::WrongProgram { said, .. } if said == "some editor"));
    assert!(error.to_string().contains("is not Some Agent; asked for its version, it said"));
    let error = located("echo 1.9.20").await.unwrap_err();
    assert!(matches!(&error, LocateError::TooOld { version, .. } if version.minor == 9));
    assert!(error.to_string().ends_with("is version 1.9.20; at least 2.0.0 is needed"));
    let error = located("echo no screen >&2; exit 1").await.unwrap_err();
    assert!(matches!(error, LocateError::Broken { stderr, .. } if stderr == ["no screen"]));
    let path = Path::new("/no/some");
    let error = agent().locate(&Host::default(), Some(path), OsStr::new("")).await.unwrap_err();
    assert_eq!(error.to_string(), "no some was found at /no/some");
}

#[test]
fn npm_s_wrapper_is_seen_through_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let package = root.join("node_modules/@some/agent");
    program(&package.join("bin/some.js"), "");
    fs::write(package.join("package.json"), r#"{"name":"@some/agent"}"#).unwrap();
    let link = root.join("node_modules/.bin/some");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("../@some/agent/bin/some.js", &link).unwrap();
    assert_eq!(agent().native_program(&link), None, "no program is there");
    program(&package.join("native/some"), "");
    assert_eq!(agent().native_program(&link), Some(package.join("native/some")));
    fs::write(package.join("package.json"), r#"{"name":"other"}"#).unwrap();
    assert_eq!(agent().native_program(&link), None);
}
