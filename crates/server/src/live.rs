//! The live socket: topics followed, changes coalesced, slow and dead clients let go.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use domain::{Change, ShellChange, ShellSnapshot, ThreadId, Window};
use engine::{EngineError, Feed, FeedItem};
use futures_util::future::{BoxFuture, FutureExt as _, select_all};
use protocol::{ClientMessage, Cursor, ProblemCode, ServerMessage, Topic};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::guard::Caller;
use crate::problem::Failure;
use crate::state::App;

/// The most topics one socket follows.
const MAX_TOPICS: usize = 64;
/// The most sockets at once; one more is refused. A connection that became a socket no longer counts
/// among the connections.
pub(crate) const MAX_SOCKETS: usize = 256;
/// The longest message of a client, in bytes.
const MAX_CLIENT_MESSAGE: usize = 16 * 1024;
/// The time asked for between two flushes. The runtime's timer counts whole milliseconds and is late
/// by one on average, so that flushes come every 16 ms: one frame of a display.
const FRAME: Duration = Duration::from_millis(15);
/// How long a client may take to read one message; one that takes longer is let go.
const WRITE_TIME: Duration = Duration::from_secs(20);
/// How often a client is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_secs(20);
/// After this long without one it is let go.
const SILENCE: Duration = Duration::from_secs(50);
/// How long a topic may take until it can be followed; after this the client is told, and may ask
/// again. A thread does not answer while its agent goes back to a message.
const FOLLOW_TIME: Duration = Duration::from_secs(5);
/// How often one topic is taken from in one flush: its verdict, and what came after it.
const TAKES: usize = 2;

/// The live socket, whose messages are `ClientMessage` and `ServerMessage`.
#[utoipa::path(get, path = "/api/live", tag = "live", responses(
    (status = 101, description = "A WebSocket: the client sends ClientMessage, the server ServerMessage, each as one JSON text message.")
))]
pub(crate) async fn live(
    State(app): State<App>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let upgrade = upgrade.map_err(|rejection| {
        Failure::new(ProblemCode::BadRequest, "This address serves WebSockets only.")
            .detail(rejection.body_text())
    })?;
    let place = Arc::clone(&app.sockets).try_acquire_owned().map_err(|_| {
        Failure::busy(format!(
            "There are {MAX_SOCKETS} live sockets already, the most there can be."
        ))
        .detail("Close pages of Baton that are not needed, then try again.")
    })?;
    let tasks = app.tasks.clone();
    Ok(upgrade.max_message_size(MAX_CLIENT_MESSAGE).max_frame_size(MAX_CLIENT_MESSAGE).on_upgrade(
        move |socket| {
            tasks.track_future(async move {
                serve(socket, app, caller).await;
                drop(place);
            })
        },
    ))
}

/// A topic that is followed.
enum Followed {
    Shell(Feed<ShellSnapshot, ShellChange>),
    Thread(ThreadId, Feed<Window, Change>),
}

impl Followed {
    fn topic(&self) -> Topic {
        match self {
            Self::Shell(_) => Topic::Shell,
            Self::Thread(id, _) => Topic::Thread { id: id.clone() },
        }
    }

    async fn ready(&self) {
        match self {
            Self::Shell(feed) => feed.ready().await,
            Self::Thread(_, feed) => feed.ready().await,
        }
    }

    /// Takes what waits, as the message that tells it.
    async fn take(&mut self, epoch: &str) -> Result<Option<ServerMessage>, EngineError> {
        let cursor = |seq| Cursor { epoch: epoch.to_owned(), seq };
        let topic = self.topic();
        let message = match self {
            Self::Shell(feed) => match feed.take().await? {
                None => return Ok(None),
                Some(FeedItem::Ok { seq }) => ServerMessage::Ok { topic, cursor: cursor(seq) },
                Some(FeedItem::Gap { seq, snapshot }) => {
                    ServerMessage::ShellGap { cursor: cursor(seq), snapshot }
                }
                Some(FeedItem::Changes { seq, changes }) => {
                    ServerMessage::ShellChanges { cursor: cursor(seq), changes }
                }
                Some(FeedItem::Gone) => return Err(EngineError::ShuttingDown),
            },
            Self::Thread(id, feed) => match feed.take().await? {
                None => return Ok(None),
                Some(FeedItem::Ok { seq }) => ServerMessage::Ok { topic, cursor: cursor(seq) },
                Some(FeedItem::Gap { seq, snapshot }) => {
                    let (id, snapshot) = (id.clone(), Box::new(snapshot));
                    ServerMessage::ThreadGap { id, cursor: cursor(seq), snapshot }
                }
                Some(FeedItem::Changes { seq, changes }) => {
                    ServerMessage::ThreadChanges { id: id.clone(), cursor: cursor(seq), changes }
                }
                Some(FeedItem::Gone) => return Err(EngineError::UnknownThread),
            },
        };
        Ok(Some(message))
    }
}

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client is gone, or does not read.
    Lost,
    /// The server ends.
    ServerEnds,
    /// The device was revoked.
    Revoked,
}

