//! Reading a session as it is now.

use std::collections::{BTreeSet, VecDeque};
use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kilo_sdk::types::{
    MessageWithParts, NetworkWait, Page, Part, PartBody, PermissionRequest, QuestionRequest,
    Session,
};
use kilo_sdk::{Error, Instance, MessageId, SessionId};

use super::super::mapper::{Placed, Snapshot};
use super::Inner;

/// Messages read at once; half as many after each answer that was too large, down to one.
const PAGE: u32 = 50;
/// Requests made to read back to the turn's message; a turn with more steps keeps what was told
/// of them.
const MAX_READS: u32 = 26;
/// Bytes of messages that one reading keeps, of the session and of its sub-agents each; the page
/// that exceeds them is the last.
pub(in super::super) const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Sub-agents of a session and of its sub-agents whose messages are read, the newest of each
/// first, and those nearer to the session before those further away.
const MAX_CHILDREN: usize = 40;
/// Directories other than the session's own that are asked for what waits in them.
const MAX_DIRECTORIES: usize = 8;
/// How deep sub-agents of sub-agents are looked for.
const MAX_DEPTH: u32 = 5;
/// How old a message without an answer is when Kilo, idle, will certainly not answer it.
const TAKEN_UP: Duration = Duration::from_secs(10);

/// What a reading of the messages begins with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beginning<'a> {
    /// This message.
    Message(&'a MessageId),
    /// This message, or that of the first compaction that a person asked for after this name was
    /// made.
    Compaction(&'a MessageId),
}

impl Beginning<'_> {
    fn name(&self) -> &MessageId {
        match self {
            Self::Message(name) | Self::Compaction(name) => name,
        }
    }

    /// Whether it is this message.
    fn is(&self, message: &MessageWithParts) -> bool {
        let asked = |part: &Part| matches!(part.body, PartBody::Compaction { auto: false });
        message.info.id() == *self.name()
            || matches!(self, Self::Compaction(_))
                && message.parts.iter().any(asked)
                && !self.is_after(message)
    }

    /// Whether it is after this message, by Kilo's clock, which is this machine's.
    fn is_after(&self, message: &MessageWithParts) -> bool {
        let made = message.info.created().map(whole);
        made.is_some_and(|made| self.name().time_ms(made).is_some_and(|named| made < named))
    }

    /// Its place, once what was read from the newest message on reaches back to it.
    fn place_in(&self, messages: &[MessageWithParts], all: bool) -> Option<usize> {
        let reached = match self {
            Self::Message(_) => true,
            // There may be an earlier one.
            Self::Compaction(_) => all || messages.first().is_some_and(|m| self.is_after(m)),
        };
        reached.then(|| messages.iter().position(|m| self.is(m))).flatten()
    }
}

/// The messages of a session from the beginning on, as far back as the bounds allow.
#[derive(Debug, Default)]
struct Since {
    /// Whether the session has the beginning, which may be older than the messages read.
    found: bool,
    messages: Vec<MessageWithParts>,
}

/// Reads what belongs to the turn of a message: messages, sub-agents, state, and what is asked.
///
/// The state is read before the messages: a turn that ends in between shows as busy and is read
/// again later, rather than as ended without its last words. A sub-agent that cannot be read is
/// left out; what it does from now on is heard all the same.
pub(super) async fn read(inner: &Inner, from: Beginning<'_>) -> Result<Snapshot, Error> {
    let instance = &inner.instance;
    let status = instance.statuses().await?.remove(&inner.id);
    let page = |limit, before: Option<String>| async move {
        instance.messages(&inner.id, limit, before.as_deref()).await
    };
    let present = || is_present(instance, &inner.id, from.name());
    let Since { found, messages } = since(from, page, present).await?;
    let began = from.name().time_ms(now_ms());
    let age = began.map(|began| now_ms().abs_diff(began));
    // A clock that was set back says nothing of what came before.
    let began = began.filter(|began| *began <= now_ms());
    let children = children(inner, began).await;
    let mut elsewhere = inner.mapper().asking_directories();
    elsewhere.extend(children.iter().map(|(child, _)| child.directory.clone()));
    let asks = asks(inner, &elsewhere).await?;
    Ok(Snapshot {
        present: found,
        messages,
        children,
        status,
        permissions: asks.permissions,
        questions: asks.questions,
        waits: asks.waits,
        settled: age.is_some_and(|age| u128::from(age) > TAKEN_UP.as_millis()),
        // Who reads knows what was heard.
        quiet: false,
    })
}

