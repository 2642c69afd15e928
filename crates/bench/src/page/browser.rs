//! A headless Chromium that does what it is told: a program in `web/bench` drives it, with one
//! line of JSON for each request and one for its answer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bench::machine;
use bench::socket::Door;
use domain::ThreadId;
use process::{Child, Host, Lines, Spec, Stdin, Stream};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;

/// How long an answer may take before a bench gives up.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long it may take to end.
const GRACE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const MAX_LINE: usize = 4 * 1024 * 1024;

/// What the browser is asked for.
#[derive(Debug, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Ask<'a> {
    /// Opens a thread in a page of its own, in a new browser profile or in the last visit's;
    /// answers with a [`Visit`].
    Visit { thread: &'a ThreadId, fresh: bool },
    /// Opens a page that the rest is asked of, at a thread, in place of the one before.
    Open { thread: &'a ThreadId },
    /// Goes to a thread by its address; answers when it is shown.
    Go { thread: &'a ThreadId },
    /// Clicks on a thread in the sidebar; answers with the milliseconds until it is painted.
    Switch { thread: &'a ThreadId },
    /// Types characters, one after the other; answers with a [`Typed`].
    Type { keys: u32, every_ms: u32 },
    /// Begins to look at frames.
    Watch,
    /// Answers with the [`Frames`] since then.
    Frames,
    /// Collects garbage and answers with a [`Heap`].
    Heap,
    /// Begins to trace what the browser does.
    Trace,
    /// Writes the trace.
    Traced { to: &'a Path },
}

/// A first look at a thread, in milliseconds since its address was opened.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Visit {
    /// When its words were painted.
    pub(crate) readable: f64,
    /// When they were painted as markdown.
    pub(crate) styled: f64,
}

/// How long keystrokes took.
#[derive(Debug, Deserialize)]
pub(crate) struct Typed {
    /// Of each, the milliseconds until the frame with it was made.
    pub(crate) times: Vec<f64>,
    /// The longest that the browser itself reports, to the eighth millisecond; nothing where none
    /// took 16.
    pub(crate) presented: Option<f64>,
}

/// What was seen of a stretch of frames.
#[derive(Debug, Deserialize)]
pub(crate) struct Frames {
    /// Milliseconds from each frame to the next.
    pub(crate) gaps: Vec<f64>,
    /// Frames of more than 50 ms, as the browser reports them.
    pub(crate) long: Vec<f64>,
    /// How many characters stand in the last message.
    pub(crate) text: u64,
}

/// What the page holds once what is not used is collected.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Heap {
    pub(crate) bytes: f64,
    pub(crate) nodes: f64,
    pub(crate) listeners: f64,
    /// Turns of the thread that are held, those that are not drawn included.
    pub(crate) turns: f64,
}

/// The answer's envelope.
#[derive(Debug, Deserialize)]
struct Told {
    answer: Option<serde_json::Value>,
    error: Option<String>,
}

/// A running browser.
pub(crate) struct Browser {
    child: Child,
    input: ChildStdin,
    lines: Lines,
}

impl Browser {
    /// Starts a browser that is let into a server.
    pub(crate) async fn start(chromium: &Path, door: &Door) -> Result<Self> {
        let spec = Spec::new("node")
            .arg("bench/run.mjs")
            .cwd(machine::root().join("web"))
            .env("CHROMIUM", chromium)
            .env("BATON_URL", &door.url)
            .env("BATON_TOKEN", &door.token)
            .stdin(Stdin::Piped)
            .line_bounds(MAX_LINE, 64, 50);
        let mut child = Host::default().spawn(spec).await?;
        let input = child.take_stdin().context("it takes no input")?;
        let lines = child.take_lines().context("it has no output")?;
        Ok(Self { child, input, lines })
    }

    /// Asks for something and waits for its answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&mut self, ask: Ask<'_>) -> Result<T> {
        let mut line = serde_json::to_vec(&ask)?;
        line.push(b'\n');
        self.input.write_all(&line).await?;
        let answer = tokio::time::timeout(PATIENCE, self.answer()).await;
        let told = answer.map_err(|_| anyhow!("no answer in time to {ask:?}"))??;
        if let Some(error) = told.error {
            bail!("{ask:?}: {error}");
        }
        serde_json::from_value(told.answer.unwrap_or_default())
            .with_context(|| format!("an odd answer to {ask:?}"))
    }

    async fn answer(&mut self) -> Result<Told> {
        while let Some(line) = self.lines.next().await {
            match line.stream {
                Stream::Stdout => return Ok(serde_json::from_str(&line.text)?),
                Stream::Stderr => {}
            }
        }
        bail!("it ended: {}", self.child.tail(Stream::Stderr).join("\n"))
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        drop(self.input);
        self.child.stop("measured", GRACE).await;
    }
}

/// Finds the browser, or says why the page cannot be measured here.
pub(crate) fn find() -> Result<PathBuf, String> {
    if !machine::root().join("web/node_modules/playwright-core").is_dir() {
        return Err("the web app's packages are not installed (`npm ci` in web/)".to_owned());
    }
    testkit::browser::find().filter(|path| path.is_file()).ok_or_else(|| {
        let names = testkit::browser::NAMES.join(", ");
        format!("there is no Chromium (none of {names} on the PATH, nor in CHROMIUM)")
    })
}
