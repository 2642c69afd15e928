//! Transcripts: what Claude Code keeps of its sessions, one file of lines each
//! (`projects/<directory>/<session>.jsonl` in its configuration directory, 2.1.197).
//!
//! All lines of a turn that are in the user's name have the same `promptId`; lines of sub-agents are
//! in files of their own, and older ones are marked `isSidechain`. They are only read here.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use domain::{InputKind, Timestamp};
use serde_json::Value;

/// Bytes that are read of a transcript, from its end on.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Longest line that is read; a longer one is passed over.
const MAX_LINE: u64 = 32 * 1024 * 1024;
/// Longest name of a directory of transcripts; a longer one is cut and gets a mark.
const MAX_NAME: usize = 200;
/// Directories of transcripts that are looked through for one with a cut name.
const MAX_DIRECTORIES: usize = 10_000;

/// The directory with a project's transcripts, which need not be there.
pub(super) fn directory(config: &Path, workspace: &Path) -> PathBuf {
    let workspace = workspace.canonicalize().unwrap_or_else(|_| workspace.to_owned());
    let projects = config.join("projects");
    let name: String = workspace
        .to_string_lossy()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    if name.len() <= MAX_NAME {
        return projects.join(name);
    }
    let cut = format!("{}-", name.get(..MAX_NAME).unwrap_or_default());
    let entries = std::fs::read_dir(&projects).into_iter().flatten().flatten();
    entries
        .take(MAX_DIRECTORIES)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&cut))
        .map(|entry| entry.path())
        .find(|path| is_of(path, &workspace))
        .unwrap_or_else(|| projects.join(cut))
}

/// Whether the transcripts of a directory are of sessions in a workspace.
fn is_of(directory: &Path, workspace: &Path) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files = entries.map(|entry| entry.path()).filter(|path| is_transcript(path));
    let Some(file) = files.next().and_then(|path| File::open(path).ok()) else { return false };
    let lines = BufReader::new(file.take(MAX_LINE)).lines().map_while(Result::ok).take(50);
    let cwd = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let cwd = cwd.filter_map(|line| Some(line.get("cwd")?.as_str()?.to_owned())).next();
    cwd.is_some_and(|cwd| Path::new(&cwd) == workspace)
}

/// Whether a file is a session's transcript by its name.
pub(super) fn is_transcript(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl")
        && path.file_stem().is_some_and(|stem| is_session(&stem.to_string_lossy()))
}

/// Whether a name is one of a session: what it is made into a path of cannot lead elsewhere.
pub(super) fn is_session(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The transcript of a session, which need not be there.
pub(super) fn file(config: &Path, workspace: &Path, session: &str) -> PathBuf {
    let name = if is_session(session) { session } else { "none" };
    directory(config, workspace).join(format!("{name}.jsonl"))
}

/// A transcript as it was read.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    /// Its lines, oldest first, without those of sub-agents and without repetitions.
    pub(super) lines: Vec<Value>,
    /// Whether there is more before them.
    pub(super) more: bool,
}

/// Reads a transcript; `None` when there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<Transcript>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let from = length.saturating_sub(MAX_BYTES);
    file.seek(SeekFrom::Start(from))?;
    let mut reader = BufReader::new(file.take(MAX_BYTES));
    let (mut lines, mut seen) = (Vec::new(), HashSet::new());
    let mut buffer = Vec::new();
    let mut first = true;
    loop {
        buffer.clear();
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut buffer)?;
        if read == 0 {
            break;
        }
        // The first line after a jump is the end of one.
        let cut = std::mem::take(&mut first) && from > 0;
        // A line that is being written, or was when the machine went down, is no JSON.
        let Ok(line) = serde_json::from_slice::<Value>(&buffer) else { continue };
        if cut || flag(&line, "isSidechain") {
            continue;
        }
        let is_new = line
            .get("uuid")
            .and_then(Value::as_str)
            .is_none_or(|uuid| seen.insert(uuid.to_owned()));
        if is_new {
            lines.push(line);
        }
    }
    Ok(Some(Transcript { lines, more: from > 0 }))
}

/// The lines of a transcript cut into turns, oldest first; what comes before the first is left out,
/// and so are turns that the conversation went back from.
pub(super) fn turns(lines: Vec<Value>) -> Vec<Vec<Value>> {
    let counts = chain(&lines);
    let mut turns: Vec<Vec<Value>> = Vec::new();
    let mut prompt: Option<String> = None;
    for line in lines {
        if let Some(id) = begins(&line).filter(|id| prompt.as_deref() != Some(*id)) {
            prompt = Some(id.to_owned());
            // The mark of a compaction comes before what it is of.
            let summary = flag(&line, "isCompactSummary");
            let mark = |turn: &mut Vec<Value>| turn.pop_if(|last| is_boundary(last));
            let mark = turns.last_mut().filter(|_| summary).and_then(mark);
            turns.push(Vec::new());
            if let Some(turn) = turns.last_mut() {
                turn.push(line);
                turn.extend(mark);
            }
            continue;
        }
        let spoken = matches!(kind(&line), "user" | "assistant" | "system");
        if let Some(turn) = turns.last_mut().filter(|_| spoken) {
            turn.push(line);
        }
    }
    turns.retain(|turn| {
        turn.iter().any(|line| text(line, "uuid").is_some_and(|u| counts.contains(u)))
    });
    for turn in &mut turns {
        // The caveat before a command that the agent does by itself.
        if let Some(own) = turn.iter().position(|line| !flag(line, "isMeta")) {
            turn.drain(..own);
        }
    }
    turns
}

