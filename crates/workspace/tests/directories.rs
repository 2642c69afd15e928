//! Paths, completion and git heads on real directories.

#![allow(clippy::expect_used, reason = "tests fail by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use domain::Head;
use workspace::{MAX_ENTRIES, PathError, complete, head, project_directory};

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary directory");
    for name in ["alpha", "Alto", "beta", ".hidden", "alpha/inner"] {
        fs::create_dir(home.path().join(name)).expect("a directory");
    }
    fs::write(home.path().join("alpine.txt"), "a file").expect("a file");
    home
}

fn names(typed: &str, home: &Path) -> Vec<String> {
    let found = complete(typed, home).expect("a listing");
    found.entries.into_iter().map(|entry| entry.name).collect()
}

#[test]
fn a_project_is_an_existing_directory_with_links_resolved() {
    let home = home();
    let real = home.path().canonicalize().expect("a real path");
    symlink(home.path().join("alpha"), home.path().join("link")).expect("a link");
    let check = |typed: &str, wanted: &str| {
        let found = project_directory(typed, home.path()).expect("a directory");
        assert_eq!(found, real.join(wanted), "{typed}");
    };
    check("~/alpha", "alpha");
    check(" ~/alpha/ ", "alpha");
    check("~//alpha/inner/..", "alpha");
    check("~/link/inner", "alpha/inner");
    check(home.path().join("beta").to_str().expect("text"), "beta");
    check("~", "");
}

#[test]
fn what_is_no_directory_is_refused_with_the_reason() {
    let home = home();
    symlink(home.path().join("nowhere"), home.path().join("dangling")).expect("a link");
    let refused = |typed: &str| project_directory(typed, home.path()).expect_err("a refusal");
    assert!(matches!(refused(""), PathError::Empty));
    assert!(matches!(refused("alpha"), PathError::NotAbsolute(_)));
    assert!(matches!(refused("~other/alpha"), PathError::NotAbsolute(_)));
    assert!(matches!(refused("~/nowhere"), PathError::Missing(_)));
    assert!(matches!(refused("~/dangling"), PathError::Missing(_)));
    assert!(matches!(refused("~/alpine.txt"), PathError::NotADirectory(_)));
    assert!(matches!(refused("~/alpine.txt/below"), PathError::NotADirectory(_)));
    assert!(matches!(refused("~/nul\0l"), PathError::Missing(_)));
    assert!(matches!(refused(&"/a".repeat(4000)), PathError::TooLong));
}

#[test]
fn completion_lists_fitting_directories_only() {
    let home = home();
    assert_eq!(names("", home.path()), ["alpha", "Alto", "beta"]);
    assert_eq!(names("~", home.path()), ["alpha", "Alto", "beta"]);
    assert_eq!(names("~/", home.path()), ["alpha", "Alto", "beta"]);
    assert_eq!(names("~/al", home.path()), ["alpha", "Alto"]);
    assert_eq!(names("~/.h", home.path()), [".hidden"]);
    assert_eq!(names("~/alpha/", home.path()), ["inner"]);
    assert_eq!(names("~/zzz", home.path()), Vec::<String>::new());
    assert!(complete("~/nowhere/", home.path()).is_err());
    assert!(complete("alpha", home.path()).is_err());
}

#[test]
fn completion_is_bounded_and_follows_links() {
    let home = home();
    for n in 0..MAX_ENTRIES + 50 {
        fs::create_dir(home.path().join(format!("many-{n:04}"))).expect("a directory");
    }
    symlink(home.path().join("beta"), home.path().join("linked")).expect("a link");
    assert_eq!(names("~/many", home.path()).len(), MAX_ENTRIES);
    assert_eq!(names("~/lin", home.path()), ["linked"]);
}

#[test]
fn a_checkout_is_marked_and_its_head_read() {
    let home = home();
    let root = home.path().join("alpha");
    fs::create_dir_all(root.join(".git/worktrees/side")).expect("a directory");
    fs::write(root.join(".git/HEAD"), "ref: refs/heads/feature/x\n").expect("a file");
    let worktree = home.path().join("beta");
    fs::write(worktree.join(".git"), "gitdir: ../alpha/.git/worktrees/side\n").expect("a file");
    let hash = "0123456789abcdef0123456789abcdef01234567";
    fs::write(root.join(".git/worktrees/side/HEAD"), format!("{hash}\n")).expect("a file");

    assert_eq!(head(&root.join("inner")), Some(Head::Branch { name: "feature/x".to_owned() }));
    assert_eq!(head(&worktree), Some(Head::Detached { commit: "0123456789ab".to_owned() }));
    assert_eq!(head(&home.path().join("Alto")), None);
    let marked: Vec<bool> = complete("~/a", home.path())
        .expect("a listing")
        .entries
        .into_iter()
        .map(|entry| entry.git)
        .collect();
    assert_eq!(marked, [true, false]);
}
