//! Whole sessions: listed, read, forked, taken back, named, deleted. What Claude Code keeps of them
//! is read from its transcripts; it has no other way to ask for it (2.1.197).

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use claude_sdk::{Conversation, Launch};
use domain::{
    Access, Earlier, ErrorCode, History, InputKind, ItemStatus, Mode, ModelSelection,
    NativeSession, PastTurn, Timestamp, TurnEvent, TurnId,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::mapper::Mapper;
use super::names::{Begin, Name};
use super::session::{COMPACTION, Control, uuid};
use super::transcripts::{self, flag, kind, text};
use super::{Shared, errors};
use crate::shared::shorten::line;
use crate::shared::{places, terminal};
use crate::{OpenError, Place, ReadSession, Reading, SessionList, SessionQuery, Sessions};

/// Sessions of a directory that are looked at, the last used first.
const MAX_SESSIONS: usize = 2_000;
/// Bytes of a transcript that are read for the list, at its beginning and at its end.
const GLIMPSE: u64 = 64 * 1024;
/// Turns that are read of a session.
const MAX_TURNS: usize = 200;
/// How long after something was said it may take to be in the transcript: 0.1 s (2.1.197).
const WRITTEN: Duration = Duration::from_millis(250);
/// How long the agent may take to name a session.
const NAMING: Duration = Duration::from_secs(10);

/// What can be done with Claude Code's sessions.
pub(super) struct ClaudeSessions(pub(super) Arc<Shared>);

#[async_trait]
impl Sessions for ClaudeSessions {
    async fn list(&self, place: &Place, query: &SessionQuery) -> Result<SessionList, OpenError> {
        self.settled().await;
        let directory = transcripts::directory(&self.0.config_dir(), &place.workspace);
        let query = query.clone();
        let listed = move || list(&directory, &query);
        places::on_disk(&place.workspace, listed).await?.map_err(|e| unreadable(&e))
    }

    async fn read(&self, place: &Place, wanted: &ReadSession) -> Result<Reading, OpenError> {
        self.settled().await;
        let name = Name::parse(&wanted.session);
        let (session, until) = match name.begin {
            Begin::New => return Ok(Reading::default()),
            Begin::Resume => (name.id, None),
            Begin::Fork { source, until } => (source, until),
        };
        let file = transcripts::file(&self.0.config_dir(), &place.workspace, &session);
        let (wanted, workspace) = (wanted.clone(), place.workspace.clone());
        let read = move || read(&file, &session, until.as_deref(), &wanted, &workspace);
        let read = places::on_disk(&place.workspace, read).await?;
        read.map_err(|e| unreadable(&e))?.ok_or_else(errors::gone)
    }

    async fn fork(
        &self,
        place: &Place,
        session: &str,
        before: Option<&str>,
    ) -> Result<String, OpenError> {
        let source = Name::parse(session).id;
        let until = match before {
            Some(before) => Some(self.line_before(place, &source, before).await?),
            None => {
                self.transcript(place, &source).await?;
                None
            }
        };
        let id = claude_sdk::random_uuid();
        let id = id.ok_or_else(|| errors::not_usable("there is no randomness"))?;
        Ok(Name { id, begin: Begin::Fork { source, until } }.text())
    }

    async fn take_back(
        &self,
        place: &Place,
        session: &str,
        before: Option<&str>,
    ) -> Result<(), OpenError> {
        let id = Name::parse(session).id;
        let until = match before {
            Some(before) => Some(self.line_before(place, &id, before).await?),
            None => None,
        };
        let (reply, answer) = oneshot::channel();
        let open = self.0.open_sessions().get(&id).cloned();
        let Some(open) = open else {
            // What is not open went back nowhere yet: it does so with the next message.
            return Ok(());
        };
        if open.send(Control::TakeBack { until, reply }).await.is_err() {
            return Ok(());
        }
        match answer.await {
            Ok(Err(error)) => {
                Err(OpenError { code: error.code, message: error.message, hint: None })
            }
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    async fn rename(&self, place: &Place, session: &str, title: &str) -> Result<(), OpenError> {
        let name = Name::parse(session);
        if name.begin != Begin::Resume {
            // There is nothing yet that could have a name.
            return Ok(());
        }
        self.settled().await;
        let file = self.transcript(place, &name.id).await?;
        let glimpse = places::on_disk(&place.workspace, move || glimpse(&file)).await?;
        if glimpse.is_ok_and(|glimpse| glimpse.is_some_and(|seen| seen.title == line(title))) {
            return Ok(());
        }
        let open = self.0.open_sessions().get(&name.id).cloned();
        if let Some(open) = open {
            let (reply, answer) = oneshot::channel();
            let wish = Control::Rename { title: title.to_owned(), reply };
            if open.send(wish).await.is_ok() && answer.await == Ok(true) {
                return Ok(());
            }
        }
        self.rename_closed(place, name.id, title).await
    }

    async fn delete(&self, place: &Place, session: &str) -> Result<(), OpenError> {
        let name = Name::parse(session);
        let open = self.0.open_sessions().get(&name.id).cloned();
        if let Some(open) = open {
            let (reply, answer) = oneshot::channel();
            if open.send(Control::Close { reply }).await.is_ok() {
                let _ = answer.await;
            }
        }
        let file = transcripts::file(&self.0.config_dir(), &place.workspace, &name.id);
        places::on_disk(&place.workspace, move || delete(&file)).await?.map_err(|error| OpenError {
            code: ErrorCode::AgentUnavailable,
            message: format!("the session's transcript could not be deleted: {error}"),
            hint: None,
        })
    }

    fn command(&self, place: &Place, session: &str) -> String {
        let name = Name::parse(session);
        let program = self.0.face.settings().binary.filter(|path| !path.trim().is_empty());
        let program = program.unwrap_or_else(|| "claude".to_owned());
        let mut words = vec![program.as_str()];
        match &name.begin {
            Begin::New => {}
            Begin::Resume => words.extend(["--resume", &name.id]),
            Begin::Fork { source, .. } => words.extend(["--resume", source, "--fork-session"]),
        }
        terminal::command(&place.workspace, &words)
    }
}

impl ClaudeSessions {
    /// Waits until what agents said just now is in their transcripts.
    async fn settled(&self) {
        if !self.0.processes().is_empty() {
            tokio::time::sleep(WRITTEN).await;
        }
    }

    /// The transcript of a session that is there.
    async fn transcript(&self, place: &Place, id: &str) -> Result<PathBuf, OpenError> {
        let file = transcripts::file(&self.0.config_dir(), &place.workspace, id);
        let path = file.clone();
        if places::on_disk(&place.workspace, move || path.is_file()).await? {
            Ok(file)
        } else {
            Err(errors::gone())
        }
    }

    /// The last line of an answer before a message.
    async fn line_before(
        &self,
        place: &Place,
        id: &str,
        before: &str,
    ) -> Result<String, OpenError> {
        self.settled().await;
        let file = self.transcript(place, id).await?;
        let before = uuid(before).to_owned();
        let look = move || -> io::Result<Option<Option<String>>> {
            let Some(transcript) = transcripts::read(&file)? else { return Ok(None) };
            let turns = transcripts::turns(transcript.lines);
            let is = |turn: &Vec<Value>| {
                turn.first().and_then(|line| text(line, "uuid")) == Some(before.as_str())
            };
            let Some(at) = turns.iter().position(is) else { return Ok(None) };
            let earlier = turns.into_iter().take(at).flatten();
            let mut answers = earlier.filter(|line| kind(line) == "assistant");
            Ok(Some(answers.next_back().and_then(|line| text(&line, "uuid").map(str::to_owned))))
        };
        let found = places::on_disk(&place.workspace, look).await?;
        match found.map_err(|error| unreadable(&error))? {
            Some(Some(line)) => Ok(line),
            Some(None) => Err(OpenError {
                code: ErrorCode::Rejected,
                message: "Claude Code cannot go back to before its first answer".to_owned(),
                hint: Some("begin a new thread instead".to_owned()),
            }),
            None => Err(OpenError {
                code: ErrorCode::Rejected,
                message: "Claude Code no longer has this message".to_owned(),
                hint: Some("go back to another one, or begin a new thread".to_owned()),
            }),
        }
    }

    /// Names a session whose process does not run: one is started for it.
    async fn rename_closed(&self, place: &Place, id: String, title: &str) -> Result<(), OpenError> {
        let program = self.0.program().await?;
        let mut launch = Launch::new(program, &place.workspace);
        launch.conversation = Conversation::Resume { session: id, until: None };
        self.0.restrict(&mut launch, place.trusted);
        let failed = |error: &dyn std::fmt::Display| {
            errors::not_usable(&format!("Claude Code could not name the session: {error}"))
        };
        let started = self.0.launch(launch).await;
        let (agent, _frames, _) = started.map_err(|error| failed(&error))?;
        let request = json!({ "subtype": "rename_session", "title": title });
        let named = agent.control(request, NAMING).await;
        agent.stop("it has named its session", Duration::from_secs(2)).await;
        named.map(|_| ()).map_err(|error| failed(&error))
    }
}

fn unreadable(error: &io::Error) -> OpenError {
    OpenError {
        code: ErrorCode::AgentUnavailable,
        message: format!("Claude Code's transcripts could not be read: {error}"),
        hint: Some("look at the rights of its directory `projects`".to_owned()),
    }
}

/// What a list says of a session.
struct Glimpse {
    title: String,
    model: Option<String>,
    began: Option<Timestamp>,
}

fn list(directory: &Path, query: &SessionQuery) -> io::Result<SessionList> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(SessionList::default());
        }
        Err(error) => return Err(error),
    };
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| transcripts::is_transcript(path))
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .collect();
    files.sort_by(|a, b| b.cmp(a));
    files.truncate(MAX_SESSIONS);
    let search = query.search.as_deref().map(str::to_lowercase);
    let wanted = query.offset.saturating_add(query.limit);
    let mut found = 0_usize;
    let mut listed = SessionList::default();
    for (used, path) in files {
        // One that cannot be read is not in the way of the others.
        let Ok(Some(glimpse)) = glimpse(&path) else { continue };
        let hit = |search: &String| glimpse.title.to_lowercase().contains(search);
        if search.as_ref().is_some_and(|search| !hit(search)) {
            continue;
        }
        found += 1;
        if found > wanted {
            listed.more = true;
            break;
        }
        if found > query.offset {
            listed.sessions.push(native(&path, glimpse, used));
        }
    }
    Ok(listed)
}

