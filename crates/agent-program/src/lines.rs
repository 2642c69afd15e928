//! Lines of any length up to a bound; longer ones are passed over whole.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// Reads lines, each within a bound.
#[derive(Debug)]
pub struct BoundedLines<R> {
    reader: R,
    max: usize,
    line: Vec<u8>,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Read<'a> {
    /// A line, without its end.
    Line(&'a [u8]),
    /// A line that was too long, and is gone; so many bytes it had.
    TooLong(u64),
    /// There is nothing more.
    End,
}

impl<R: AsyncBufRead + Unpin> BoundedLines<R> {
    /// Reads from `reader`; lines of more than `max` bytes are passed over.
    pub fn new(reader: R, max: usize) -> Self {
        Self { reader, max, line: Vec::new() }
    }

    /// The next line. The future must not be dropped half-way: what it had read would be lost.
    ///
    /// # Errors
    /// When the reader fails.
    pub async fn next(&mut self) -> std::io::Result<Read<'_>> {
        self.line.clear();
        // A line of several MB must not keep its room for ever.
        self.line.shrink_to(64 * 1024);
        let mut dropped = 0_u64;
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(match (self.line.is_empty(), dropped) {
                    (true, 0) => Read::End,
                    (false, 0) => Read::Line(&self.line),
                    (_, dropped) => Read::TooLong(dropped),
                });
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            if dropped > 0 || self.line.len() + part.len() > self.max {
                dropped += (self.line.len() + part.len()) as u64;
                self.line = Vec::new();
            } else {
                self.line.extend_from_slice(part);
            }
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(match dropped {
                    0 => Read::Line(&self.line),
                    dropped => Read::TooLong(dropped),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over_and_the_next_one_read() {
        let text = format!("short\n{}\n\nlast", "x".repeat(100));
        for buffer in [1, 7, 1000] {
            let mut lines =
                BoundedLines::new(BufReader::with_capacity(buffer, text.as_bytes()), 10);
            assert_eq!(lines.next().await.unwrap(), Read::Line(b"short"));
            assert_eq!(lines.next().await.unwrap(), Read::TooLong(100));
            assert_eq!(lines.next().await.unwrap(), Read::Line(b""));
            assert_eq!(lines.next().await.unwrap(), Read::Line(b"last"));
            assert_eq!(lines.next().await.unwrap(), Read::End);
        }
    }
}
