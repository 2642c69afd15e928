//! What Kilo itself has of the conversations, compared with what Baton stored.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::{Item, ItemContent, Turn, TurnState};
use kilo_sdk::types::{Message, MessageWithParts, PartBody};
use kilo_sdk::{Instance, Launch, MessageId, SessionId};

use crate::World;
use crate::checks::Whole;

/// What came of the comparison.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) turns: usize,
    pub(crate) texts: usize,
    pub(crate) differing: usize,
    /// Messages that Kilo has twice.
    pub(crate) doubled: usize,
}

/// A text of a turn: whether it is reasoning, and what it says.
type Said = (bool, String);

/// Reads the sessions from a Kilo of its own.
pub(crate) async fn compare(world: &World, threads: &[Whole]) -> Result<Read> {
    let kilo = &world.sandbox.kilo.binary;
    let mut launch = Launch::program(kilo, world.sandbox.home.path());
    for (name, value) in &world.sandbox.env {
        launch = launch.env(name, value);
    }
    launch.timeout = Duration::from_secs(120);
    let server = kilo_sdk::launch(&process::Host::default(), launch).await?;
    let mut read = Read::default();
    for whole in threads {
        let Some(session) = &whole.thread.session else { continue };
        let instance = server.client().at(&whole.thread.workspace);
        let messages = messages(&instance, &SessionId::from(session.as_str())).await;
        let messages = messages.with_context(|| format!("{session} cannot be read"))?;
        thread(world, whole, &messages, &mut read);
    }
    server.stop("everything was read", Duration::from_secs(10)).await;
    Ok(read)
}

async fn messages(instance: &Instance, session: &SessionId) -> Result<Vec<MessageWithParts>> {
    const PAGE: u32 = 50;
    let mut all: Vec<MessageWithParts> = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let page = instance.messages(session, PAGE, before.as_deref()).await?;
        all.splice(0..0, page.messages);
        before = page.older;
        if before.is_none() {
            return Ok(all);
        }
    }
}

fn thread(world: &World, whole: &Whole, messages: &[MessageWithParts], read: &mut Read) {
    let owners = owners(whole, messages);
    let turns = whole.turns.values().filter_map(|turn| Some((turn, turn.prompt_key.as_deref()?)));
    for (turn, key) in turns {
        let own = messages.iter().find(|message| message.info.id().as_str() == key);
        let copies = own.map_or(0, |message| message.parts.iter().filter(|p| is_plain(p)).count());
        if copies > 1 {
            read.doubled += 1;
            world.accounts.blame(format!("{} is {copies} times in Kilo's session", turn.id));
        }
        if turn.state != TurnState::Completed {
            continue;
        }
        read.turns += 1;
        let of_turn = |message: &&MessageWithParts| {
            owners.get(&message.info.id()).is_some_and(|owner| *owner == key)
        };
        let theirs: Vec<Said> = messages.iter().filter(of_turn).flat_map(texts).collect();
        let ours = ours(&whole.items, turn);
        read.texts += theirs.len();
        if own.is_none() || !agree(&theirs, &ours) {
            read.differing += 1;
            world.accounts.blame(format!(
                "{} of {}: Kilo has {:?}, Baton {:?}",
                turn.id,
                whole.thread.id,
                brief(&theirs),
                brief(&ours)
            ));
        }
    }
}

/// The message of a turn that each message belongs to: an answer to what it answers, and what Kilo
/// says for a person, as to go on after a plan, to the message before it.
fn owners<'a>(whole: &'a Whole, messages: &[MessageWithParts]) -> HashMap<MessageId, &'a str> {
    let mut owners: HashMap<MessageId, &str> = HashMap::new();
    let mut last = "";
    for message in messages {
        let id = message.info.id();
        let mut keys = whole.turns.values().filter_map(|turn| turn.prompt_key.as_deref());
        let owner = match &message.info {
            Message::Assistant(answer) => owners.get(&answer.parent_id).copied().unwrap_or(""),
            Message::User(_) | Message::Unknown(_) => {
                last = keys.find(|key| *key == id.as_str()).unwrap_or(last);
                last
            }
        };
        owners.insert(id.clone(), owner);
    }
    owners
}

/// Texts as they are named in a finding: their beginnings and lengths.
fn brief(texts: &[Said]) -> Vec<(bool, String, usize)> {
    let short = |text: &str| text.chars().take(40).collect();
    texts.iter().map(|(reasoning, text)| (*reasoning, short(text), text.len())).collect()
}

fn is_plain(part: &kilo_sdk::types::Part) -> bool {
    matches!(&part.body, PartBody::Text(text) if !text.synthetic)
}

/// The texts of the agent in a message, without what Kilo writes for itself.
fn texts(message: &MessageWithParts) -> Vec<Said> {
    if !matches!(message.info, Message::Assistant(_)) {
        return Vec::new();
    }
    let said = |part: &kilo_sdk::types::Part| {
        let (reasoning, text) = match &part.body {
            PartBody::Text(text) => (false, text),
            PartBody::Reasoning(text) => (true, text),
            _ => return None,
        };
        let hidden = text.synthetic || text.transient() || text.text.is_empty();
        (!hidden).then(|| (reasoning, text.text.clone()))
    };
    message.parts.iter().filter_map(said).collect()
}

fn ours(items: &[Item], turn: &Turn) -> Vec<Said> {
    let of_turn = items.iter().filter(|item| item.turn_id == turn.id && item.parent.is_none());
    of_turn
        .filter_map(|item| match item.content {
            ItemContent::AgentMessage => Some((false, item.body.head.clone())),
            ItemContent::Reasoning => Some((true, item.body.head.clone())),
            _ => None,
        })
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

/// The same texts; those of one message may be told in another order than Kilo stores them.
fn agree(theirs: &[Said], ours: &[Said]) -> bool {
    let sorted = |texts: &[Said]| {
        let mut texts = texts.to_vec();
        texts.sort();
        texts
    };
    sorted(theirs) == sorted(ours)
}