fn native(path: &Path, glimpse: Glimpse, used: SystemTime) -> NativeSession {
    let since = used.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let updated_at = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    NativeSession {
        id: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        title: glimpse.title,
        model: glimpse.model,
        // Transcripts do not say what was paid, nor how much was used without being read whole.
        tokens: 0,
        cost: 0.0,
        created_at: glimpse.began.unwrap_or(updated_at),
        updated_at,
        busy: false,
        thread: None,
    }
}

/// Looks at the beginning and the end of a transcript; `None` when nothing was said in it.
fn glimpse(path: &Path) -> io::Result<Option<Glimpse>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let head = lines_of(&mut file, 0)?;
    let tail = if length > GLIMPSE {
        lines_of(&mut file, (length - GLIMPSE).max(GLIMPSE))?
    } else {
        Vec::new()
    };
    let prompt =
        |line: &&Value| kind(line) == "user" && !flag(line, "isMeta") && !flag(line, "isSidechain");
    let Some(first) = head.iter().chain(&tail).find(prompt) else { return Ok(None) };
    let newest = || tail.iter().rev().chain(head.iter().rev());
    let named = newest().find_map(|line| match kind(line) {
        "custom-title" => text(line, "customTitle"),
        _ => None,
    });
    let named = named.or_else(|| {
        newest().find_map(|line| match kind(line) {
            "ai-title" => text(line, "aiTitle").or_else(|| text(line, "title")),
            "summary" => text(line, "summary"),
            _ => None,
        })
    });
    let title = named.map_or_else(|| first_line(&said(first)), str::to_owned);
    Ok(Some(Glimpse {
        title: line(&title),
        model: newest().find_map(model_of),
        began: head.iter().find_map(transcripts::time),
    }))
}

