//! A home of its own to start `baton` in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use process::{Child, Host, Output, Spec, Status, Stdin};
use tempfile::TempDir;

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// A home, a data directory, and an environment.
pub(crate) struct Place {
    host: Host,
    home: TempDir,
    env: Vec<(String, String)>,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// One in which no agent is installed.
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let env = vec![("HOME".to_owned(), text(home.path())), ("PATH".to_owned(), String::new())];
        Self { host: Host::default(), home, env }
    }

    /// One with this environment on top of one's own.
    pub(crate) fn with(env: Vec<(String, String)>) -> Self {
        Self { host: Host::default(), home: tempfile::tempdir().unwrap(), env }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn spec(&self, arguments: &[&str]) -> Spec {
        let spec = Spec::new(env!("CARGO_BIN_EXE_baton"))
            .args(arguments)
            .cwd(self.home.path())
            .env("BATON_DATA_DIR", self.data())
            .env_remove("BATON_LOG")
            .stdin(Stdin::Null);
        self.env.iter().fold(spec, |spec, (name, value)| spec.env(name, value))
    }

    /// Runs a command to its end.
    pub(crate) async fn baton(&self, arguments: &[&str]) -> Ran {
        let output = self.host.run(self.spec(arguments), DEADLINE, 16 << 20).await.unwrap();
        ran(&output)
    }

    /// Starts a command that goes on.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Child {
        self.host.spawn(self.spec(arguments)).await.unwrap()
    }

    /// Sends a signal to a command.
    pub(crate) async fn signal(&self, child: &Child, name: &str) {
        let kill = Spec::new("/bin/kill").args([format!("-{name}"), child.pid().to_string()]);
        let sent = self.host.run(kill, DEADLINE, 1024).await.unwrap();
        assert!(sent.status.success(), "{sent:?}");
    }

    /// Starts a server and waits until it is ready.
    pub(crate) async fn serve(&self, arguments: &[&str]) -> Serving {
        let mut child = self.start(&[&["serve", "--no-open"], arguments].concat()).await;
        let mut lines = child.take_lines().unwrap();
        let ready = async {
            let mut url = None;
            while let Some(line) = lines.next().await {
                if let Some(told) = line.text.strip_prefix("baton listening on ") {
                    url = Some(told.to_owned());
                } else if let (Some(url), Some(link)) = (&url, line.text.strip_prefix("open ")) {
                    let link = link.split(' ').next().unwrap().to_owned();
                    return (url.clone(), link);
                }
            }
            panic!("the server ended: {:?}", child.wait().await)
        };
        let (url, link) = tokio::time::timeout(DEADLINE, ready).await.unwrap();
        Serving { child, url, link }
    }
}

/// A server that runs.
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
    pub(crate) link: String,
}

impl Serving {
    /// Ends it in order; gives its exit code.
    pub(crate) async fn end(&mut self) -> i32 {
        code(self.child.stop("the test is over", DEADLINE).await.unwrap().status)
    }

    /// Kills it.
    pub(crate) async fn kill(&mut self) {
        self.child.stop("killed", Duration::ZERO).await.unwrap();
    }
}

pub(crate) fn code(status: Status) -> i32 {
    match status {
        Status::Code(code) => code,
        Status::Signal(_) | Status::Unknown => panic!("ended by {status}"),
    }
}

fn ran(output: &Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: code(output.status), out: text(&output.stdout), err: text(&output.stderr) }
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
