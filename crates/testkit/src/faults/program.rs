//! The program that stands for Kilo.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// It becomes Kilo, by `exec`, with its output read by a loop beside it that replaces the address
/// in the ready line (Kilo 7.7.7: `kilo server listening on http://127.0.0.1:4096`) by the proxy's.
/// The server's port is the first segment of the paths that are asked there, so that one proxy
/// serves any number of servers.
const SCRIPT: &str = r#"#!/bin/sh
[ "$1" = serve ] || exec '@KILO@' "$@"
said="${TMPDIR:-/tmp}/kilo-said.$$"
mkfifo -m 600 "$said" || exit 1
{
  rm -f "$said"
  while IFS= read -r line; do
    case "$line" in
      *"listening on http://"*) printf '%s/%s\n' 'kilo server listening on http://@PROXY@' "${line##*:}" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
} < "$said" &
exec '@KILO@' "$@" > "$said"
"#;

/// Writes it into `dir`, under Kilo's name.
pub(super) fn write(dir: &Path, kilo: &Path, proxy: SocketAddr) -> io::Result<PathBuf> {
    fs::create_dir_all(dir)?;
    let path = dir.canonicalize()?.join("kilo");
    let text =
        SCRIPT.replace("@KILO@", &kilo.to_string_lossy()).replace("@PROXY@", &proxy.to_string());
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}
