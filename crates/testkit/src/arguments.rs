//! The arguments of this kit's programs: `--name VALUE` pairs, and `--help`.

use std::collections::BTreeMap;
use std::process::ExitCode;

/// What was given, by name without its dashes.
pub type Arguments = BTreeMap<String, String>;

/// Reads arguments of these names, each given once with a value.
///
/// # Errors
/// How the program is to end instead: well when its usage was asked for, which is printed then, and
/// with 2 when the arguments make no sense, after why and the usage.
pub fn read(
    usage: &str,
    names: &[&str],
    given: impl Iterator<Item = String>,
) -> Result<Arguments, ExitCode> {
    pairs(names, given).map_err(|why| match why {
        None => {
            println!("usage: {usage}");
            ExitCode::SUCCESS
        }
        Some(why) => refuse(usage, &why),
    })
}

/// Says why arguments make no sense, and how they would.
pub fn refuse(usage: &str, why: &str) -> ExitCode {
    eprintln!("{why}\nusage: {usage}");
    ExitCode::from(2)
}

/// The pairs; `None` when help is asked for, or why they make no sense.
fn pairs(
    names: &[&str],
    mut given: impl Iterator<Item = String>,
) -> Result<Arguments, Option<String>> {
    let mut found = Arguments::new();
    while let Some(argument) = given.next() {
        if matches!(argument.as_str(), "--help" | "-h") {
            return Err(None);
        }
        let name = argument.strip_prefix("--").filter(|name| names.contains(name));
        let name = name.ok_or_else(|| format!("{argument} is not known"))?;
        let value = given.next().ok_or_else(|| format!("{argument} takes a value"))?;
        if found.insert(name.to_owned(), value).is_some() {
            return Err(Some(format!("{argument} is given twice")));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(given: &[&str]) -> Result<Arguments, Option<String>> {
        pairs(&["dir", "port"], given.iter().map(|&argument| argument.to_owned()))
    }

    #[test]
    fn arguments_are_read_and_what_makes_no_sense_is_said() {
        let both = told(&["--port", "1", "--dir", "d"]).expect("it makes sense");
        assert_eq!((both["port"].as_str(), both["dir"].as_str()), ("1", "d"));
        assert_eq!(told(&[]), Ok(Arguments::new()));
        assert_eq!(told(&["--port", "1", "--help"]), Err(None));
        assert_eq!(told(&["-h"]), Err(None));
        for (given, why) in [
            (&["--fine", "1"][..], "--fine is not known"),
            (&["dir"], "dir is not known"),
            (&["--port"], "--port takes a value"),
            (&["--dir", "a", "--dir", "b"], "--dir is given twice"),
        ] {
            assert_eq!(told(given), Err(Some(why.to_owned())));
        }
    }
}
