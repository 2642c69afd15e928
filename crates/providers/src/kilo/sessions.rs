//! Kilo's sessions as wholes: listed, read, forked, taken back, named, deleted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::{
    Access, Earlier, ErrorCode, History, InputKind, ModelSelection, NativeSession, PastTurn,
    Timestamp,
};
use kilo_sdk::types::{Message, MessageWithParts, Session, Status};
use kilo_sdk::{Error, Instance, MessageId, SessionFilter, SessionId, SessionUpdate};

use tokio::sync::broadcast;

use super::mapper::past::begins_turn;
use super::mapper::{Mapper, Servers};
use super::server::{Held, Kind};
use super::session::{COMPACTION, Key, reading};
use super::{NAME, Shared, workspace_of};
use crate::shared::face;
use crate::{OpenError, Place, ReadSession, Reading, SessionList, SessionQuery, Sessions};

/// Sessions that can be listed of one directory, the last used first. Kilo lists no pages, only
/// the newest so many (7.7.7); whoever seeks an older one searches by its title.
pub(super) const MAX_LISTED: usize = 500;
/// Messages that are read at once; half as many after each answer that was too large.
const PAGE: u32 = 50;
/// Messages and turns of a history that are kept.
const MAX_MESSAGES: usize = 1500;
const MAX_TURNS: usize = 200;
/// Requests made to read a history, and to count what came before it.
const MAX_READS: u32 = 40;
/// How long an answer without an end counts as being written, when this server does not say so:
/// another program may work in the session.
const AT_WORK_MS: f64 = 10.0 * 60.0 * 1000.0;

/// How old a message without an answer is when it will certainly not be answered any more.
const TAKEN_UP_MS: f64 = 10.0 * 1000.0;

/// Kilo's sessions. Cheap to clone.
pub(super) struct KiloSessions(pub(super) Arc<Shared>);

impl KiloSessions {
    async fn held(&self, place: &Place) -> Result<(Held, Instance), OpenError> {
        let workspace = workspace_of(&place.workspace, place.trusted).await?;
        self.0.face.configured().await?;
        let held = self.0.server(Kind::of(place.trusted)).await?;
        let instance = held.server.client().at(&workspace);
        Ok((held, instance))
    }

    /// A session of a place, on the server where it may be used.
    async fn of(
        &self,
        place: &Place,
        id: &SessionId,
    ) -> Result<(Held, Instance, Session), OpenError> {
        let (held, _) = self.held(place).await?;
        let (held, session) = self.0.find(held, place, id).await?;
        let instance = held.server.client().at(&session.directory);
        Ok((held, instance, session))
    }

    fn limit(&self, model: &ModelSelection) -> Option<u64> {
        let inventory = self.0.face.inventory.borrow();
        inventory.models.iter().find(|m| m.id == model.model).and_then(|m| m.context)
    }
}

#[async_trait]
impl Sessions for KiloSessions {
    async fn list(&self, place: &Place, query: &SessionQuery) -> Result<SessionList, OpenError> {
        let (_held, instance) = self.held(place).await?;
        let end = query.offset.saturating_add(query.limit).min(MAX_LISTED);
        let filter = SessionFilter {
            roots: true,
            limit: Some(u32::try_from(end + 1).unwrap_or(u32::MAX)),
            search: query.search.clone().filter(|text| !text.trim().is_empty()),
        };
        let found = instance.sessions(&filter).await.map_err(|e| failed(&e))?;
        let busy = instance.statuses().await.map_err(|e| failed(&e))?;
        let more = found.len() > end && end < MAX_LISTED;
        let page = found.into_iter().take(end).skip(query.offset);
        // An older Kilo may not know `roots`: sub-agents are never listed.
        let roots = page.filter(|session| session.parent_id.is_none());
        let sessions = roots
            .map(|session| {
                let busy = busy.get(&session.id).is_some_and(|status| *status != Status::Idle);
                native(&session, busy)
            })
            .collect();
        Ok(SessionList { sessions, more })
    }

