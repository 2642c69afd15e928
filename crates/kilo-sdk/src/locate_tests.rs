use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

async fn located(script: &str) -> Result<Installed, LocateError> {
    let dir = tempfile::tempdir().unwrap();
    program(&dir.path().join("kilocode"), script);
    locate(&Host::default(), None, dir.path().as_os_str()).await
}

#[tokio::test]
async fn the_last_line_is_the_version_and_both_names_are_found() {
    let installed = located("echo INFO first run; echo 7.9.1").await.unwrap();
    assert_eq!(installed.version, Version::new(7, 9, 1));
    assert!(installed.found.ends_with("kilocode"));
}

#[tokio::test]
async fn what_is_not_usable_is_told_apart() {
    let error = located("echo some editor").await.unwrap_err();
    assert!(matches!(error, LocateError::WrongProgram { said, .. } if said == "some editor"));
    let error = located("echo 7.4.20").await.unwrap_err();
    assert!(matches!(error, LocateError::TooOld { version, .. } if version.minor == 4));
    let error = located("echo no screen >&2; exit 1").await.unwrap_err();
    assert!(matches!(error, LocateError::Broken { stderr, .. } if stderr == ["no screen"]));
    let none = locate(&Host::default(), Some(Path::new("/no/kilo")), OsStr::new("")).await;
    let configured = Some("/no/kilo".into());
    assert_eq!(none, Err(LocateError::NotFound { command: "kilo", configured }));
}

#[test]
fn npm_s_wrapper_is_seen_through() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let package = root.join("node_modules/@kilocode/cli");
    program(&package.join("bin/kilo"), "");
    fs::write(package.join("package.json"), r#"{"name":"@kilocode/cli"}"#).unwrap();
    let link = root.join("node_modules/.bin/kilo");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("../@kilocode/cli/bin/kilo", &link).unwrap();
    assert_eq!(KILO.native_program(&link), None, "no program is there");

    if let Some(platform) = Platform::current() {
        let best = packages(&platform).remove(0);
        let native = root.join("node_modules").join(best).join("bin/kilo");
        program(&native, "");
        assert_eq!(KILO.native_program(&link), Some(native.clone()));
        fs::create_dir_all(native.with_file_name("tree-sitter")).unwrap();
        fs::write(native.with_file_name("tree-sitter").join("tree-sitter.wasm"), "").unwrap();
        assert_eq!(wrapper_env(&native)[0].0, "KILO_TREE_SITTER_WASM_DIR");
    }
    program(&package.join("bin/.kilo"), "");
    assert_eq!(KILO.native_program(&link), Some(package.join("bin/.kilo")));

    program(&root.join("bin/kilo"), "");
    fs::write(root.join("package.json"), r#"{"name":"other"}"#).unwrap();
    assert_eq!(KILO.native_program(&root.join("bin/kilo")), None);
}

#[test]
fn packages_are_tried_in_the_wrapper_s_order() {
    let names = |arch, avx2, musl| packages(&Platform { os: "linux", arch, avx2, musl });
    let x = |suffix: &str| format!("@kilocode/cli-linux-x64{suffix}");
    assert_eq!(names("x64", true, false), [x(""), x("-baseline"), x("-musl"), x("-baseline-musl")]);
    assert_eq!(names("x64", false, true), [x("-baseline-musl"), x("-musl"), x("-baseline"), x("")]);
    assert_eq!(names("arm64", true, false)[0], "@kilocode/cli-linux-arm64");
}
