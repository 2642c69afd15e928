//! The file index on real directories, and what it finds for what is typed.

#![allow(clippy::expect_used, reason = "tests fail by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use workspace::{FileIndex, IndexLimits, MAX_QUERY_CHARS, PathError};

fn tree(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a temporary directory");
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, "text").expect("a file");
    }
    root
}

fn index(root: &Path, limits: IndexLimits) -> FileIndex {
    FileIndex::build(root, limits, &|| false).expect("an index")
}

fn found(index: &FileIndex, typed: &str) -> Vec<String> {
    index.find(typed, 1000).files.into_iter().map(|file| file.path).collect()
}

fn all(root: &Path) -> Vec<String> {
    found(&index(root, IndexLimits::default()), "")
}

#[test]
fn what_ignore_files_leave_out_and_git_itself_are_not_there() {
    let root = tree(&[
        ".git/HEAD",
        ".github/ci.yml",
        "built/out.js",
        "docs/draft.md",
        "docs/kept.md",
        "src/.git/HEAD",
        "src/main.rs",
        "src/main.rs.orig",
    ]);
    fs::write(root.path().join(".gitignore"), "/built\n*.orig\n").expect("a file");
    fs::write(root.path().join("docs/.ignore"), "draft.md\n").expect("a file");
    fs::create_dir_all(root.path().join(".git/info")).expect("a directory");
    fs::write(root.path().join(".git/info/exclude"), "ci.yml\n").expect("a file");
    let wanted =
        [".github/", ".gitignore", "docs/", "src/", "docs/.ignore", "docs/kept.md", "src/main.rs"];
    assert_eq!(all(root.path()), wanted);
}

#[test]
fn links_are_named_and_not_followed() {
    let root = tree(&["src/main.rs"]);
    let outside = tree(&["secret.txt"]);
    symlink(outside.path(), root.path().join("out")).expect("a link");
    symlink(root.path(), root.path().join("src/round")).expect("a link");
    symlink("src/main.rs", root.path().join("file")).expect("a link");
    assert_eq!(all(root.path()), ["file", "out", "src/", "src/main.rs", "src/round"]);
}

#[test]
fn names_of_every_kind_are_told_as_they_are() {
    let root = tree(&["a b.txt", "Überblick.md", "日本/語.txt", "\u{1F600}.rs", "quote\".txt"]);
    fs::write(root.path().join("line\nend"), "").expect("a file");
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let name = std::ffi::OsStr::from_bytes(b"not \xff text");
        fs::write(root.path().join(name), "").expect("a file");
    }
    let index = index(root.path(), IndexLimits::default());
    assert_eq!(index.len(), 6, "{:?}", found(&index, ""));
    assert_eq!(found(&index, "üBER"), ["Überblick.md"]);
    assert_eq!(found(&index, "語"), ["日本/語.txt"]);
    assert_eq!(found(&index, "a b"), ["a b.txt"]);
    let smile = index.find("rs", 9);
    assert_eq!(smile.files[0].at, [3, 4], "counted in UTF-16 units");
}

#[test]
fn what_is_too_much_is_cut_and_said() {
    let root = tree(&["a/one", "b/two", "c/three"]);
    let cut = |change: fn(&mut IndexLimits)| {
        let mut limits = IndexLimits::default();
        change(&mut limits);
        let index = index(root.path(), limits);
        (index.len(), index.is_cut())
    };
    assert_eq!(cut(|_| ()), (6, false));
    assert_eq!(cut(|limits| limits.entries = 6), (6, false));
    assert_eq!(cut(|limits| limits.entries = 5), (5, true));
    assert!(cut(|limits| limits.bytes = 8).1);
    assert_eq!(cut(|limits| limits.time = Duration::ZERO), (0, true));
    let ended = FileIndex::build(root.path(), IndexLimits::default(), &|| true).expect("an index");
    assert!(ended.is_empty() && ended.is_cut());
}