    async fn read(&self, place: &Place, wanted: &ReadSession) -> Result<Reading, OpenError> {
        let id = SessionId::from(wanted.session.as_str());
        let (_held, instance, session) = self.of(place, &id).await?;
        if session.parent_id.is_some() {
            return Err(OpenError {
                code: ErrorCode::Rejected,
                message: "the session is a sub-agent's".to_owned(),
                hint: Some("continue the session that started it".to_owned()),
            });
        }
        let status = instance.statuses().await.map_err(|e| failed(&e))?.remove(&id);
        let known = wanted.known.iter().map(String::as_str).collect();
        let pages = Pages { instance: &instance, session: &id };
        let mut read = pages.newest(&known).await.map_err(|e| failed(&e))?;
        let at_work = status.as_ref().is_some_and(|status| *status != Status::Idle);
        if !known.is_empty() {
            leave_out_unfinished(at_work, &mut read.messages);
        }
        let busy = at_work || read.messages.last().is_some_and(|last| is_at_work(&last.info));
        let mut history = History {
            title: title(&session),
            model: model(&session),
            earlier: read.earlier,
            busy,
            taken_back: session.revert.map(|revert| revert.message_id.as_str().to_owned()),
            ..History::default()
        };
        let mut texts = Vec::new();
        if !read.before.is_empty() {
            let workspace = place.workspace.to_string_lossy().into_owned();
            let servers = Servers::new(std::iter::empty());
            let mut mapper = Mapper::new(id.clone(), workspace, Access::default(), servers);
            texts = mapper.texts(&wanted.thread, &read.before);
        }
        if !read.messages.is_empty() {
            let began = read.messages.first().and_then(|m| m.info.created()).map(whole);
            let children = reading::sub_agents(&instance, &id, began, |_| {}).await;
            let workspace = place.workspace.to_string_lossy().into_owned();
            let config = instance.config().await.map_err(|e| failed(&e))?;
            let servers = Servers::new(config.mcp.keys().map(String::as_str));
            let mut mapper = Mapper::new(id.clone(), workspace, Access::default(), servers);
            let limit = |model: &ModelSelection| self.limit(model);
            (history.turns, history.context) =
                mapper.past(&wanted.thread, &read.messages, &children, limit);
            leave_out_wishes(&wanted.known, &mut history.turns);
        }
        Ok(Reading { history, after: read.after, texts })
    }

    async fn fork(
        &self,
        place: &Place,
        session: &str,
        before: Option<&str>,
    ) -> Result<String, OpenError> {
        let id = SessionId::from(session);
        let (_held, instance, _) = self.of(place, &id).await?;
        let before = before.map(|key| Key::parse(key).message());
        let made = instance.fork(&id, before.as_ref()).await;
        Ok(made.map_err(|e| failed(&e))?.id.as_str().to_owned())
    }

    async fn take_back(
        &self,
        place: &Place,
        session: &str,
        before: Option<&str>,
    ) -> Result<(), OpenError> {
        let id = SessionId::from(session);
        let (_held, instance, _) = self.of(place, &id).await?;
        let Some(before) = before else {
            return instance.unrevert(&id).await.map(|_| ()).map_err(|e| failed(&e));
        };
        let message = Key::parse(before).message();
        let after = instance.revert(&id, &message, None).await.map_err(|e| failed(&e))?;
        // Kilo says nothing of a message that it does not have; it only does nothing (7.7.7).
        match after.revert {
            Some(revert) if revert.message_id == message => Ok(()),
            _ => Err(OpenError {
                code: ErrorCode::Rejected,
                message: "Kilo no longer has this message".to_owned(),
                hint: Some("go back to another one, or fork the thread".to_owned()),
            }),
        }
    }

    async fn rename(&self, place: &Place, session: &str, title: &str) -> Result<(), OpenError> {
        let id = SessionId::from(session);
        let (_held, instance, _) = self.of(place, &id).await?;
        let update = SessionUpdate { title: Some(title.to_owned()), ..SessionUpdate::default() };
        let renamed = instance.update_session(&id, &update).await;
        renamed.map(|_| ()).map_err(|e| failed(&e))
    }

