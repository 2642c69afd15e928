//! Lines of any length up to a bound, from a pipe.

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// Longest line that is read, in bytes; a longer one is skipped and counted. Lines of several MB
/// happen: pictures that were read come as base64.
pub const MAX_LINE: usize = 64 * 1024 * 1024;

/// A line, or that there was one too long to be kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Whole(Vec<u8>),
    TooLong(usize),
}

pub(crate) struct Reader<R> {
    pipe: BufReader<R>,
    max: usize,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(pipe: R, max: usize) -> Self {
        Self { pipe: BufReader::with_capacity(64 * 1024, pipe), max }
    }

    /// The next line without its end; `None` at the end of the pipe. A last line without an end is
    /// given as well.
    pub(crate) async fn next(&mut self) -> std::io::Result<Option<Line>> {
        let (mut line, mut skipped) = (Vec::new(), 0_usize);
        loop {
            let chunk = self.pipe.fill_buf().await?;
            if chunk.is_empty() {
                let nothing = line.is_empty() && skipped == 0;
                return Ok((!nothing).then(|| told(line, skipped)));
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let (piece, read) = match end {
                Some(at) => (chunk.get(..at).unwrap_or_default(), at + 1),
                None => (chunk, chunk.len()),
            };
            if skipped > 0 || line.len() + piece.len() > self.max {
                skipped += line.len() + piece.len();
                line = Vec::new();
            } else {
                line.extend_from_slice(piece);
            }
            self.pipe.consume(read);
            if end.is_some() {
                return Ok(Some(told(line, skipped)));
            }
        }
    }
}

fn told(mut line: Vec<u8>, skipped: usize) -> Line {
    if skipped > 0 {
        return Line::TooLong(skipped);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Line::Whole(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str, max: usize) -> Vec<Line> {
        let mut reader = Reader::new(text.as_bytes(), max);
        let mut lines = Vec::new();
        while let Some(line) = reader.next().await.unwrap() {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn lines_are_whole_whatever_their_length_and_those_beyond_the_bound_are_skipped() {
        let long = "x".repeat(3 * 1024 * 1024);
        let lines = read(&format!("one\r\n\n{long}\nlast"), MAX_LINE).await;
        let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
        assert_eq!(lines, [whole("one"), whole(""), whole(&long), whole("last")]);
        let lines = read(&format!("one\n{long}\ntwo\n"), 1024).await;
        assert_eq!(lines, [whole("one"), Line::TooLong(long.len()), whole("two")]);
    }
}
