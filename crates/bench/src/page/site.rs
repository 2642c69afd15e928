//! The web app as the program embeds it, built anew so that a change of it is measured without
//! building the program.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context as _, Result, bail};
use bench::machine;
use flate2::Compression;
use flate2::write::GzEncoder;
use process::{Host, Spec};
use server::{Asset, Assets};

/// How long building it may take.
const BUILD: Duration = Duration::from_secs(5 * 60);

/// Builds this checkout's web app into a directory.
pub(crate) async fn build(to: &Path) -> Result<()> {
    let spec = Spec::new("npm")
        .args(["run", "--silent", "build", "--", "--logLevel", "warn", "--outDir"])
        .arg(to)
        .cwd(machine::root().join("web"));
    let built = Host::default().run(spec, BUILD, 64 * 1024).await?;
    if built.status != process::Status::Code(0) {
        bail!("the web app could not be built: {}", String::from_utf8_lossy(&built.stderr));
    }
    Ok(())
}

/// Reads a built web app, to be served until this program ends.
pub(crate) fn read(from: &Path) -> Result<Assets> {
    let mut files = Vec::new();
    collect(from, &mut files).with_context(|| format!("{} cannot be read", from.display()))?;
    let mut assets = Vec::new();
    for file in files {
        let path = file.strip_prefix(from)?.to_str().context("a file's name is not UTF-8")?;
        assets.push(asset(path.replace('\\', "/"), fs::read(&file)?)?);
    }
    if !assets.iter().any(|asset| asset.path == "index.html") {
        bail!("{} holds no built web app", from.display());
    }
    Ok(Assets(assets.leak()))
}

fn asset(path: String, bytes: Vec<u8>) -> Result<Asset> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&bytes)?;
    let small = encoder.finish()?;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    // As the program's own build decides.
    let gzip = (small.len() < bytes.len() / 10 * 9).then(|| &*small.leak());
    let tag = format!("{:016x}", hasher.finish());
    Ok(Asset { path: path.leak(), bytes: bytes.leak(), gzip, tag: tag.leak() })
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_page_is_read_with_its_folders_and_packed_where_that_helps() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).is_err());
        fs::create_dir(dir.path().join("assets")).unwrap();
        fs::write(dir.path().join("index.html"), "<!doctype html>").unwrap();
        fs::write(dir.path().join("assets/long.js"), "again();".repeat(100)).unwrap();
        let Assets(all) = read(dir.path()).unwrap();
        let find = |path: &str| all.iter().find(|asset| asset.path == path).unwrap();
        assert!(find("index.html").gzip.is_none());
        let long = find("assets/long.js");
        assert!(long.gzip.is_some_and(|small| small.len() < long.bytes.len() / 2));
    }
}
