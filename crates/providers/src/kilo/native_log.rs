//! The native log of a thread: Kilo's own events as they came, and what became of each.
//!
//! It is for finding out what went wrong, and what it holds can be played again: [`replay`] gives
//! the events that a log's frames lead to, so that a report becomes a test. It is off unless it is
//! switched on, because Kilo's events hold what was asked and answered, commands with their output
//! and whole files. What is named like a credential is withheld; nothing else is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::{Access, AgentEvent, InputKind, ThreadId, TurnEvent, TurnId, TurnOutcome};
use kilo_sdk::{Envelope, MessageId, SessionId};
use serde_json::{Value, json};

use super::mapper::{Mapped, Mapper, Servers};

/// The size a file may grow to before it becomes the older one, in bytes; there are two of a thread.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// What stands in place of what is withheld.
const WITHHELD: &str = "…";

/// Where native logs lie, and whether any are written.
#[derive(Debug, Clone)]
pub struct NativeLog {
    /// Their directory; it need not be there.
    pub dir: PathBuf,
    /// Whether they are written. Those that are there are removed with their threads in any case.
    pub on: bool,
}

impl NativeLog {
    /// The file of a thread that is written; the older one ends in `.old.jsonl`.
    #[must_use]
    pub fn file(&self, thread: &ThreadId) -> PathBuf {
        self.dir.join(format!("{thread}.jsonl"))
    }

    /// Removes what there is of a thread.
    pub(super) fn forget(&self, thread: &ThreadId) {
        let file = self.file(thread);
        for path in [older(&file), file] {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "a native log stays");
                }
            }
        }
    }

    /// Opens a thread's log for a session, if logs are written.
    pub(super) fn open(&self, thread: &ThreadId, about: &About<'_>, access: Access) -> Option<Log> {
        if !self.on {
            return None;
        }
        let head = json!({
            "native_log": 1, "thread": thread, "session": about.session.as_str(),
            "workspace": about.workspace, "servers": about.servers, "access": access,
        });
        let opened = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        let opened = opened.and_then(|()| Pen::open(&self.file(thread), head));
        let pen = opened.inspect_err(|error| tracing::warn!(%error, "no native log is written"));
        Some(Log(Mutex::new(pen.ok()?)))
    }
}

/// What the mapping of a session depends on.
pub(super) struct About<'a> {
    pub(super) session: &'a SessionId,
    pub(super) workspace: &'a str,
    /// The names of the MCP servers.
    pub(super) servers: &'a [&'a str],
}

fn older(file: &Path) -> PathBuf {
    file.with_extension("old.jsonl")
}

/// A thread's log, open.
pub(super) struct Log(Mutex<Pen>);

struct Pen {
    path: PathBuf,
    file: File,
    size: u64,
    /// The first line of each file.
    head: Value,
}

impl Pen {
    fn open(path: &Path, head: Value) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(path)?;
        let size = file.metadata()?.len();
        let mut pen = Self { path: path.to_owned(), file, size, head };
        let head = pen.head.clone();
        pen.line(&head)?;
        Ok(pen)
    }

    fn line(&mut self, line: &Value) -> io::Result<()> {
        let mut text = line.to_string();
        text.push('\n');
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        if self.size > 0 && self.size.saturating_add(bytes) > MAX_FILE {
            fs::rename(&self.path, older(&self.path))?;
            *self = Self::open(&self.path, self.head.clone())?;
        }
        self.file.write_all(text.as_bytes())?;
        self.size += bytes;
        Ok(())
    }
}

impl Log {
    // Written where it happens: one line into the page cache, and only while somebody looks for a
    // fault. A queue between would lose the last lines of what is looked for.
    fn write(&self, mut line: Value) {
        line["at"] = json!(now());
        let mut pen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = pen.line(&line) {
            tracing::warn!(%error, "a line of a native log was not written");
        }
    }

    /// Notes that a message is sent.
    pub(super) fn prompt(
        &self,
        turn: &TurnId,
        message: &MessageId,
        kind: InputKind,
        context_limit: Option<u64>,
    ) {
        self.write(json!({
            "prompt": message.as_str(), "turn": turn, "input": kind, "context_limit": context_limit,
        }));
    }