/// The lines that the last one comes from, by their names. What the conversation went back from is
/// on a branch of its own, which ends before.
fn chain(lines: &[Value]) -> HashSet<String> {
    let parent = |line: &Value| {
        text(line, "parentUuid").or_else(|| text(line, "logicalParentUuid")).map(str::to_owned)
    };
    let named =
        lines.iter().filter_map(|line| Some((text(line, "uuid")?.to_owned(), parent(line))));
    let parents: HashMap<String, Option<String>> = named.collect();
    let last =
        lines.iter().rev().find(|line| matches!(kind(line), "user" | "assistant" | "system"));
    let mut next = last.and_then(|line| text(line, "uuid")).map(str::to_owned);
    let mut chain = HashSet::new();
    while let Some(uuid) = next {
        next = parents.get(&uuid).cloned().flatten();
        if !chain.insert(uuid) {
            break;
        }
    }
    chain
}

/// Whether a line marks where the context was shortened because a person wished it.
pub(super) fn is_boundary(line: &Value) -> bool {
    kind(line) == "system" && text(line, "subtype") == Some("compact_boundary")
}

/// Whether a turn is no more than a person's wish to shorten the context.
pub(super) fn is_compaction(turn: &[Value]) -> bool {
    let by_hand = |line: &Value| {
        line.get("compactMetadata").and_then(|meta| text(meta, "trigger")) == Some("manual")
    };
    turn.iter().any(|line| is_boundary(line) && by_hand(line))
}

/// Whether the agent did a turn by itself, without a model: a command like `/cost`.
pub(super) fn is_own_command(turn: &[Value]) -> bool {
    !is_compaction(turn)
        && !turn.iter().any(|line| kind(line) == "assistant")
        && turn.iter().any(|line| text(line, "subtype") == Some("local_command"))
}

/// The turn that a line in the user's name belongs to.
fn begins(line: &Value) -> Option<&str> {
    if kind(line) != "user" {
        return None;
    }
    line.get("promptId").or_else(|| line.get("uuid").filter(|_| is_prompt(line)))?.as_str()
}

/// Whether a line is a message of the user, in transcripts that do not say which turn it is of.
fn is_prompt(line: &Value) -> bool {
    let content = line.get("message").and_then(|message| message.get("content"));
    let results = |blocks: &Vec<Value>| blocks.iter().any(|block| kind(block) == "tool_result");
    match content {
        Some(Value::String(_)) => !flag(line, "isMeta"),
        Some(Value::Array(blocks)) => !flag(line, "isMeta") && !results(blocks),
        _ => false,
    }
}

/// The lines of the turn whose message has this name; `None` when it is not in the transcript. Of a
/// wish to shorten the context it is the turn that shortened it since it was made, and so for a
/// message the turn that the agent did by itself, when none has its name: it keeps both under other
/// names.
pub(super) async fn since(
    path: PathBuf,
    uuid: String,
    kind: InputKind,
    given: Option<Timestamp>,
) -> io::Result<Option<Vec<Value>>> {
    let look = move || {
        let Some(transcript) = read(&path)? else { return Ok(None) };
        let mut turns = turns(transcript.lines);
        let named = |turn: &Vec<Value>| {
            turn.first().and_then(|line| text(line, "uuid")) == Some(uuid.as_str())
        };
        let since = |turn: &Vec<Value>| {
            let at = turn.first().and_then(time).zip(given);
            at.is_some_and(|(at, given)| at >= given)
        };
        let own = |turn: &Vec<Value>| {
            since(turn)
                && (is_compaction(turn) || kind == InputKind::Message && is_own_command(turn))
        };
        let at = turns.iter().position(named).or_else(|| turns.iter().position(own));
        Ok(at.map(|at| turns.swap_remove(at)))
    };
    tokio::task::spawn_blocking(look).await.map_err(io::Error::other)?
}

/// When a line was written.
pub(super) fn time(line: &Value) -> Option<Timestamp> {
    parse_time(line.get("timestamp")?.as_str()?)
}

/// Milliseconds since 1970 of `2026-11-28T03:58:45.547Z`.
fn parse_time(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut clock = clock.split(':').map(str::parse::<i64>);
    let (hour, minute, second) = (clock.next()?.ok()?, clock.next()?.ok()?, clock.next()?.ok()?);
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..10_000).contains(&year) {
        return None;
    }
    // Days since 1970, with years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
}

pub(super) fn kind(line: &Value) -> &str {
    line.get("type").and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

pub(super) fn flag(line: &Value, name: &str) -> bool {
    line.get(name).and_then(Value::as_bool).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(parse_time("1970-01-01T00:00:00.000Z"), Some(0));
        assert_eq!(parse_time("2000-02-29T12:00:00Z"), Some(951_825_600_000));
        assert_eq!(parse_time("2026-11-28T03:58:45.547Z"), Some(1_795_838_325_547));
        assert_eq!(parse_time("yesterday"), None);
    }

    #[test]
    fn a_directory_s_transcripts_are_where_its_name_says() {
        let config = Path::new("/c");
        let of = |path: &str| directory(config, Path::new(path));
        assert_eq!(of("/no/such_a b.c"), Path::new("/c/projects/-no-such-a-b-c"));
        assert_eq!(file(config, Path::new("/no"), "../x"), Path::new("/c/projects/-no/none.jsonl"));
    }
}