fn lines_of(file: &mut File, from: u64) -> io::Result<Vec<Value>> {
    file.seek(SeekFrom::Start(from))?;
    let mut reader = BufReader::new(file.take(GLIMPSE));
    let (mut lines, mut buffer) = (Vec::new(), Vec::new());
    loop {
        buffer.clear();
        if reader.read_until(b'\n', &mut buffer)? == 0 {
            return Ok(lines);
        }
        // What is cut at either end is no JSON.
        lines.extend(serde_json::from_slice::<Value>(&buffer).ok());
    }
}

fn first_line(said: &str) -> String {
    const MAX: usize = 120;
    said.lines()
        .map(str::trim)
        .find(|l| !l.is_empty())
        .unwrap_or_default()
        .chars()
        .take(MAX)
        .collect()
}

fn model_of(line: &Value) -> Option<String> {
    let model = text(line.get("message")?, "model")?;
    (kind(line) == "assistant" && !model.starts_with('<')).then(|| model.to_owned())
}

/// What a person said in the first line of a turn, and what was attached.
fn said(line: &Value) -> String {
    let content = line.get("message").and_then(|message| message.get("content"));
    match content {
        Some(Value::String(said)) => command(said).unwrap_or_else(|| said.clone()),
        Some(Value::Array(blocks)) => {
            let block = |block: &Value| match kind(block) {
                "text" => text(block, "text").map(str::to_owned),
                "image" => Some("[attached: an image]".to_owned()),
                "document" => Some("[attached: a document]".to_owned()),
                _ => None,
            };
            blocks.iter().filter_map(block).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// A command as it was given, which a transcript has in tags.
fn command(said: &str) -> Option<String> {
    let tag = |name: &str| {
        let inner = said.split_once(&format!("<{name}>"))?.1;
        Some(inner.split_once(&format!("</{name}>"))?.0.trim())
    };
    let name = tag("command-name")?;
    let arguments = tag("command-args").unwrap_or_default();
    Some(format!("{name} {arguments}").trim().to_owned())
}

fn read(
    file: &Path,
    session: &str,
    until: Option<&str>,
    wanted: &ReadSession,
    workspace: &Path,
) -> io::Result<Option<Reading>> {
    let Some(transcript) = transcripts::read(file)? else { return Ok(None) };
    let mut lines = transcript.lines;
    if let Some(until) = until {
        let end = lines.iter().position(|line| text(line, "uuid") == Some(until));
        lines.truncate(end.map_or(lines.len(), |end| end + 1));
    }
    let mut turns = transcripts::turns(lines);
    let known: HashSet<&str> = wanted.known.iter().map(|key| uuid(key)).collect();
    let key = |turn: &Vec<Value>| {
        turn.first().and_then(|line| text(line, "uuid")).unwrap_or_default().to_owned()
    };
    let newest = turns.iter().rposition(|turn| known.contains(key(turn).as_str()));
    let mut reading =
        Reading { after: newest.and_then(|at| turns.get(at)).map(key), ..Reading::default() };
    let mapper = || {
        let workspace = workspace.to_string_lossy().into_owned();
        Mapper::new(workspace, session.to_owned(), Access::default())
    };
    let mut earlier = 0;
    if let Some(newest) = newest {
        let later = turns.split_off(newest + 1);
        let from = turns.len().saturating_sub(MAX_TURNS);
        let mut past = mapper();
        for turn in turns.drain(from..) {
            reading.texts.extend(texts(&mut past, wanted, turn));
        }
        turns = later;
    } else {
        earlier = turns.len().saturating_sub(MAX_TURNS);
        turns.drain(..earlier);
    }
    if !known.is_empty() {
        // What the agent does by itself it keeps under other names than it was asked by.
        turns.retain(|turn| !transcripts::is_own_command(turn));
        leave_out_wishes(&wanted.known, &mut turns);
    }
    let mut past = mapper();
    let mut history = History {
        title: glimpse(file)?.map(|glimpse| glimpse.title).unwrap_or_default(),
        earlier: Earlier {
            turns: u64::try_from(earlier).unwrap_or(u64::MAX),
            more: transcript.more && newest.is_none(),
        },
        ..History::default()
    };
    for turn in turns {
        let (turn, context) = past_turn(&mut past, wanted, turn);
        history.context = context.or(history.context);
        history.model = turn.model.clone().or(history.model);
        history.turns.push(turn);
    }
    reading.history = history;
    Ok(Some(reading))
}

fn past_turn(
    mapper: &mut Mapper,
    wanted: &ReadSession,
    lines: Vec<Value>,
) -> (PastTurn, Option<domain::Context>) {
    let first = lines.first().cloned().unwrap_or_default();
    let key = text(&first, "uuid").unwrap_or_default().to_owned();
    let kind =
        if transcripts::is_compaction(&lines) { InputKind::Compact } else { InputKind::Message };
    let planned = text(&first, "permissionMode") == Some("plan");
    let model = lines.iter().rev().find_map(model_of);
    let at = transcripts::time(&first).unwrap_or_default();
    mapper.begin(TurnId::derive_past(&wanted.thread, &key), key.clone(), kind);
    let (events, context) = mapper.past(lines);
    let turn = PastTurn {
        key,
        kind,
        text: if kind == InputKind::Compact { String::new() } else { said(&first) },
        model: model.map(|model| ModelSelection { model, option: None }),
        mode: if planned { Mode::Plan } else { Mode::Build },
        at,
        events,
    };
    (turn, context)
}

/// What the agent wrote in a turn, by the names of its items.
fn texts(
    mapper: &mut Mapper,
    wanted: &ReadSession,
    lines: Vec<Value>,
) -> Vec<(String, domain::FullText)> {
    let (turn, _) = past_turn(mapper, wanted, lines);
    let written = turn.events.into_iter().filter_map(|(_, event)| {
        let TurnEvent::Item(item) = event else { return None };
        let done = item.status == ItemStatus::Done && item.content.is_written();
        item.body.filter(|_| done && item.parent.is_none()).map(|text| (item.key, text))
    });
    written.collect()
}

/// Leaves out compactions that were wished for here and whose line was never told.
fn leave_out_wishes(known: &[String], turns: &mut Vec<Vec<Value>>) {
    for wish in known.iter().filter(|key| key.starts_with(COMPACTION)) {
        let wished = super::session::given_at(wish).unwrap_or_default();
        let made = |turn: &Vec<Value>| {
            let at = turn.first().and_then(transcripts::time);
            transcripts::is_compaction(turn) && at.is_some_and(|at| at >= wished)
        };
        if let Some(at) = turns.iter().position(made) {
            turns.remove(at);
        }
    }
}

/// Deletes a transcript and what lies beside it of the session's sub-agents.
fn delete(file: &Path) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match std::fs::remove_dir_all(file.with_extension("")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
