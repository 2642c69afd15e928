use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::child::AtExit;
use crate::error::Error;
use crate::exit::Status;
use crate::host::Host;
use crate::spec::{Spec, Stdout};

/// What a short run gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: Status,
    /// Its standard output, up to the bound.
    pub stdout: Vec<u8>,
    /// Its standard error, up to the bound.
    pub stderr: Vec<u8>,
    /// Whether more was written to either than the bound allows; the rest was read and dropped.
    pub truncated: bool,
}

impl Host {
    /// Runs a program to its end and collects what it writes, up to `max_output` bytes per
    /// stream. After `timeout`, or if the future is dropped, it is killed with everything it
    /// started. A daemon it leaves behind on purpose is left alone. Not written in the ledger.
    ///
    /// # Errors
    /// If it cannot be started, its pipes fail, or it takes too long. An unsuccessful status is
    /// not an error here.
    pub async fn run(
        &self,
        spec: Spec,
        timeout: Duration,
        max_output: usize,
    ) -> Result<Output, Error> {
        let program = spec.program.clone();
        let spec = spec.stdout(Stdout::Raw).drop_grace(Duration::ZERO);
        let mut child = self.start(spec, AtExit::Leave).await?;
        let mut stdout = Collector::new(child.take_stdout(), max_output);
        let mut stderr = Collector::new(child.stderr.take(), max_output);
        let finished = async {
            // Pipes that a daemon holds open must not delay the result for ever.
            const STRAGGLERS: Duration = Duration::from_millis(500);
            let both = async { tokio::try_join!(stdout.collect(), stderr.collect()).map(|_| ()) };
            let ended = child.wait();
            tokio::pin!(both, ended);
            tokio::select! {
                read = &mut both => { read?; Ok::<_, io::Error>(ended.await) }
                exit = &mut ended => {
                    if let Ok(read) = tokio::time::timeout(STRAGGLERS, both).await { read?; }
                    Ok(exit)
                }
            }
        };
        match tokio::time::timeout(timeout, finished).await {
            Ok(Ok(exit)) => Ok(Output {
                status: exit.map_or(Status::Unknown, |e| e.status),
                truncated: stdout.overflowed || stderr.overflowed,
                stdout: stdout.bytes,
                stderr: stderr.bytes,
            }),
            Ok(Err(source)) => Err(Error::Pipe { program, source }),
            Err(_) => {
                child.stop("timed out", Duration::ZERO).await;
                Err(Error::TimedOut { program, after: timeout, stderr: stderr.bytes })
            }
        }
    }
}

struct Collector<R> {
    pipe: Option<R>,
    bound: usize,
    bytes: Vec<u8>,
    overflowed: bool,
}

impl<R: AsyncRead + Unpin> Collector<R> {
    fn new(pipe: Option<R>, bound: usize) -> Self {
        Self { pipe, bound, bytes: Vec::new(), overflowed: false }
    }

    async fn collect(&mut self) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        let mut chunk = vec![0_u8; 32 * 1024];
        loop {
            let n = pipe.read(&mut chunk).await?;
            let Some(read @ [_, ..]) = chunk.get(..n) else { return Ok(()) };
            let room = self.bound.saturating_sub(self.bytes.len());
            let kept = read.get(..room.min(n)).unwrap_or_default();
            self.bytes.extend_from_slice(kept);
            self.overflowed |= kept.len() < n;
        }
    }
}
