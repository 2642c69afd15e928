//! Running other programs, with errors that name them.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::count::Count;

/// A program about to be run in the repository's root.
pub(crate) struct Cmd(Command);

impl Cmd {
    #[expect(
        clippy::disallowed_methods,
        reason = "developer tools, which the product's process care is not about"
    )]
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root());
        Self(command)
    }

    /// The cargo that runs us.
    pub(crate) fn cargo(subcommand: &str) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        Self::new(cargo).arg(subcommand)
    }

    /// npm, in the web app's directory.
    pub(crate) fn npm() -> Self {
        let mut npm = Self::new("npm");
        npm.0.current_dir(root().join("web"));
        npm
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: &[impl AsRef<OsStr>]) -> Self {
        self.0.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it with our own input and output.
    pub(crate) fn run(mut self) -> Result<()> {
        self.announce();
        let status = self.0.status().with_context(|| self.cannot_start())?;
        if !status.success() {
            bail!("`{}` failed ({status})", self.line());
        }
        Ok(())
    }

    /// Runs it in our place, so that its exit and what ends it are its own.
    pub(crate) fn replace_us(mut self) -> Result<()> {
        self.announce();
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            let error = self.0.exec();
            Err(error).with_context(|| self.cannot_start())
        }
        #[cfg(not(unix))]
        self.run()
    }

    /// Runs it quietly and tells whether it succeeded.
    pub(crate) fn succeeds(mut self) -> bool {
        let quiet = self.0.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }

    /// Runs it and returns what it wrote to its standard output.
    pub(crate) fn output(mut self) -> Result<String> {
        let command = self.0.stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = command.output().with_context(|| self.cannot_start())?;
        if !output.status.success() {
            bail!("`{}` failed ({})", self.line(), output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it, shows what it writes, and counts the tests it reports on.
    ///
    /// A program that fails without a failed test (it did not compile, say) counts as one failure.
    pub(crate) fn count(mut self) -> Result<Count> {
        self.announce();
        if std::io::stdout().is_terminal() {
            // Their output is ours to pass on, so they cannot see that it goes to a terminal.
            self.0.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
        }
        let command = self.0.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| self.cannot_start())?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let mut count = std::thread::scope(|scope| {
            let errors = scope.spawn(|| pass_on(err, std::io::stderr()));
            let output = pass_on(out, std::io::stdout());
            output + errors.join().unwrap_or_default()
        });
        let status = child.wait()?;
        if !status.success() {
            eprintln!("`{}` failed ({status})", self.line());
            if count.failed == 0 {
                count.failed = 1;
            }
        }
        Ok(count)
    }

    fn announce(&self) {
        println!("\n$ {}", self.line());
    }

    fn cannot_start(&self) -> String {
        let program = self.0.get_program().to_string_lossy();
        let advice = match program.as_ref() {
            "npm" | "node" => ": install Node.js 20.19 or newer",
            "git" => ": install git",
            _ => "",
        };
        format!("cannot start `{program}`{advice}")
    }

    fn line(&self) -> String {
        let program = Path::new(self.0.get_program()).file_name().unwrap_or_default();
        let words = std::iter::once(program).chain(self.0.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }
}

fn pass_on(from: Option<impl Read>, mut to: impl Write) -> Count {
    let mut count = Count::default();
    let Some(from) = from else {
        return count;
    };
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        count = count + Count::in_line(&String::from_utf8_lossy(&line));
        // A closed terminal is no reason to stop testing.
        let _ = to.write_all(&line);
        line.clear();
    }
    count
}

/// Returns the repository's root.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Returns a program that a plain `cargo build` makes: it lies where we lie ourselves.
pub(crate) fn built(name: &str) -> Result<PathBuf> {
    let ours = std::env::current_exe().context("cannot tell where this program is")?;
    Ok(ours.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}
