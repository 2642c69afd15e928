//! Builds the web app and makes it part of the program.
//!
//! With `BATON_SKIP_WEB=1` a page that says so takes its place, for quick work on the Rust side.

#![expect(clippy::disallowed_methods, reason = "a build script cannot use the `process` crate")]

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The oldest Node.js that builds the web app.
const NODE: (u32, u32) = (20, 19);
/// What the web app is made of, in `web/`.
const SOURCES: [&str; 7] = [
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            for line in message.lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=BATON_SKIP_WEB");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo gives no OUT_DIR")?);
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("no CARGO_MANIFEST_DIR")?);
    let pages = out.join("web");
    if env::var_os("BATON_SKIP_WEB").is_some_and(|value| !value.is_empty() && value != "0") {
        placeholder(&pages)?;
    } else {
        let web = root.join("../../web").canonicalize().map_err(|e| format!("web/: {e}"))?;
        for source in SOURCES {
            println!("cargo::rerun-if-changed={}", web.join(source).display());
        }
        build_web(&web, &pages)?;
    }
    embed(&pages, &out)
}

fn placeholder(pages: &Path) -> Result<(), String> {
    let page = "<!doctype html><meta charset=utf-8><title>Baton</title>\
        <p>This Baton was built with BATON_SKIP_WEB=1, so without its web app. \
        Build it without that variable to get one.";
    fresh(pages)?;
    fs::write(pages.join("index.html"), page).map_err(|e| failed("write", pages, &e))
}

fn build_web(web: &Path, pages: &Path) -> Result<(), String> {
    check_node()?;
    // Two builds at once, for two target directories, must not install into each other.
    let lock_path = web.join("package-lock.json");
    let lock = File::open(&lock_path).map_err(|e| failed("read", &lock_path, &e))?;
    lock.lock().map_err(|e| failed("lock", &lock_path, &e))?;
    let installed = web.join("node_modules/.package-lock.json");
    let age = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
    if age(&installed) < age(&lock_path) {
        npm(web, &["ci", "--no-audit", "--no-fund", "--loglevel=error"])?;
        // `npm ci` may keep the older time of the file it copies.
        let now = File::options().append(true).open(&installed);
        let touched = now.and_then(|file| file.set_modified(std::time::SystemTime::now()));
        touched.map_err(|e| failed("touch", &installed, &e))?;
    }
    fresh(pages)?;
    let to = pages.to_str().ok_or("OUT_DIR is not UTF-8")?;
    npm(web, &["run", "--silent", "build", "--", "--outDir", to, "--logLevel", "warn"])
}

fn check_node() -> Result<(), String> {
    let (major, minor) = NODE;
    let advice = format!(
        "Baton's web app is built with Node.js {major}.{minor} or newer and npm: install them \
         (https://nodejs.org, or your system's packages) and build again.\n\
         To build without the web app set BATON_SKIP_WEB=1."
    );
    let output = Command::new("node").arg("--version").output();
    let text = match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).into_owned()
        }
        Ok(_) | Err(_) => return Err(format!("Node.js was not found.\n{advice}")),
    };
    let mut parts = text.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    let found = (parts.next(), parts.next());
    match found {
        (Some(Ok(found_major)), Some(Ok(found_minor))) if (found_major, found_minor) >= NODE => {
            Ok(())
        }
        _ => Err(format!("Node.js {} is too old.\n{advice}", text.trim())),
    }
}

fn npm(web: &Path, arguments: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(web)
        .output()
        .map_err(|error| format!("npm could not be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    Err(format!("`npm {}` failed in {}:\n{said}", arguments.join(" "), web.display()))
}

/// Writes the list of files that the program includes.
fn embed(pages: &Path, out: &Path) -> Result<(), String> {
    let mut files = Vec::new();
    collect(pages, &mut files)?;
    files.sort();
    let packed = out.join("packed");
    fresh(&packed)?;
    let mut code = String::from("&[\n");
    for (n, file) in files.iter().enumerate() {
        let bytes = fs::read(file).map_err(|e| failed("read", file, &e))?;
        let path = file.strip_prefix(pages).map_err(|e| e.to_string())?;
        let path = path.to_str().ok_or("a file's name is not UTF-8")?.replace('\\', "/");
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let gzip = match pack(&bytes)? {
            None => "None".to_owned(),
            Some(small) => {
                let to = packed.join(format!("{n}.gz"));
                fs::write(&to, small).map_err(|e| failed("write", &to, &e))?;
                format!("Some(include_bytes!({to:?}))")
            }
        };
        let tag = format!("{:016x}", hasher.finish());
        let _ = writeln!(
            code,
            "    server::Asset {{ path: {path:?}, bytes: include_bytes!({file:?}), gzip: {gzip}, tag: {tag:?} }},"
        );
    }
    code.push_str("]\n");
    let to = out.join("assets.rs");
    fs::write(&to, code).map_err(|e| failed("write", &to, &e))
}

/// Compresses a file, when that is worth it.
fn pack(bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let small = encoder.write_all(bytes).and_then(|()| encoder.finish());
    let small = small.map_err(|error| error.to_string())?;
    Ok((small.len() < bytes.len() / 10 * 9).then_some(small))
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(dir).map_err(|e| failed("read", dir, &e))? {
        let path = entry.map_err(|e| failed("read", dir, &e))?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Makes an empty directory.
fn fresh(dir: &Path) -> Result<(), String> {
    if dir.exists() {
        fs::remove_dir_all(dir).map_err(|e| failed("empty", dir, &e))?;
    }
    fs::create_dir_all(dir).map_err(|e| failed("make", dir, &e))
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("could not {what} {}: {error}", path.display())
}
