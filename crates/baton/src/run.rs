//! `baton run`.

use std::collections::HashSet;
use std::io::Read as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use domain::{
    Delivery, ModelSelection, Phase, Project, ProviderId, ProviderState, Request, RequestBody,
    RequestId, Thread, ThreadId, Turn, TurnId, TurnState,
};
use protocol::{
    AddProject, CreateThread, Cursor, ProblemCode, ProviderList, SendMessage, ServerMessage,
    TextWhole, Topic,
};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use crate::cli::Run;
use crate::client::{Live, Refused};
use crate::link::Link;
use crate::models::{looked_at, model_list};
use crate::printer::{News, Printer, waits};
use crate::signals::Signals;

/// How long a stopped turn may take to end.
const STOP_TIME: Duration = Duration::from_secs(5);
/// How long a running server that was lost is looked for.
const LOST_TIME: Duration = Duration::from_secs(30);
/// The longest message that is read from standard input, in bytes.
const MAX_PROMPT: u64 = 4 * 1024 * 1024;

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const NEEDS_ANSWER: u8 = 3;
const INTERRUPTED: u8 = 130;

/// Sends one message and prints what the agent answers.
pub(crate) async fn run(options: Run) -> Result<ExitCode> {
    let mut signals = Signals::new().context("signals cannot be received")?;
    let prompt = match prompt(&options.prompt) {
        Ok(prompt) => prompt,
        Err(error) => return Ok(usage(&error)),
    };
    let mut link = Link::open(&options.data, "run").await?;
    let done = converse(&mut link, &options, prompt, &mut signals).await;
    // A second signal does not wait for the agent's polite end; what runs is killed as the
    // runtime shuts down.
    tokio::select! {
        () = link.close() => {}
        () = signals.next() => return Ok(ExitCode::from(INTERRUPTED)),
    }
    match done {
        Ok(code) => Ok(ExitCode::from(code)),
        Err(error) if is_usage(&error) => Ok(usage(&error)),
        Err(error) => Err(error),
    }
}

fn usage(error: &anyhow::Error) -> ExitCode {
    eprintln!("baton: {error:#}");
    ExitCode::from(USAGE)
}

/// Whether the arguments are at fault.
fn is_usage(error: &anyhow::Error) -> bool {
    let Some(Refused(problem)) = error.downcast_ref() else { return false };
    matches!(
        problem.code,
        ProblemCode::BadRequest
            | ProblemCode::UnknownThread
            | ProblemCode::UnknownProvider
            | ProblemCode::UnknownModel
            | ProblemCode::NoModel
            | ProblemCode::NotADirectory
            | ProblemCode::EmptyMessage
            | ProblemCode::MessageTooLong
            | ProblemCode::ThreadArchived
    )
}

fn prompt(given: &str) -> Result<String> {
    let mut text = given.to_owned();
    if given == "-" {
        text.clear();
        let read = std::io::stdin().take(MAX_PROMPT + 1).read_to_string(&mut text);
        read.context("the message cannot be read from standard input")?;
        if text.len() as u64 > MAX_PROMPT {
            bail!("the message on standard input is longer than {MAX_PROMPT} bytes");
        }
    }
    if text.trim().is_empty() {
        bail!("the message is empty");
    }
    Ok(text)
}

/// Sends the message and follows its turn to the end; gives the exit code.
async fn converse(
    link: &mut Link,
    options: &Run,
    prompt: String,
    signals: &mut Signals,
) -> Result<u8> {
    let thread = tokio::select! {
        thread = thread(link, options) => thread?,
        () = signals.next() => return Ok(INTERRUPTED),
    };
    let turn = TurnId::from_uuid(Uuid::now_v7());
    let topic = Topic::Thread { id: thread.id.clone() };
    // Followed before it is sent, so that nothing of the turn happens unseen.
    let live = link.client.follow(topic.clone(), None).await?;
    let message = SendMessage {
        id: turn.clone(),
        text: prompt,
        attachments: Vec::new(),
        delivery: Delivery::Queue,
        model: options.model.as_deref().map(selection),
        access: options.access.map(Into::into),
        mode: options.mode.map(Into::into),
    };
    let path = format!("/api/threads/{}/turns", thread.id);
    link.client.post::<Turn>(&path, &message).await?;
    let printer = Printer::new(turn, options.json);
    let mut following = Following {
        may_wait: !link.is_own() && !options.no_wait,
        link,
        thread,
        topic,
        live,
        cursor: None,
        printer,
        told: HashSet::new(),
        stopping: None,
        last: None,
        said: None,
    };
    following.until_over(signals).await
}

