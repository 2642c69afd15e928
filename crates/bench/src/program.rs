//! The real `baton` as a process of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use process::{Child, Host, HostConfig, Spec, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use bench::machine;
use bench::socket::Door;

/// How long building it may take.
const BUILD: Duration = Duration::from_secs(30 * 60);
/// How long it may take to start or to end before a bench gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most that an answer may weigh.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;

/// The program.
pub(crate) struct Program {
    path: PathBuf,
    host: Host,
}

/// One that runs.
pub(crate) struct Running {
    child: Child,
    pub(crate) door: Door,
}

/// What an HTTP request was answered with.
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Program {
    /// Takes the program that is given, or builds this checkout's.
    pub(crate) async fn get(given: Option<&Path>) -> Result<Self> {
        let host = Host::new(HostConfig { withhold: vec!["BATON_*".to_owned()], ledger: None });
        let path = match given {
            Some(path) => path.canonicalize().with_context(|| format!("{}", path.display()))?,
            None => build().await?,
        };
        Ok(Self { path, host })
    }

    /// Starts it on a data directory, with no agent to be found; ready when it says so.
    pub(crate) async fn start(&self, data: &Path) -> Result<Running> {
        let nowhere = data.to_string_lossy().into_owned();
        self.start_with(data, &[("PATH".to_owned(), nowhere.clone()), ("HOME".to_owned(), nowhere)])
            .await
    }

    /// Starts it on a data directory, with these variables besides one's own.
    pub(crate) async fn start_with(
        &self,
        data: &Path,
        env: &[(String, String)],
    ) -> Result<Running> {
        let spec = Spec::new(&self.path)
            .args(["serve", "--no-open", "--port", "0", "--data-dir"])
            .arg(data);
        let spec = env.iter().fold(spec, |spec, (name, value)| spec.env(name, value));
        let mut child = self.host.spawn(spec).await?;
        let mut lines = child.take_lines().context("it has no output")?;
        let ready = async {
            while let Some(line) = lines.next().await {
                if let Some(url) = line.text.strip_prefix("baton listening on ") {
                    return Some(url.to_owned());
                }
            }
            None
        };
        let url = tokio::time::timeout(PATIENCE, ready).await.ok().flatten();
        let Some(url) = url else {
            bail!("it did not start: {}", child.tail(Stream::Stderr).join("\n"));
        };
        let token = std::fs::read_to_string(data.join("token")).context("it wrote no token")?;
        Ok(Running { child, door: Door { url, token: token.trim().to_owned() } })
    }
}

async fn build() -> Result<PathBuf> {
    let ours = std::env::current_exe().context("cannot tell where this program is")?;
    let path = ours.with_file_name(format!("baton{}", std::env::consts::EXE_SUFFIX));
    eprintln!("building baton for release …");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let spec = Spec::new(PathBuf::from(cargo))
        .args(["build", "--release", "-p", "baton"])
        .cwd(machine::root());
    // Its own variables, such as the one that leaves the web app out, reach the build.
    let built = Host::default().run(spec, BUILD, 64 * 1024).await?;
    if built.status != process::Status::Code(0) {
        bail!("it could not be built: {}", String::from_utf8_lossy(&built.stderr));
    }
    Ok(path)
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Asks for a page, on a connection of its own.
    pub(crate) async fn get(&self, path: &str, headers: &str) -> Result<Answer> {
        let address = self.door.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.context("an answer without an end of its head")?;
        let body = answer.split_off(end + 4);
        let head = String::from_utf8_lossy(&answer).into_owned();
        if !head.starts_with("HTTP/1.1 200 ") {
            bail!("{path}: {}", head.lines().next().unwrap_or_default());
        }
        Ok(Answer { head, body })
    }

    /// Ends it in order.
    pub(crate) async fn stop(self) -> Result<()> {
        let begun = Instant::now();
        self.child.stop("measured", PATIENCE).await;
        if begun.elapsed() >= PATIENCE {
            bail!("it did not end by itself");
        }
        Ok(())
    }
}
