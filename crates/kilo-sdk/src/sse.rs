//! An incremental parser of server-sent events, for the little of them that Kilo uses: `data:`
//! lines ended by an empty line. Comments and other fields are skipped.

/// The largest frame that is read, in bytes; a larger one is skipped and reported. The largest
/// seen is 5 MB, the echo of a prompt with an attachment of that size (Kilo 7.7.7).
pub const MAX_FRAME: usize = 32 * 1024 * 1024;

/// What came out of the bytes so far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A frame's data.
    Data(Vec<u8>),
    /// A frame larger than the bound was skipped; its size so far is given.
    TooLarge(usize),
}

#[derive(Debug)]
pub(crate) struct Parser {
    max: usize,
    line: Vec<u8>,
    data: Vec<u8>,
    /// Bytes of the frame being skipped; 0 when none is.
    skipping: usize,
}

impl Parser {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, line: Vec::new(), data: Vec::new(), skipping: 0 }
    }

    /// Takes the next bytes and adds the frames they complete to `frames`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], frames: &mut Vec<Frame>) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            let (head, tail) = bytes.split_at(end);
            self.extend(head);
            self.end_line(frames);
            bytes = tail.get(1..).unwrap_or_default();
        }
        self.extend(bytes);
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.skipping > 0 {
            self.skipping += bytes.len();
            // Only whether the line is empty matters now; two bytes tell it from a lone `\r`.
            let room = 2_usize.saturating_sub(self.line.len());
            self.line.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
        } else if self.line.len() + self.data.len() + bytes.len() > self.max {
            self.skipping = self.line.len() + self.data.len() + bytes.len();
            (self.line, self.data) = (b"..".to_vec(), Vec::new());
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, frames: &mut Vec<Frame>) {
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        if !self.line.is_empty() {
            if self.skipping == 0
                && let Some(value) = self.line.strip_prefix(b"data:")
            {
                if !self.data.is_empty() {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            }
            self.line.clear();
        } else if self.skipping > 0 {
            frames.push(Frame::TooLarge(std::mem::take(&mut self.skipping)));
        } else if !self.data.is_empty() {
            frames.push(Frame::Data(std::mem::take(&mut self.data)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(input: &[u8], chunk: usize, max: usize) -> Vec<Frame> {
        let (mut parser, mut frames) = (Parser::new(max), Vec::new());
        for bytes in input.chunks(chunk) {
            parser.push(bytes, &mut frames);
        }
        frames
    }

    #[test]
    fn frames_are_the_same_however_the_bytes_are_cut() {
        let input =
            "data: {\"a\":1}\n\n: comment\n\nid: 7\r\nevent: x\r\ndata:{\"b\":\"é\"}\r\n\r\n\
                     data: one\ndata: two\n\n\n\ndata: unfinished"
                .as_bytes();
        let expected = [
            Frame::Data(b"{\"a\":1}".to_vec()),
            Frame::Data("{\"b\":\"é\"}".into()),
            Frame::Data(b"one\ntwo".to_vec()),
        ];
        for chunk in 1..=input.len() {
            assert_eq!(parse(input, chunk, 1000), expected, "chunks of {chunk}");
        }
    }

    #[test]
    fn an_oversized_frame_is_skipped_and_the_next_is_read() {
        let input = format!("data: {}\ndata: more\n\ndata: ok\n\n", "x".repeat(5000));
        for chunk in [1, 7, 100, 10_000] {
            let frames = parse(input.as_bytes(), chunk, 100);
            assert_eq!(frames.len(), 2, "chunks of {chunk}");
            assert!(matches!(frames[0], Frame::TooLarge(size) if size > 5000));
            assert_eq!(frames[1], Frame::Data(b"ok".to_vec()));
        }
    }
}