/// The thread to continue, or a new one.
async fn thread(link: &Link, options: &Run) -> Result<Thread> {
    if let Some(id) = &options.thread {
        let id = ThreadId::parse(id).map_err(|error| anyhow!(Refused(bad_id(&error))))?;
        return link.client.get(&format!("/api/threads/{id}")).await;
    }
    let provider =
        ProviderId::parse(&options.provider).map_err(|error| anyhow!(Refused(bad_id(&error))))?;
    let model = options.model.as_deref().map(selection);
    let model = ready_model(link, &provider, model).await?;
    let dir = options.dir.clone().map_or_else(std::env::current_dir, Ok);
    let dir = dir.and_then(std::path::absolute).context("this directory cannot be found")?;
    let path = dir.to_str().context("the directory's name is not UTF-8")?.to_owned();
    let project: Project =
        link.client.post("/api/projects", &AddProject { path, name: None, broad: false }).await?;
    if project.asks_trust() {
        eprintln!(
            "baton: this project's own agent configuration would start programs or loosen rules, \
             and is left unread until you decide on it in Baton's page"
        );
    }
    let new = CreateThread {
        id: ThreadId::from_uuid(Uuid::now_v7()),
        project_id: project.id,
        provider,
        model: Some(model),
        access: options.access.map(Into::into).unwrap_or_default(),
        mode: options.mode.map(Into::into).unwrap_or_default(),
        title: None,
    };
    link.client.post("/api/threads", &new).await
}

/// Makes sure that the provider can be used, and chooses a model if none is chosen.
async fn ready_model(
    link: &Link,
    provider: &ProviderId,
    chosen: Option<ModelSelection>,
) -> Result<ModelSelection> {
    let list: ProviderList = link.client.get("/api/providers").await?;
    let status = list.providers.into_iter().find(|status| status.id == *provider);
    let Some(status) = status else {
        let problem = unknown_provider(provider);
        return Err(anyhow!(Refused(problem)));
    };
    let status = looked_at(link, status).await?;
    if status.state != ProviderState::Ready {
        let fix = status.fix.map_or(String::new(), |fix| format!("; run `{fix}`"));
        bail!("{} cannot be used: {}{fix}", status.name, status.message.trim_end_matches('.'));
    }
    if let Some(chosen) = chosen {
        return Ok(chosen);
    }
    let models = model_list(&link.client, provider).await?.models;
    let model = models.iter().find(|model| model.default).or(models.first());
    let model = model.with_context(|| format!("{} offers no model", status.name))?;
    Ok(selection(&model.id))
}

fn selection(model: &str) -> ModelSelection {
    ModelSelection { model: model.to_owned(), option: None }
}

fn bad_id(error: &domain::IdError) -> protocol::Problem {
    let code = ProblemCode::BadRequest;
    protocol::Problem { status: 400, code, title: error.to_string(), detail: None, stands: None }
}

fn unknown_provider(id: &ProviderId) -> protocol::Problem {
    let title = format!("There is no provider `{id}`.");
    protocol::Problem {
        status: 404,
        code: ProblemCode::UnknownProvider,
        title,
        detail: None,
        stands: None,
    }
}

/// A turn that is followed to its end.
struct Following<'a> {
    link: &'a mut Link,
    /// Whether somebody else may answer what the agent asks.
    may_wait: bool,
    thread: Thread,
    topic: Topic,
    live: Live,
    cursor: Option<Cursor>,
    printer: Printer,
    /// Requests that were told of.
    told: HashSet<RequestId>,
    /// Why the turn is being stopped, and until when that is waited for.
    stopping: Option<(Stopping, Instant)>,
    /// The turn as it was last seen.
    last: Option<Turn>,
    /// What was last said of what the turn waits for.
    said: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopping {
    Signal,
    NeedsAnswer,
}

