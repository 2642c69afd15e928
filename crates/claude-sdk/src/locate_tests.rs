use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn program(dir: &Path, script: &str) -> PathBuf {
    let path = dir.join("claude");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

async fn looked(script: &str) -> Result<Installed, LocateError> {
    let dir = tempfile::tempdir().unwrap();
    program(dir.path(), script);
    locate(&Host::default(), None, dir.path().as_os_str()).await
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_is_wrong_is_said() {
    let empty = tempfile::tempdir().unwrap();
    let none = locate(&Host::default(), None, empty.path().as_os_str()).await.unwrap_err();
    assert_eq!(none, LocateError::NotFound { command: "claude", configured: None });
    let wrong = looked("echo 1.2.3").await.unwrap_err();
    assert!(matches!(wrong, LocateError::WrongProgram { said, .. } if said == "1.2.3"));
    let old = looked("echo '1.0.3 (Claude Code)'").await.unwrap_err();
    assert!(matches!(old, LocateError::TooOld { version, .. } if version == Version::new(1, 0, 3)));
    let broken = looked("echo 'native binary not installed' >&2; exit 1").await.unwrap_err();
    let LocateError::Broken { stderr, .. } = broken else { panic!("{broken:?}") };
    assert_eq!(stderr, ["native binary not installed"]);
    let newer = looked("echo '2.1.330 (Claude Code)'").await.unwrap();
    assert_eq!(newer.version, Version::new(2, 1, 330));
}

#[tokio::test]
async fn the_native_program_is_taken_where_no_script_put_it_into_npms_package() {
    let dir = tempfile::tempdir().unwrap();
    let scope = dir.path().join("node_modules/@anthropic-ai");
    let (bin, native) =
        (scope.join("claude-code/bin"), scope.join(packages().unwrap().first().unwrap()));
    for dir in [&bin, &native] {
        std::fs::create_dir_all(dir).unwrap();
    }
    std::fs::write(
        scope.join("claude-code/package.json"),
        r#"{"name":"@anthropic-ai/claude-code"}"#,
    )
    .unwrap();
    let stub = program(&bin, "exit 1");
    let real = program(&native, "echo '2.1.197 (Claude Code)'");
    let found = locate(&Host::default(), Some(&stub), OsStr::new("")).await.unwrap();
    assert_eq!(found.program, real.canonicalize().unwrap());
    assert_eq!(found.found, stub);
}