    async fn delete(&self, place: &Place, session: &str) -> Result<(), OpenError> {
        let id = SessionId::from(session);
        let (_held, instance, _) = match self.of(place, &id).await {
            Err(error) if error.code == ErrorCode::SessionLost => return Ok(()),
            found => found?,
        };
        // A session that is deleted while it works goes on working (7.7.7).
        instance.abort(&id).await.map_err(|e| failed(&e))?;
        match instance.delete_session(&id).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    fn deletions(&self) -> Option<broadcast::Receiver<String>> {
        Some(self.0.deletions.subscribe())
    }

    fn command(&self, place: &Place, session: &str) -> String {
        self.0.in_terminal(place, &["-s", session])
    }
}

impl Shared {
    /// The command for a terminal that runs Kilo in a directory.
    pub(super) fn in_terminal(&self, place: &Place, arguments: &[&str]) -> String {
        let program = self.face.settings().binary.filter(|path| !path.trim().is_empty());
        let program = program.unwrap_or_else(|| "kilo".to_owned());
        let words: Vec<_> =
            std::iter::once(program.as_str()).chain(arguments.iter().copied()).collect();
        crate::shared::terminal::command(&place.workspace, &words)
    }
}

/// Leaves out compactions that were wished for here and whose own message was never told: known is
/// only a name that was made before.
fn leave_out_wishes(known: &[String], turns: &mut Vec<PastTurn>) {
    for wish in known.iter().filter_map(|key| key.strip_prefix(COMPACTION)) {
        let wish = MessageId::from(wish);
        let made = |turn: &PastTurn| {
            let at = u64::try_from(turn.at).unwrap_or_default();
            let after = wish.time_ms(at).is_none_or(|wished| wished <= at);
            turn.kind == InputKind::Compact && after
        };
        if let Some(at) = turns.iter().position(made) {
            turns.remove(at);
        }
    }
}

/// Reads a session's messages from the newest on.
struct Pages<'a> {
    instance: &'a Instance,
    session: &'a SessionId,
}

/// The newest messages of a session.
#[derive(Default)]
struct Newest {
    /// Oldest first; the first one begins a turn.
    messages: Vec<MessageWithParts>,
    earlier: Earlier,
    /// The known message that they come after.
    after: Option<String>,
    /// The turns before them that were read on the way, that message's the last.
    before: Vec<MessageWithParts>,
}