/// What is asked in the directories a session asks in.
#[derive(Default)]
pub(super) struct Asks {
    /// `None` when one of the directories could not say.
    pub(super) permissions: Option<Vec<Placed<PermissionRequest>>>,
    pub(super) questions: Vec<Placed<QuestionRequest>>,
    pub(super) waits: Vec<Placed<NetworkWait>>,
}

/// Reads what is asked in the session's directory, and in these.
pub(super) async fn asks(inner: &Inner, elsewhere: &BTreeSet<String>) -> Result<Asks, Error> {
    let others = elsewhere.iter().filter(|dir| dir.starts_with('/') && **dir != inner.directory);
    let own = std::iter::once((None, inner.instance.clone()));
    let others = others
        .take(MAX_DIRECTORIES)
        .map(|dir| (Some(dir.clone()), inner.instance.client().at(dir)));
    let mut read = Asks { permissions: Some(Vec::new()), ..Asks::default() };
    for (directory, instance) in own.chain(others) {
        let permissions = permissions(&instance).await?;
        read.permissions = match (read.permissions.take(), permissions) {
            (Some(mut known), Some(more)) => {
                known.extend(placed(directory.as_ref(), more));
                Some(known)
            }
            _ => None,
        };
        read.questions.extend(placed(directory.as_ref(), instance.questions().await?));
        read.waits.extend(placed(directory.as_ref(), instance.network_waits().await?));
    }
    Ok(read)
}

