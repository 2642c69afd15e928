use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

async fn located(dir: &Path) -> Result<Installed, LocateError> {
    locate(&Host::default(), None, dir.as_os_str()).await
}

#[tokio::test]
async fn what_is_there_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("codex");
    assert_eq!(
        located(dir.path()).await,
        Err(LocateError::NotFound { command: "codex", configured: None })
    );
    program(&path, "echo 'Codex of another kind 3.0'");
    assert!(matches!(located(dir.path()).await, Err(LocateError::WrongProgram { .. })));
    program(&path, "echo codex-cli 0.20.0");
    assert!(matches!(located(dir.path()).await, Err(LocateError::TooOld { .. })));
    program(&path, "echo no such library >&2; exit 127");
    let broken = located(dir.path()).await;
    let Err(LocateError::Broken { stderr, .. }) = broken else { panic!("{broken:?}") };
    assert_eq!(stderr, ["no such library"]);
    program(&path, "echo 'WARNING: x' >&2; echo codex-cli 0.169.0");
    let installed = located(dir.path()).await.unwrap();
    assert_eq!((installed.version, installed.program), (MINIMUM_VERSION, path));
}

#[tokio::test]
async fn the_native_program_behind_npm_s_wrapper_is_run() {
    let Some((package, triple)) = platform(OS, ARCH) else { return };
    let dir = tempfile::tempdir().unwrap();
    let modules = dir.path().join("lib/node_modules");
    let script = modules.join("@openai/codex/bin/codex.js");
    program(&script, "echo the wrapper was run; exit 1");
    fs::write(modules.join("@openai/codex/package.json"), r#"{"name":"@openai/codex"}"#).unwrap();
    let native = modules.join(package).join("vendor").join(triple).join("bin/codex");
    program(&native, "echo codex-cli 0.170.0");
    fs::create_dir(dir.path().join("bin")).unwrap();
    symlink(&script, dir.path().join("bin/codex")).unwrap();
    let installed = located(&dir.path().join("bin")).await.unwrap();
    assert_eq!(installed.program, native.canonicalize().unwrap());
    assert_eq!(installed.found, dir.path().join("bin/codex"));
}