async fn serve(socket: WebSocket, app: App, caller: Caller) {
    let (topics, awaited) = (HashMap::new(), HashMap::new());
    let mut client = Client { socket, app, caller, topics, awaited };
    let Err(end) = client.run().await;
    let (code, reason) = match end {
        End::Lost => (close_code::NORMAL, ""),
        End::ServerEnds => (close_code::AWAY, "the server ends"),
        End::Revoked => (close_code::POLICY, "this device is no longer paired"),
    };
    if end != End::Lost {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        let closing = client.socket.send(Message::Close(Some(frame)));
        // Whether it arrives or not, the socket is dropped.
        let _ = timeout(Duration::from_secs(1), closing).await;
    }
}

/// What a topic comes to that the engine had to be asked for, with what is to be told of it.
type Answer = Result<(Followed, Option<ServerMessage>), Failure>;

struct Client {
    socket: WebSocket,
    app: App,
    caller: Caller,
    topics: HashMap<Topic, Followed>,
    /// The topics that wait for the engine, which none of the others waits for.
    awaited: HashMap<Topic, BoxFuture<'static, Answer>>,
}

impl Client {
    async fn run(&mut self) -> Result<std::convert::Infallible, End> {
        let ending = self.app.ending.clone();
        let mut revocations = self.app.devices.revocations();
        let mut beat = interval(PING_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let mut next_flush = Instant::now();
        self.say(&ServerMessage::Welcome {
            version: self.app.config.version.clone(),
            epoch: self.app.engine.epoch().to_owned(),
        })
        .await?;
        loop {
            tokio::select! {
                () = ending.cancelled() => return Err(End::ServerEnds),
                Ok(()) = revocations.changed() => self.check_caller()?,
                _ = beat.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(End::Lost);
                    }
                    self.send(Message::Ping(axum::body::Bytes::new())).await?;
                }
                message = self.socket.recv() => {
                    let Some(Ok(message)) = message else { return Err(End::Lost) };
                    heard = Instant::now();
                    if let Caller::Device(id) = &self.caller {
                        self.app.devices.used(id);
                    }
                    self.hear(message).await?;
                }
                (topic, answer) = first(&mut self.awaited) => {
                    self.awaited.remove(&topic);
                    self.settle(topic, answer).await?;
                }
                // Waiting for the frame's end first gives everything that comes meanwhile a place
                // in the same flush.
                () = ready_after(&self.topics, next_flush) => {
                    self.flush().await?;
                    next_flush = Instant::now() + FRAME;
                }
            }
        }
    }

    fn check_caller(&self) -> Result<(), End> {
        match &self.caller {
            Caller::Device(id) if !self.app.devices.holds(id) => Err(End::Revoked),
            Caller::Device(_) | Caller::Token => Ok(()),
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        let refusal = match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(message) => return self.obey(message).await,
                Err(error) => error.to_string(),
            },
            Message::Binary(_) => "binary messages are not understood".to_owned(),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Close(_) => return Err(End::Lost),
        };
        let failure = Failure::new(ProblemCode::BadRequest, "The message cannot be read.");
        self.refuse(failure.detail(refusal)).await
    }

    async fn obey(&mut self, message: ClientMessage) -> Result<(), End> {
        match message {
            ClientMessage::Ping => self.say(&ServerMessage::Pong).await,
            ClientMessage::Unsubscribe { topic } => {
                self.topics.remove(&topic);
                self.awaited.remove(&topic);
                Ok(())
            }
            ClientMessage::Subscribe { topic, cursor } => {
                self.topics.remove(&topic);
                self.awaited.remove(&topic);
                if self.topics.len() + self.awaited.len() >= MAX_TOPICS {
                    let title = format!("A socket follows at most {MAX_TOPICS} topics.");
                    return self.refuse(Failure::new(ProblemCode::TooMany, title)).await;
                }
                let following = follow(self.app.clone(), topic.clone(), cursor);
                self.awaited.insert(topic, following.boxed());
                Ok(())
            }
        }
    }

    /// Goes on with a topic that the engine has answered for.
    async fn settle(&mut self, topic: Topic, answer: Answer) -> Result<(), End> {
        match answer {
            Ok((followed, message)) => {
                self.topics.insert(topic, followed);
                match message {
                    Some(message) => self.say(&message).await,
                    None => Ok(()),
                }
            }
            Err(failure) => {
                let problem = failure.into_problem();
                self.say(&ServerMessage::Gone { topic, problem }).await
            }
        }
    }

    /// Tells everything that waits. Each message is written before the next is taken, so that a
    /// client that does not read costs the memory of one.
    async fn flush(&mut self) -> Result<(), End> {
        let waiting = |(topic, followed): (&Topic, &Followed)| {
            followed.ready().now_or_never().map(|()| topic.clone())
        };
        let topics: Vec<Topic> = self.topics.iter().filter_map(waiting).collect();
        for topic in topics {
            for _ in 0..TAKES {
                let Some(followed) = self.topics.remove(&topic) else { break };
                if followed.ready().now_or_never().is_none() {
                    self.topics.insert(topic.clone(), followed);
                    break;
                }
                let mut taking = take(followed, self.app.engine.epoch().to_owned()).boxed();
                match (&mut taking).now_or_never() {
                    Some(answer) => self.settle(topic.clone(), answer).await?,
                    // A snapshot is read, which may take a while.
                    None => {
                        self.awaited.insert(topic.clone(), taking);
                    }
                }
            }
        }
        Ok(())
    }

    async fn refuse(&mut self, failure: Failure) -> Result<(), End> {
        self.say(&ServerMessage::Refused { problem: failure.into_problem() }).await
    }

    async fn say(&mut self, message: &ServerMessage) -> Result<(), End> {
        match serde_json::to_string(message) {
            Ok(text) => self.send(Message::Text(text.into())).await,
            Err(error) => {
                // Only a type of ours that cannot be written could bring this about.
                tracing::error!(%error, "a message could not be written");
                Err(End::Lost)
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(WRITE_TIME, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Lost),
        }
    }
}

