//! Writes the TypeScript types, or with `--check` fails when the file differs from them.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut check = false;
    let mut path = None;
    for argument in std::env::args().skip(1) {
        if argument == "--check" {
            check = true;
        } else {
            path = Some(PathBuf::from(argument));
        }
    }
    let Some(path) = path else {
        eprintln!("usage: types FILE [--check]");
        return ExitCode::from(2);
    };
    let wanted = protocol::typescript();
    if check {
        let same = std::fs::read_to_string(&path).is_ok_and(|found| found == wanted);
        if !same {
            eprintln!("{} is stale: run `cargo xtask types`", path.display());
            return ExitCode::FAILURE;
        }
        return ExitCode::SUCCESS;
    }
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&path, wanted));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