#[test]
fn a_directory_that_cannot_be_read_is_no_empty_one() {
    let root = tree(&["file"]);
    let build = |path: &str| {
        FileIndex::build(&root.path().join(path), IndexLimits::default(), &|| false)
            .expect_err("a refusal")
    };
    assert!(matches!(build("nowhere"), PathError::Missing(_)));
    assert!(matches!(build("file"), PathError::NotADirectory(_)));
}

/// The first of what is found for each query.
#[test]
fn the_best_comes_first() {
    let root = tree(&[
        "README.md",
        "crates/server/src/api/files.rs",
        "crates/server/src/router.rs",
        "crates/store/src/search.rs",
        "crates/store/src/tests.rs",
        "docs/search/readme-old.md",
        "package.json",
        "web/package.json",
        "web/src/app/router.ts",
        "web/src/composer/Composer.css",
        "web/src/composer/Composer.tsx",
        "web/src/composer/FileList.tsx",
        "web/src/extras/CommandList.tsx",
        "web/src/profile.ts",
    ]);
    let index = index(root.path(), IndexLimits::default());
    let check = |typed: &str, wanted: &str| {
        let found = found(&index, typed);
        assert_eq!(found.first().map(String::as_str), Some(wanted), "{typed}: {found:?}");
    };
    check("readme", "README.md");
    check("RM", "README.md");
    check("router.ts", "web/src/app/router.ts");
    check("router.rs", "crates/server/src/router.rs");
    check("search", "docs/search/");
    check("search.rs", "crates/store/src/search.rs");
    check("storesearch", "crates/store/src/search.rs");
    check("store/search", "crates/store/src/search.rs");
    check("composer.t", "web/src/composer/Composer.tsx");
    check("cl", "web/src/extras/CommandList.tsx");
    check("fl", "web/src/composer/FileList.tsx");
    check("files", "crates/server/src/api/files.rs");
    check("web/pack", "web/package.json");
    check("pack", "package.json");
    check("crates/server/src/router.rs", "crates/server/src/router.rs");
    assert!(found(&index, "zzz").is_empty());
    let few = index.find("r", 3);
    assert_eq!((few.files.len(), few.total > 3), (3, true));
}

#[test]
fn a_query_without_end_is_looked_for_by_its_beginning() {
    let name = "x".repeat(MAX_QUERY_CHARS);
    let root = tree(&[&name]);
    let index = index(root.path(), IndexLimits::default());
    assert_eq!(found(&index, &"x".repeat(1_000_000)), [name]);
}

fn folded(text: &str) -> Vec<String> {
    text.chars().map(|c| c.to_lowercase().collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is found is exactly what holds the typed characters in their order, and the places
    /// told are places of those characters.
    #[test]
    fn a_file_is_found_when_it_holds_the_characters_in_order(
        names in prop::collection::btree_set("[a-cA-C1ä_.]{1,6}", 1..8),
        typed in "[a-cA-C1äÄ_./]{1,4}",
    ) {
        let root = tempfile::tempdir().expect("a temporary directory");
        for name in names.iter().filter(|name| !matches!(name.as_str(), "." | "..")) {
            fs::write(root.path().join(name), "").expect("a file");
        }
        let index = index(root.path(), IndexLimits::default());
        let result = index.find(&typed, 100);
        let holds = |path: &String| {
            let mut rest = folded(path).into_iter();
            folded(&typed).iter().all(|sought| rest.any(|c| &c == sought))
        };
        let mut wanted: Vec<_> = found(&index, "").into_iter().filter(holds).collect();
        let mut paths: Vec<_> = result.files.iter().map(|file| file.path.clone()).collect();
        wanted.sort();
        paths.sort();
        prop_assert_eq!(result.total, wanted.len());
        prop_assert_eq!(paths, wanted);
        for file in &result.files {
            let units: Vec<u16> = file.path.encode_utf16().collect();
            let there: Vec<u16> = file.at.iter().map(|&at| units[at as usize]).collect();
            let there = String::from_utf16(&there).expect("characters");
            prop_assert_eq!(folded(&there), folded(&typed));
            prop_assert!(file.at.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
