use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;

/// One of a child's output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line a child wrote, without its line end; bytes that are not UTF-8 are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it was written.
    pub stream: Stream,
    /// Its text.
    pub text: String,
    /// Whether it was cut at the bound of [`Spec::line_bounds`](crate::Spec::line_bounds).
    pub cut: bool,
}

/// The lines of a child, in the order read. Lines that find the queue full are dropped.
#[derive(Debug)]
pub struct Lines {
    pub(crate) receiver: mpsc::Receiver<Line>,
    pub(crate) dropped: Arc<AtomicU64>,
}

impl Lines {
    /// The next line; `None` when the child's pipes are closed.
    pub async fn next(&mut self) -> Option<Line> {
        self.receiver.recv().await
    }

    /// How many lines were dropped so far because this reader was slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The last lines of one stream.
#[derive(Debug)]
pub(crate) struct Tail {
    bound: usize,
    lines: Mutex<VecDeque<String>>,
}

impl Tail {
    pub(crate) fn new(bound: usize) -> Arc<Self> {
        Arc::new(Self { bound, lines: Mutex::new(VecDeque::new()) })
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn push(&self, line: &str) {
        if self.bound == 0 {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == self.bound {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }
}

/// Where the lines of one stream go.
pub(crate) struct Sink {
    pub(crate) stream: Stream,
    pub(crate) max_line: usize,
    pub(crate) tail: Arc<Tail>,
    pub(crate) queue: mpsc::Sender<Line>,
    pub(crate) dropped: Arc<AtomicU64>,
}

impl Sink {
    /// Reads until end of file, whoever listens or not, so that the child never blocks.
    pub(crate) async fn drain(self, mut pipe: impl AsyncRead + Unpin) {
        let mut chunk = vec![0_u8; 32 * 1024];
        let mut line = PartialLine::default();
        // A read error means the pipe is of no more use; the child's exit tells the rest.
        while let Ok(n @ 1..) = pipe.read(&mut chunk).await {
            let mut rest = chunk.get(..n).unwrap_or_default();
            while let Some(end) = rest.iter().position(|b| *b == b'\n') {
                let (head, tail) = rest.split_at(end);
                line.push(head, self.max_line);
                self.deliver(line.take());
                rest = tail.get(1..).unwrap_or_default();
            }
            line.push(rest, self.max_line);
        }
        if !line.bytes.is_empty() {
            self.deliver(line.take());
        }
    }

    fn deliver(&self, (text, cut): (String, bool)) {
        self.tail.push(&text);
        let line = Line { stream: self.stream, text, cut };
        if self.queue.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[derive(Default)]
struct PartialLine {
    bytes: Vec<u8>,
    cut: bool,
}

impl PartialLine {
    fn push(&mut self, bytes: &[u8], max: usize) {
        let room = max.saturating_sub(self.bytes.len());
        let (taken, left) = bytes.split_at(room.min(bytes.len()));
        self.bytes.extend_from_slice(taken);
        self.cut |= !left.is_empty();
    }

    fn take(&mut self) -> (String, bool) {
        if self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        self.bytes.clear();
        (text, std::mem::take(&mut self.cut))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn drained(input: &[u8], max_line: usize, queue: usize) -> (Vec<Line>, u64, Vec<String>) {
        let (sender, mut receiver) = mpsc::channel(queue);
        let (tail, dropped) = (Tail::new(2), Arc::new(AtomicU64::new(0)));
        let sink = Sink {
            stream: Stream::Stderr,
            max_line,
            tail: Arc::clone(&tail),
            queue: sender,
            dropped: Arc::clone(&dropped),
        };
        sink.drain(input).await;
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            lines.push(line);
        }
        (lines, dropped.load(Ordering::Relaxed), tail.lines())
    }

    #[tokio::test]
    async fn cuts_long_lines_and_keeps_an_unfinished_one() {
        let (lines, dropped, tail) = drained(b"abcdef\nab\r\n\nlast", 3, 10).await;
        let seen: Vec<_> = lines.iter().map(|l| (l.text.as_str(), l.cut)).collect();
        assert_eq!(seen, [("abc", true), ("ab", false), ("", false), ("las", true)]);
        assert_eq!((dropped, tail), (0, vec![String::new(), "las".into()]));
    }

    #[tokio::test]
    async fn a_full_queue_drops_lines_but_the_tail_sees_them() {
        let (lines, dropped, tail) = drained(b"1\n2\n3\n4\n", 10, 2).await;
        assert_eq!(lines.len(), 2);
        assert_eq!((dropped, tail), (2, vec!["3".to_owned(), "4".to_owned()]));
    }
}