impl Pages<'_> {
    async fn newest(&self, known: &HashSet<&str>) -> Result<Newest, Error> {
        let mut messages: Vec<MessageWithParts> = Vec::new();
        let (mut before, mut limit) = (None, PAGE);
        let (mut reads, mut bytes) = (0, 0_usize);
        let mut whole = false;
        while reads < MAX_READS && messages.len() < MAX_MESSAGES && bytes <= reading::MAX_BYTES {
            reads += 1;
            match self.instance.messages(self.session, limit, before.as_deref()).await {
                Ok(page) => {
                    before = page.older;
                    bytes = bytes.saturating_add(page.bytes);
                    messages.splice(0..0, page.messages);
                    whole = before.is_none();
                    let at = |m: &MessageWithParts| known.contains(m.info.id().as_str());
                    if let Some(at) = messages.iter().rposition(at) {
                        return Ok(after(messages, at, known));
                    }
                    if whole {
                        break;
                    }
                }
                Err(Error::TooLarge(_)) if limit > 1 => limit /= 2,
                // What came after the one that cannot be read is known.
                Err(Error::TooLarge(_)) if !messages.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        let mut read = cut(messages);
        if !whole {
            self.count(before, MAX_READS - reads.min(MAX_READS), &mut read.earlier).await;
        }
        Ok(read)
    }

    /// Counts the turns before those that were read, as far as the bounds allow.
    async fn count(&self, mut before: Option<String>, reads: u32, earlier: &mut Earlier) {
        for _ in 0..reads {
            let page = self.instance.messages(self.session, PAGE, before.as_deref()).await;
            let Ok(page) = page else { break };
            let turns = page.messages.iter().filter(|m| begins_turn(m)).count();
            earlier.turns += u64::try_from(turns).unwrap_or_default();
            before = page.older;
            if before.is_none() {
                return;
            }
        }
        earlier.more = true;
    }
}

/// What came after the message at this place, from the next turn on, and before it the turns among
/// the known ones that are not known: others made them while this thread's own ran.
fn after(messages: Vec<MessageWithParts>, at: usize, known: &HashSet<&str>) -> Newest {
    let is_known = |m: &MessageWithParts| known.contains(m.info.id().as_str());
    let after = messages.get(at).map(|m| m.info.id().as_str().to_owned());
    let oldest = messages.iter().position(is_known).unwrap_or(at);
    let whole = messages.iter().position(begins_turn).unwrap_or(messages.len());
    let (mut before, mut made) = (Vec::new(), Vec::new());
    // Where two turns ran at once their messages are mixed: an answer says what it answers.
    let mut of: HashMap<MessageId, bool> = HashMap::new();
    let mut is_new = false;
    for (n, message) in messages.into_iter().enumerate().skip(whole) {
        let new = match &message.info {
            Message::Assistant(answer) => *of.get(&answer.parent_id).unwrap_or(&is_new),
            Message::User(_) | Message::Unknown(_) => {
                if begins_turn(&message) {
                    is_new = n > oldest && !is_known(&message);
                }
                is_new
            }
        };
        of.insert(message.info.id(), new);
        if new { made.push(message) } else { before.push(message) }
    }
    Newest { after, before, ..cut(made) }
}

/// Leaves out the last turn while it is still worked on; when it is over it is read.
fn leave_out_unfinished(busy: bool, messages: &mut Vec<MessageWithParts>) {
    let unfinished = match messages.last().map(|last| &last.info) {
        None => return,
        Some(Message::User(user)) => now_ms() - user.time.start.unwrap_or_default() < TAKEN_UP_MS,
        Some(last) => is_at_work(last),
    };
    if (busy || unfinished)
        && let Some(begin) = messages.iter().rposition(begins_turn)
    {
        messages.truncate(begin);
    }
}

/// Keeps whole turns, the newest so many.
fn cut(mut messages: Vec<MessageWithParts>) -> Newest {
    let begins: Vec<usize> =
        (0..messages.len()).filter(|n| messages.get(*n).is_some_and(begins_turn)).collect();
    let dropped = begins.len().saturating_sub(MAX_TURNS);
    let begin = begins.get(dropped).copied().unwrap_or(messages.len());
    messages.drain(..begin);
    let earlier = Earlier { turns: u64::try_from(dropped).unwrap_or_default(), more: false };
    Newest { messages, earlier, ..Newest::default() }
}

fn native(session: &Session, busy: bool) -> NativeSession {
    let tokens = session.tokens;
    let all =
        [tokens.input, tokens.output, tokens.reasoning, tokens.cache.read, tokens.cache.write];
    NativeSession {
        title: title(session),
        model: model(session).map(|model| model.model),
        id: session.id.as_str().to_owned(),
        tokens: all.iter().map(|count| whole(*count)).sum(),
        cost: if session.cost.is_finite() { session.cost } else { 0.0 },
        created_at: timestamp(session.time.created),
        updated_at: timestamp(session.time.updated),
        busy,
        thread: None,
    }
}

/// The title, unless it is the one Kilo gives to what has none.
fn title(session: &Session) -> String {
    let unnamed = session.title.starts_with(super::mapper::UNNAMED_ROOT);
    if unnamed { String::new() } else { super::mapper::line(&session.title) }
}

fn model(session: &Session) -> Option<ModelSelection> {
    let model = session.model.as_ref().filter(|model| !model.provider_id.is_empty())?;
    Some(ModelSelection {
        model: format!("{}/{}", model.provider_id, model.id),
        option: model.variant.clone().filter(|variant| variant != "default"),
    })
}

/// Whether the newest message is an answer that is still being written.
fn is_at_work(message: &Message) -> bool {
    let Message::Assistant(answer) = message else { return false };
    let begun = answer.time.start.unwrap_or_default();
    answer.time.end.is_none() && answer.error.is_none() && now_ms() - begun < AT_WORK_MS
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX) as f64
}