    /// Notes the plan that was read before the next frame.
    pub(super) fn plan(&self, path: &str, text: Option<&str>) {
        self.write(json!({ "plan": path, "text": text }));
    }

    /// Notes an access from now on.
    pub(super) fn access(&self, access: Access) {
        self.write(json!({ "access": access }));
    }

    /// Notes a frame and what became of it.
    pub(super) fn frame(&self, raw: &str, ran: bool, mapped: &Mapped) {
        let mut frame: Value = serde_json::from_str(raw).unwrap_or_else(|_| json!(raw));
        withhold(&mut frame);
        let payload = &frame["payload"];
        let (kind, id) = (payload["type"].clone(), payload["id"].clone());
        let became = became(mapped);
        let mut line = json!({ "kind": kind, "id": id, "became": became });
        if became.is_empty() {
            line["why"] = json!(if ran { "it tells a thread nothing new" } else { "no turn runs" });
        }
        line["frame"] = frame;
        self.write(line);
    }

    /// Notes that the session was read, and what came of it. What was read is not kept.
    pub(super) fn read(&self, mapped: &Mapped) {
        self.write(json!({ "read": true, "became": became(mapped) }));
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Takes out what is named like a credential.
fn withhold(value: &mut Value) {
    const NAMES: [&str; 7] =
        ["apikey", "api_key", "password", "secret", "token", "authorization", "cookie"];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.to_ascii_lowercase();
                let secret = NAMES.iter().any(|secret| name == *secret || name.ends_with(secret));
                if secret && value.is_string() {
                    *value = json!(WITHHELD);
                } else {
                    withhold(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(withhold),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What came of an event, in short.
fn became(mapped: &Mapped) -> Vec<String> {
    let mut all: Vec<String> = mapped.events.iter().map(told).collect();
    let mut also = |happened: bool, what: &str| {
        if happened {
            all.push(what.to_owned());
        }
    };
    also(mapped.resync, "the session is read");
    also(!mapped.implied.is_empty(), "allowed by the access");
    also(mapped.housekeeping.is_some(), "answered by Baton");
    also(mapped.stray_turn, "a turn nobody asked for");
    also(mapped.refused.is_some(), "refused, unless it is taken soon");
    all
}

fn told(event: &AgentEvent) -> String {
    match event {
        AgentEvent::Turn { event, .. } => of_turn(event),
        AgentEvent::Session { id } => format!("session {id}"),
        AgentEvent::Title(_) => "title".to_owned(),
        AgentEvent::Context(_) => "context".to_owned(),
        AgentEvent::Reconnecting(down) => format!("reconnecting {down}"),
        AgentEvent::Elsewhere => "a turn made elsewhere".to_owned(),
        AgentEvent::Lost(error) => format!("lost: {:?}", error.code),
    }
}

fn of_turn(event: &TurnEvent) -> String {
    match event {
        TurnEvent::Started => "started".to_owned(),
        TurnEvent::Item(item) => format!("item {}", item.key),
        TurnEvent::Text { key, at, text } => format!("text {key} at {at}, {} bytes", text.len()),
        TurnEvent::ItemRemoved { key } => format!("item {key} removed"),
        TurnEvent::Asked(request) => format!("request {}", request.key),
        TurnEvent::Ended(TurnOutcome::Completed) => "completed".to_owned(),
        TurnEvent::Ended(TurnOutcome::Interrupted) => "interrupted".to_owned(),
        TurnEvent::Ended(TurnOutcome::Failed(error)) => format!("failed: {:?}", error.code),
        other => format!("{other:?}"),
    }
}

/// What a native log holds besides what became of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replayed {
    /// The session's id.
    pub session: String,
    /// The ids of the messages that were sent.
    pub prompts: Vec<String>,
    /// The frames, as Kilo sent them but for what is withheld.
    pub frames: Vec<String>,
    /// How often the session was read meanwhile: what was read is not in the log.
    pub reads: usize,
    /// What the frames lead to, mapped anew.
    pub events: Vec<AgentEvent>,
}

/// Plays a native log again.
///
/// # Errors
/// When the file cannot be read, or a line of it is none of a native log's.
pub fn replay(path: &Path) -> io::Result<Replayed> {
    let odd = |error: serde_json::Error| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut replayed = Replayed::default();
    let mut mapper: Option<Mapper> = None;
    for line in BufReader::new(File::open(path)?).lines() {
        let line: Value = serde_json::from_str(&line?).map_err(odd)?;
        if line.get("native_log").is_some() {
            let access = serde_json::from_value(line["access"].clone()).map_err(odd)?;
            let session = text(&line, "session");
            let names = line["servers"].as_array().cloned().unwrap_or_default();
            // The same session opened again goes on, as a thread does.
            mapper = Some(Mapper::new(
                SessionId::from(session.as_str()),
                text(&line, "workspace"),
                access,
                Servers::new(names.iter().filter_map(Value::as_str)),
            ));
            replayed.session = session;
            continue;
        }
        let Some(mapper) = mapper.as_mut() else {
            let what = "it does not begin as a native log does";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        };
        play(mapper, &line, &mut replayed).map_err(odd)?;
    }
    Ok(replayed)
}

fn play(mapper: &mut Mapper, line: &Value, replayed: &mut Replayed) -> serde_json::Result<()> {
    if line.get("prompt").is_some() {
        let message = text(line, "prompt");
        let turn: TurnId = serde_json::from_value(line["turn"].clone())?;
        let limit = line["context_limit"].as_u64();
        let kind = serde_json::from_value(line["input"].clone())?;
        mapper.begin(turn, MessageId::from(message.as_str()), kind, limit);
        replayed.prompts.push(message);
    } else if line.get("plan").is_some() {
        mapper.set_plan(text(line, "plan"), line["text"].as_str().map(str::to_owned));
    } else if line.get("access").is_some() {
        mapper.set_access(serde_json::from_value(line["access"].clone())?);
    } else if line.get("read").is_some() {
        replayed.reads += 1;
    } else if let Some(frame) = line.get("frame") {
        let frame = frame.to_string();
        if let Some(envelope) = Envelope::parse(frame.as_bytes())? {
            replayed.events.extend(mapper.apply(envelope).events);
        }
        replayed.frames.push(frame);
    }
    Ok(())
}

fn text(line: &Value, name: &str) -> String {
    line[name].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn about(session: &SessionId) -> About<'_> {
        About { session, workspace: "/repo", servers: &[] }
    }

    fn log(dir: &Path) -> (NativeLog, ThreadId) {
        let thread = ThreadId::parse(&format!("thr_{:032x}", 7)).unwrap();
        (NativeLog { dir: dir.join("native"), on: true }, thread)
    }

    #[test]
    fn credentials_are_withheld_and_nothing_else() {
        let mut value = json!({ "options": { "apiKey": "sk-1", "Authorization": "Bearer x" },
            "tokens": { "input": 3 }, "list": [{ "access_token": "t" }], "text": "a password" });
        withhold(&mut value);
        assert_eq!(
            value,
            json!({ "options": { "apiKey": "…", "Authorization": "…" },
                "tokens": { "input": 3 }, "list": [{ "access_token": "…" }], "text": "a password" })
        );
    }

    #[test]
    fn two_files_of_a_thread_are_kept_for_its_user_alone_until_it_goes() {
        let dir = tempfile::tempdir().unwrap();
        let (native, thread) = log(dir.path());
        let session = SessionId::from("ses_1");
        let open = native.open(&thread, &about(&session), Access::Supervised).unwrap();
        let big = "x".repeat(1024 * 1024);
        for _ in 0..30 {
            open.plan("plan.md", Some(&big));
        }
        let files: Vec<PathBuf> =
            fs::read_dir(&native.dir).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        for file in &files {
            let about = fs::metadata(file).unwrap();
            assert!(about.len() <= MAX_FILE, "{}", about.len());
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
            // Each can be played by itself.
            assert_eq!(replay(file).unwrap().session, "ses_1");
        }
        native.forget(&thread);
        assert_eq!(fs::read_dir(&native.dir).unwrap().count(), 0);
        native.forget(&thread);
    }

    #[test]
    fn nothing_is_written_unless_it_is_switched_on() {
        let dir = tempfile::tempdir().unwrap();
        let (on, thread) = log(dir.path());
        let off = NativeLog { on: false, ..on };
        assert!(off.open(&thread, &about(&SessionId::from("s")), Access::Full).is_none());
        assert!(!off.dir.exists());
    }
}