/// The open permission requests of a directory, or `None` when Kilo cannot list them: while a
/// `webfetch` without a time limit waits there, of whichever session, it answers 400 (7.7.7).
pub(super) async fn permissions(
    instance: &Instance,
) -> Result<Option<Vec<PermissionRequest>>, Error> {
    match instance.permissions().await {
        Ok(listed) => Ok(Some(listed)),
        Err(Error::Refused(error)) => {
            tracing::debug!(%error, "Kilo cannot list what it asks");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn placed<T>(directory: Option<&String>, asks: Vec<T>) -> impl Iterator<Item = Placed<T>> {
    asks.into_iter().map(move |ask| Placed { directory: directory.cloned(), ask })
}

/// The message of the first compaction that a person asked for after this name was made.
pub(super) async fn compaction(
    instance: &Instance,
    session: &SessionId,
    older: &MessageId,
) -> Result<Option<MessageId>, Error> {
    let page = |limit, before: Option<String>| async move {
        instance.messages(session, limit, before.as_deref()).await
    };
    let found = since(Beginning::Compaction(older), page, async || Ok(false)).await?;
    Ok(found.messages.first().map(|m| m.info.id()))
}

/// Says whether a session has a message, however many came after it.
pub(super) async fn is_present(
    instance: &Instance,
    session: &SessionId,
    message: &MessageId,
) -> Result<bool, Error> {
    match instance.message(session, message).await {
        // That it is too large or odd to be read also says that it is there.
        Ok(_) | Err(Error::TooLarge(_) | Error::Decode { .. }) => Ok(true),
        // Kilo says the same of a session that is gone: that one fails here.
        Err(Error::NotFound(_)) => instance.session(session).await.map(|_| false),
        Err(error) => Err(error),
    }
}

/// Reads the messages from the beginning on, as far back as the bounds allow: by their place in the
/// session, for their ids say nothing of it. `present` says whether the session has the beginning
/// at all, for when it is not among the newest.
async fn since<F, R, P, Q>(from: Beginning<'_>, page: F, present: P) -> Result<Since, Error>
where
    F: Fn(u32, Option<String>) -> R,
    R: Future<Output = Result<Page, Error>>,
    P: Fn() -> Q,
    Q: Future<Output = Result<bool, Error>>,
{
    let mut messages: Vec<MessageWithParts> = Vec::new();
    let (mut before, mut limit) = (None, PAGE);
    let (mut known, mut bytes) = (false, 0_usize);
    for _ in 0..MAX_READS {
        match page(limit, before.clone()).await {
            Ok(page) => {
                messages.splice(0..0, page.messages);
                before = page.older;
                bytes = bytes.saturating_add(page.bytes);
                if let Some(at) = from.place_in(&messages, before.is_none()) {
                    messages.drain(..at);
                    return Ok(Since { found: true, messages });
                }
                if before.is_none() {
                    return Ok(Since::default());
                }
                if bytes > MAX_BYTES {
                    break;
                }
            }
            Err(Error::TooLarge(_)) if limit > 1 => {
                limit /= 2;
                continue;
            }
            // What came after the one that cannot be read is known.
            Err(Error::TooLarge(_)) if !messages.is_empty() => break,
            Err(error) => return Err(error),
        }
        match from {
            Beginning::Message(_) if known => {}
            Beginning::Message(_) if present().await? => known = true,
            Beginning::Message(_) => return Ok(Since::default()),
            Beginning::Compaction(_) if messages.first().is_some_and(|m| from.is_after(m)) => {
                return Ok(Since::default());
            }
            Beginning::Compaction(_) => {}
        }
    }
    match from {
        Beginning::Message(_) if known || present().await? => Ok(Since { found: true, messages }),
        Beginning::Message(_) => Ok(Since::default()),
        Beginning::Compaction(_) => match from.place_in(&messages, true) {
            Some(at) => Ok(Since { found: true, messages: messages.split_off(at) }),
            None => Ok(Since::default()),
        },
    }
}

/// Reads the sub-agents begun since then, those of sub-agents after their parents.
async fn children(inner: &Inner, began: Option<u64>) -> Vec<(Session, Vec<MessageWithParts>)> {
    // Its start may have been missed; what it does from now on is for this session.
    let adopt = |child: &SessionId| inner.router.adopt(child, &inner.id);
    sub_agents(&inner.instance, &inner.id, began, adopt).await
}

/// Reads a session's sub-agents begun since then; each is named before it is read.
pub(in super::super) async fn sub_agents(
    instance: &Instance,
    root: &SessionId,
    began: Option<u64>,
    found: impl Fn(&SessionId),
) -> Vec<(Session, Vec<MessageWithParts>)> {
    let of = |id: SessionId| async move {
        let children = instance.children(&id).await;
        children.inspect_err(|error| skipped(&id, error)).unwrap_or_default()
    };
    let (mut read, mut bytes) = (Vec::new(), 0_usize);
    for child in descendants(root.clone(), began, of).await {
        found(&child.id);
        if bytes > MAX_BYTES {
            read.push((child, Vec::new()));
            continue;
        }
        match newest(instance, &child.id).await {
            Ok(page) => {
                bytes = bytes.saturating_add(page.bytes);
                read.push((child, page.messages));
            }
            Err(error) => {
                skipped(&child.id, &error);
                read.push((child, Vec::new()));
            }
        }
    }
    read
}

fn skipped(session: &SessionId, error: &Error) {
    tracing::warn!(%session, %error, "a sub-agent could not be read");
}

/// The sub-agents of a session at any depth, within the bounds.
async fn descendants<F, R>(root: SessionId, began: Option<u64>, children: F) -> Vec<Session>
where
    F: Fn(SessionId) -> R,
    R: Future<Output = Vec<Session>>,
{
    let recent = |child: &Session| began.is_none_or(|b| child.time.created >= as_number(b));
    let mut found: Vec<Session> = Vec::new();
    let mut next = VecDeque::from([(root, 1)]);
    while let Some((parent, depth)) = next.pop_front() {
        let mut sessions = children(parent).await;
        sessions.retain(recent);
        sessions.sort_by(|a, b| b.time.created.total_cmp(&a.time.created));
        for child in sessions {
            if found.len() >= MAX_CHILDREN {
                return found;
            }
            if depth < MAX_DEPTH {
                next.push_back((child.id.clone(), depth + 1));
            }
            found.push(child);
        }
    }
    found
}

async fn newest(instance: &Instance, id: &SessionId) -> Result<Page, Error> {
    let mut limit = PAGE;
    loop {
        match instance.messages(id, limit, None).await {
            Err(Error::TooLarge(_)) if limit > 1 => limit /= 2,
            page => return page,
        }
    }
}

/// The text of a plan file, or nothing when it cannot be read. Kilo confines the path to the
/// session's directory.
pub(super) async fn plan(inner: &Inner, path: &str) -> Option<String> {
    let file = inner.instance.file_content(path).await.ok()?;
    (file.kind == "text" && !file.content.is_empty()).then_some(file.content)
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just before")]
fn whole(number: f64) -> u64 {
    if number.is_finite() && number > 0.0 { number as u64 } else { 0 }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
fn as_number(ms: u64) -> f64 {
    ms as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Messages whose ids wrap in the middle, and go on as those of a clock that was set back.
    fn history(count: u32) -> Vec<MessageWithParts> {
        let number = |n: u32| if n < count / 2 { 0xf000 + n } else { 0x2000 - n };
        let message = |n| json!({ "id": format!("msg_{:04x}", number(n)), "role": "user" });
        (0..count)
            .map(|n| serde_json::from_value(json!({ "info": message(n), "parts": [] })).unwrap())
            .collect()
    }

    /// Pages as Kilo gives them, too large when they have more than `most` messages.
    fn page(all: &[MessageWithParts], most: u32, limit: u32, before: Option<&str>) -> Page {
        assert!(limit <= most);
        let end = before.map_or(all.len(), |before| before.parse().unwrap());
        let start = end.saturating_sub(limit as usize);
        let older = (start > 0).then(|| start.to_string());
        Page { messages: all[start..end].to_vec(), older, bytes: 0 }
    }

    #[tokio::test]
    async fn pages_that_are_too_large_are_read_in_smaller_ones() {
        let all = history(30);
        for most in [1, 7, 50] {
            for at in [4, 20] {
                let from = all[at].info.id();
                let page = async |limit, before: Option<String>| {
                    if limit > most {
                        return Err(Error::TooLarge(9));
                    }
                    Ok(page(&all, most, limit, before.as_deref()))
                };
                let read = since(Beginning::Message(&from), page, async || Ok(true)).await.unwrap();
                assert!(read.found);
                // One at a time they are more than are asked for.
                let first = if most == 1 { at.max(9) } else { at };
                assert_eq!(read.messages, all[first..], "{most}");
            }
        }
    }

    #[tokio::test]
    async fn a_reading_ends_at_its_bytes() {
        let all = history(300);
        let from = all[0].info.id();
        let page = async |limit, before: Option<String>| {
            Ok(Page { bytes: MAX_BYTES / 2 + 1, ..page(&all, 50, limit, before.as_deref()) })
        };
        let read = since(Beginning::Message(&from), page, async || Ok(true)).await.unwrap();
        assert_eq!((read.found, &read.messages[..]), (true, &all[200..]));
    }

    #[tokio::test]
    async fn a_message_that_the_session_lacks_has_nothing_after_it() {
        let all = history(300);
        let from = MessageId::from("msg_0001");
        let page =
            async |limit, before: Option<String>| Ok(page(&all, 50, limit, before.as_deref()));
        let read = since(Beginning::Message(&from), page, async || Ok(false)).await.unwrap();
        assert_eq!((read.found, read.messages.len()), (false, 0));
    }

    #[tokio::test]
    async fn a_compaction_is_the_first_one_after_its_wish_by_time() {
        let at = 1_795_359_906_000_u64;
        let message = |n: u64, auto: Option<bool>| -> MessageWithParts {
            let part =
                |auto| json!({ "id": format!("prt_{n}"), "type": "compaction", "auto": auto });
            // The ids say the opposite of the times.
            let info = json!({ "id": format!("msg_{:012x}", 0xffff - n), "role": "user",
                "time": { "created": at + n } });
            let parts: Vec<_> = auto.map(part).into_iter().collect();
            serde_json::from_value(json!({ "info": info, "parts": parts })).unwrap()
        };
        let all = [
            message(1, Some(false)),
            message(2, None),
            message(5, Some(true)),
            message(6, Some(false)),
            message(7, None),
            message(8, Some(false)),
        ];
        let wish = MessageId::from(format!("msg_{:012x}", ((at + 3) << 12) & ((1 << 48) - 1)));
        for most in [1, 2, 50] {
            let page = async |limit: u32, before: Option<String>| {
                Ok(page(&all, most, limit.min(most), before.as_deref()))
            };
            let read = since(Beginning::Compaction(&wish), page, async || Ok(false)).await.unwrap();
            assert_eq!((read.found, &read.messages[..]), (true, &all[3..]), "{most}");
            let never = MessageId::from(format!("msg_{:012x}", ((at + 9) << 12) & ((1 << 48) - 1)));
            let read = since(Beginning::Compaction(&never), page, async || Ok(false)).await;
            assert!(!read.unwrap().found);
        }
    }

    #[tokio::test]
    async fn sub_agents_are_found_at_any_depth_within_bounds() {
        let session = |id: String, created: f64| -> Session {
            serde_json::from_value(json!({ "id": id, "time": { "created": created } })).unwrap()
        };
        let deep = descendants(SessionId::from("s"), Some(5), async |parent: SessionId| {
            vec![session(format!("{parent}x"), 9.0), session(format!("{parent}old"), 1.0)]
        });
        let ids: Vec<String> = deep.await.iter().map(|s| s.id.as_str().to_owned()).collect();
        assert_eq!(ids, ["sx", "sxx", "sxxx", "sxxxx", "sxxxxx"]);
        let wide = descendants(SessionId::from("s"), None, async |parent: SessionId| {
            (0..30).map(|n| session(format!("{parent}{n}_"), f64::from(n))).collect()
        });
        let wide = wide.await;
        assert_eq!((wide.len(), wide[0].id.as_str()), (MAX_CHILDREN, "s29_"));
    }
}