fn timestamp(ms: f64) -> Timestamp {
    i64::try_from(whole(ms)).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just before")]
fn whole(number: f64) -> u64 {
    if number.is_finite() && number > 0.0 { number as u64 } else { 0 }
}

pub(super) fn failed(error: &Error) -> OpenError {
    match error {
        Error::NotFound(_) => face::gone(NAME),
        Error::Busy(_) => OpenError {
            code: ErrorCode::SessionBusy,
            message: "Kilo is at work in this session".to_owned(),
            hint: Some("wait until it has finished, or stop it".to_owned()),
        },
        _ => face::not_opened(NAME, error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(n: usize, role: &str) -> MessageWithParts {
        let part = json!({ "id": format!("prt_{n:04}"), "type": "text", "text": "said" });
        let info = json!({ "id": format!("msg_{n:04}"), "role": role });
        serde_json::from_value(json!({ "info": info, "parts": [part] })).unwrap()
    }

    fn conversation(turns: usize) -> Vec<MessageWithParts> {
        (0..turns * 2).map(|n| message(n, if n % 2 == 0 { "user" } else { "assistant" })).collect()
    }

    #[test]
    fn whole_turns_are_kept_and_the_others_counted() {
        let mut messages = conversation(MAX_TURNS + 3);
        messages.remove(0);
        let read = cut(messages);
        assert_eq!(read.messages.len(), 2 * MAX_TURNS);
        assert!(begins_turn(&read.messages[0]));
        // The one without its beginning is counted by whoever finds that.
        assert_eq!(read.earlier, Earlier { turns: 2, more: false });
    }

    #[test]
    fn what_came_after_a_known_message_begins_with_the_next_turn() {
        let known = HashSet::from(["msg_0002"]);
        let read = after(conversation(3), 2, &known);
        assert_eq!(read.after.as_deref(), Some("msg_0002"));
        let ids: Vec<_> = read.messages.iter().map(|m| m.info.id()).collect();
        assert_eq!(ids, ["msg_0004", "msg_0005"].map(MessageId::from));
        // What was read on the way, in whole turns.
        let mut cut_off = conversation(3);
        cut_off.remove(0);
        let ids: Vec<_> = after(cut_off, 1, &known).before.iter().map(|m| m.info.id()).collect();
        assert_eq!(ids, ["msg_0002", "msg_0003"].map(MessageId::from));
        let all = HashSet::from(["msg_0000", "msg_0002", "msg_0004"]);
        assert!(after(conversation(3), 4, &all).messages.is_empty());
    }

    #[test]
    fn turns_that_others_made_between_known_ones_are_told_apart_by_what_is_answered() {
        let mut mixed = conversation(4);
        let answers = |mixed: &mut Vec<MessageWithParts>, at: usize, asked: &str| {
            if let Message::Assistant(answer) = &mut mixed[at].info {
                answer.parent_id = MessageId::from(asked);
            }
        };
        // The first two turns ran at once: each other's answer came first.
        mixed.swap(1, 2);
        answers(&mut mixed, 2, "msg_0002");
        answers(&mut mixed, 3, "msg_0000");
        let known = HashSet::from(["msg_0000", "msg_0004"]);
        let read = after(mixed, 4, &known);
        let ids = |m: &[MessageWithParts]| -> Vec<String> {
            m.iter().map(|m| m.info.id().as_str().to_owned()).collect()
        };
        assert_eq!(ids(&read.messages), ["msg_0002", "msg_0001", "msg_0006", "msg_0007"]);
        assert_eq!(ids(&read.before), ["msg_0000", "msg_0003", "msg_0004", "msg_0005"]);
    }
}
