//! Tables of numbers in `docs/performance.md`.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::machine;

/// Replaces what stands in `docs/performance.md` between the marks of this name, which are
/// `<!-- name: begin -->` and `<!-- name: end -->`.
///
/// # Errors
/// When the document has no such place or cannot be written.
pub fn write(name: &str, table: &str) -> Result<()> {
    let (begin, end) = (format!("<!-- {name}: begin -->"), format!("<!-- {name}: end -->"));
    let path = machine::root().join("docs/performance.md");
    let shown = path.display();
    let text = fs::read_to_string(&path).with_context(|| format!("{shown} cannot be read"))?;
    let parts = text.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let Some((before, after)) = parts else {
        bail!("{shown} has no place for the table: `{begin}` and `{end}`");
    };
    fs::write(&path, format!("{before}{begin}\n{table}{end}{after}"))
        .with_context(|| format!("{shown} cannot be written"))
}

/// A number as people read it: three digits that count, and thousands apart.
#[must_use]
pub fn number(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let plain = format!("{value:.decimals$}");
    let (whole, rest) = plain.split_once('.').map_or((&*plain, ""), |(whole, rest)| (whole, rest));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        let check = |value: f64, wanted: &str| assert_eq!(number(value), wanted);
        check(0.0423, "0.042");
        check(3.0, "3");
        check(12.34, "12.3");
        check(256.4, "256");
        check(1_234_567.0, "1,234,567");
    }
}
