//! Pictures of every screen and state of the web app.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::command::{Cmd, root};
use crate::testing::Needs;
use crate::web;

const USAGE: &str = "usage: cargo xtask shots [DIR] [--only NAME] [--readme]";

/// Takes the pictures into a folder (`target/shots` unless told) and writes a page with all of
/// them; `--readme` puts a few of them where the README shows them.
pub(crate) fn shots(arguments: &[String]) -> Result<()> {
    let mut folder = None;
    let mut only = None;
    let mut readme = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--only" => only = Some(rest.next().context(USAGE)?.as_str()),
            "--readme" => readme = true,
            flag if flag.starts_with('-') => bail!(USAGE),
            dir if folder.is_none() => folder = Some(PathBuf::from(dir)),
            _ => bail!(USAGE),
        }
    }
    let folder = folder.unwrap_or_else(|| root().join("target/shots"));
    let folder = std::path::absolute(&folder).context("cannot tell where this is")?;
    web::install()?;
    let run = ["exec", "--", "vitest", "run", "--config", "e2e/shots.config.ts"];
    let pictures = Needs::install()?.browser(Cmd::npm().args(&run))?;
    let filter: Vec<&str> = only.map(|only| vec!["-t", only]).unwrap_or_default();
    let mut pictures = pictures.args(&filter).env("SHOTS_DIR", &folder);
    if readme {
        pictures = pictures.env("SHOTS_README", root().join("docs/images"));
    }
    let taken = pictures.run();
    println!("\nlook at {}", folder.join("index.html").display());
    taken.context("not every picture is as it should be")
}
