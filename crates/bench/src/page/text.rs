//! What agents say while the page is measured: markdown without end, in pieces.

/// A kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As agents write: paragraphs, lists, code, a table.
    Mixed,
    /// One paragraph that goes on, with marks in it.
    Paragraph,
    /// One list that goes on.
    List,
    /// One table that goes on.
    Table,
    /// One block of code that goes on.
    Code,
}

impl Shape {
    /// Those that never close a block.
    pub(crate) const ENDLESS: [Self; 4] = [Self::Paragraph, Self::List, Self::Table, Self::Code];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Paragraph => "paragraph",
            Self::List => "list",
            Self::Table => "table",
            Self::Code => "code",
        }
    }

    /// How it begins, and what then comes again and again.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Mixed => ("", MIXED),
            Self::Paragraph => {
                ("", "The **parser** keeps the `position` of every token it reads, ")
            }
            Self::List => ("", "- The `lexer` counts *columns* from one, as editors do.\n"),
            Self::Table => {
                ("| file | lines |\n|---|---:|\n", "| `crates/parser/src/lexer.rs` | **112** |\n")
            }
            Self::Code => ("```rust\n", "    let position = self.tokens.position(at);\n"),
        }
    }
}

const MIXED: &str = "\
### What changed

The parser now keeps the **position** of every token, so that an error can point at the place it
comes from. I ran the tests of the module with `cargo test -p parser`, and all of them pass.

- `lexer.rs` counts lines and columns, from one, as editors do
- `parser.rs` hands them on with each node
- the printer shows the line with a mark under it

```rust
impl Lexer<'_> {
    fn position(&self) -> Position {
        Position { line: self.line, column: self.column }
    }
}
```

| file | added | removed |
|---|---:|---:|
| `lexer.rs` | 12 | 3 |
| `parser.rs` | 40 | 18 |

What is left is the printing of ranges that go over several lines.

";

/// Cuts a text without end into pieces.
#[derive(Debug)]
pub(crate) struct Text {
    begin: &'static str,
    again: &'static str,
    rest: &'static str,
}

impl Text {
    pub(crate) fn new(shape: Shape) -> Self {
        let (begin, again) = shape.parts();
        Self { begin, again, rest: begin }
    }

    /// From its beginning.
    pub(crate) fn restart(&mut self) {
        self.rest = self.begin;
    }

    /// The next piece, of `size` bytes; all of it is ASCII.
    pub(crate) fn piece(&mut self, size: usize) -> String {
        let mut piece = String::with_capacity(size);
        while piece.len() < size {
            if self.rest.is_empty() {
                self.rest = self.again;
            }
            let (taken, rest) = self.rest.split_at((size - piece.len()).min(self.rest.len()));
            piece.push_str(taken);
            self.rest = rest;
        }
        piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_text_again_and_again() {
        for shape in Shape::ENDLESS.into_iter().chain([Shape::Mixed]) {
            let (begin, again) = shape.parts();
            let mut text = Text::new(shape);
            let said: String = (0..200).map(|_| text.piece(24)).collect();
            let wanted = format!("{begin}{}", again.repeat(200));
            assert_eq!(said, wanted[..said.len()], "{}", shape.name());
            assert_eq!(said.len(), 4_800);
            text.restart();
            assert!(wanted.starts_with(&text.piece(10)));
        }
    }
}