/// Begins to follow a topic; a cursor of another run begins afresh.
async fn follow(app: App, topic: Topic, cursor: Option<Cursor>) -> Answer {
    let engine = &app.engine;
    let cursor = cursor.filter(|cursor| cursor.epoch == engine.epoch()).map(|c| c.seq);
    let following = async {
        Ok::<_, EngineError>(match &topic {
            Topic::Shell => Followed::Shell(engine.follow_shell(cursor).await?),
            Topic::Thread { id } => {
                Followed::Thread(id.clone(), engine.follow_thread(id, cursor).await?)
            }
        })
    };
    match timeout(FOLLOW_TIME, following).await {
        Ok(followed) => Ok((followed?, None)),
        Err(_) => Err(Failure::busy("The thread does not answer at the moment.")),
    }
}

/// Takes what waits of a topic.
async fn take(mut followed: Followed, epoch: String) -> Answer {
    let message = followed.take(&epoch).await?;
    Ok((followed, message))
}

/// The first topic that the engine answers for.
async fn first(awaited: &mut HashMap<Topic, BoxFuture<'static, Answer>>) -> (Topic, Answer) {
    if awaited.is_empty() {
        return std::future::pending().await;
    }
    let all = awaited
        .iter_mut()
        .map(|(topic, answer)| answer.as_mut().map(move |answer| (topic.clone(), answer)));
    select_all(all).await.0
}

/// Waits until a topic has something to tell, and not before `moment`.
async fn ready_after(topics: &HashMap<Topic, Followed>, moment: Instant) {
    if topics.is_empty() {
        return std::future::pending().await;
    }
    select_all(topics.values().map(|followed| Box::pin(followed.ready()))).await;
    sleep_until(moment).await;
}