impl Following<'_> {
    async fn until_over(&mut self, signals: &mut Signals) -> Result<u8> {
        loop {
            let deadline = self.stopping.map(|(_, deadline)| deadline);
            tokio::select! {
                message = self.live.next() => match message {
                    Some(message) => self.hear(message).await?,
                    None => self.reconnect().await?,
                },
                () = signals.next() => {
                    if self.stopping.is_some() {
                        return self.end(TurnState::Interrupted);
                    }
                    self.stop(Stopping::Signal).await?;
                }
                () = until(deadline) => return self.end(TurnState::Interrupted),
            }
            if let Some(turn) = self.last.as_ref().filter(|turn| turn.state.is_terminal()) {
                return self.end(turn.state);
            }
        }
    }

    async fn hear(&mut self, message: ServerMessage) -> Result<()> {
        let news = match message {
            ServerMessage::ThreadGap { cursor, snapshot, .. } => {
                self.cursor = Some(cursor);
                self.printer.snapshot(*snapshot)
            }
            ServerMessage::ThreadChanges { cursor, changes, .. } => {
                self.cursor = Some(cursor);
                self.printer.changes(changes)
            }
            ServerMessage::Gone { problem, .. } | ServerMessage::Refused { problem } => {
                return Err(Refused(problem).into());
            }
            ServerMessage::Welcome { .. }
            | ServerMessage::Ok { .. }
            | ServerMessage::ShellGap { .. }
            | ServerMessage::ShellChanges { .. }
            | ServerMessage::Pong => return Ok(()),
        };
        self.take(news.context("standard output is closed")?).await
    }

    async fn take(&mut self, news: News) -> Result<()> {
        for item in news.missing {
            let path = format!("/api/threads/{}/items/{item}/body", self.thread.id);
            let whole: TextWhole = self.link.client.get(&path).await?;
            self.printer.whole(&item, &whole.text).context("standard output is closed")?;
        }
        for request in news.requests.iter().filter(|request| waits(request)) {
            if !self.told.insert(request.id.clone()) {
                continue;
            }
            let asked = describe(request);
            self.printer.end_line().context("standard output is closed")?;
            if self.may_wait {
                let (url, thread) = (self.link.client.url(), &self.thread.id);
                eprintln!("baton: {asked} Answer it at {url}/#/t/{thread}");
            } else if self.stopping.is_none() {
                eprintln!("baton: {asked} Nobody can answer it here, so the turn is stopped.");
                self.stop(Stopping::NeedsAnswer).await?;
            }
        }
        if let Some(turn) = news.turn {
            self.say(turn.phase.as_ref());
            self.last = Some(turn);
        }
        Ok(())
    }

    /// Says on standard error what is waited for, once for each.
    fn say(&mut self, phase: Option<&Phase>) {
        let words = phase.and_then(waiting);
        if let Some(words) = words.filter(|_| words != self.said) {
            eprintln!("baton: {words}");
        }
        self.said = words;
    }

    async fn stop(&mut self, why: Stopping) -> Result<()> {
        self.stopping = Some((why, Instant::now() + STOP_TIME));
        self.link.client.poke(&format!("/api/threads/{}/stop", self.thread.id)).await
    }

    /// Finds a server that was lost; a turn goes on without anyone who follows it.
    async fn reconnect(&mut self) -> Result<()> {
        let give_up = Instant::now() + LOST_TIME;
        while Instant::now() < give_up {
            if self.link.is_own() || self.link.find_again().await {
                let live = self.link.client.follow(self.topic.clone(), self.cursor.clone()).await;
                if let Ok(live) = live {
                    self.live = live;
                    return Ok(());
                }
            }
            sleep(Duration::from_millis(500)).await;
        }
        bail!(
            "the server is gone, and with it what became of the turn; see thread {} when it runs \
             again",
            self.thread.id
        )
    }

    /// Prints how it ended; gives the exit code.
    fn end(&mut self, state: TurnState) -> Result<u8> {
        let needs_answer = matches!(self.stopping, Some((Stopping::NeedsAnswer, _)));
        let (word, code) = match state {
            TurnState::Completed => ("completed", 0),
            TurnState::Failed => ("failed", FAILED),
            TurnState::Interrupted
            | TurnState::Queued
            | TurnState::Preparing
            | TurnState::Running => {
                ("interrupted", if needs_answer { NEEDS_ANSWER } else { INTERRUPTED })
            }
        };
        let why = (code == NEEDS_ANSWER).then_some("needs_answer");
        self.printer
            .end(word, &self.thread, self.last.as_ref(), why)
            .context("standard output is closed")?;
        if let Some(error) = self.last.as_ref().and_then(|turn| turn.error.as_ref()) {
            let hint = error.hint.as_ref().map_or(String::new(), |hint| format!(" {hint}"));
            eprintln!("baton: the turn failed: {}{hint}", error.message);
        }
        Ok(code)
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// What a turn waits for, when it may take long.
fn waiting(phase: &Phase) -> Option<&'static str> {
    match phase {
        Phase::StartingAgent => Some("starting the agent…"),
        Phase::Retrying { .. } => {
            Some("the model's provider refused for now; waiting to try again…")
        }
        Phase::WaitingForNetwork { .. } => Some("the model's provider cannot be reached; waiting…"),
        Phase::Silent { .. } => Some("the model has said nothing for a while; still waiting…"),
        Phase::Compacting => Some("the agent shortens its context…"),
        Phase::Reconnecting => Some("the link to the agent broke; mending it…"),
        Phase::OpeningSession | Phase::Sending | Phase::Steering => None,
    }
}

/// What is asked, in a sentence.
fn describe(request: &Request) -> String {
    match &request.body {
        RequestBody::Approval(approval) => {
            let what = approval.command.as_ref().or(approval.path.as_ref());
            let what = what.map_or(String::new(), |what| format!(" ({what})"));
            format!("the agent asks to be allowed: {}{what}.", approval.title)
        }
        RequestBody::Question { questions } => {
            let texts: Vec<&str> =
                questions.iter().map(|question| question.text.as_str()).collect();
            format!("the agent asks: {}", texts.join(" / "))
        }
        RequestBody::Plan { .. } => "the agent has a plan that waits to be accepted.".to_owned(),
    }
}
