//! The page in a real browser: how soon a thread can be read, how quickly a keystroke shows, how
//! even frames are while agents speak, and what the page holds on to.
//!
//! Engine, store and server are in this process with an agent on strings, so that what comes in is
//! known; the web app is built and served as the program serves it.

mod browser;
mod site;
mod text;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bench::history;
use bench::machine;
use clap::ValueEnum;
use domain::{ModelSelection, Project, ProjectId, ProviderId, ThreadId};
use store::Store;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use self::browser::{Ask, Browser, Frames, Heap, Typed, Visit};
use self::text::{Shape, Text};
use crate::puppet::{self, Speech};
use crate::report::{Budget, Row};
use crate::rig::{Served, Stage};
use crate::stats::{self, Samples};

/// Threads that lie about besides those that are looked at.
const THREADS: u64 = 1_000;
/// Items of the long thread.
const LONG: u64 = 10_000;
/// Items of the ordinary one.
const ORDINARY: u64 = 24;
/// Visits of each kind, the first one left out.
const VISITS: usize = 9;
/// Threads that stream while somebody types in another one.
const OTHERS: usize = 5;
/// Deltas a second in each of those.
const OTHER_RATE: u32 = 50;
/// Deltas a second in the thread on screen.
const RATE: u32 = 200;
/// Bytes of a delta.
const PIECE: usize = 24;
const KEYS: u32 = 300;
const KEY_EVERY_MS: u32 = 60;
/// How long frames are looked at while ordinary text comes, and while an endless block does.
const FRAMES: Duration = Duration::from_secs(20);
const ENDLESS: Duration = Duration::from_secs(10);
/// A frame that took longer is seen.
const LONG_FRAME_MS: f64 = 50.0;
const SWITCHES: usize = 20;
/// Deltas of an item, and items of a turn, while the heap is watched.
const ITEM: u32 = 8;
const TURN: u32 = 25;
/// How long it streams before the heap is watched: until old items were let go of once.
const WARM_UP: Duration = Duration::from_secs(75);
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A part of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// From an address to a thread's words
    Readable,
    /// From a keystroke to its letter
    Typing,
    /// From a click in the sidebar to the other thread
    Switching,
    /// Frames while text comes
    Frames,
    /// What the page holds on to
    Heap,
}

/// What can be chosen.
pub(crate) struct Choice<'a> {
    /// What is measured.
    pub(crate) parts: &'a [Part],
    /// How long the heap is watched.
    pub(crate) minutes: u64,
    /// A built web app.
    pub(crate) site: Option<&'a Path>,
    /// Where traces of what the browser does are written.
    pub(crate) traces: Option<&'a Path>,
}

/// Measures all of it, or says in its rows why it cannot be measured here.
pub(crate) async fn page(choice: Choice<'_>) -> Result<Vec<Row>> {
    let chromium = match browser::find() {
        Ok(chromium) => chromium,
        Err(why) => return Ok(skipped(&why)),
    };
    let built = machine::root().join("target/bench/page");
    if choice.site.is_none() {
        site::build(&built).await?;
    }
    let assets = site::read(choice.site.unwrap_or(&built))?;
    let data = tempfile::tempdir()?;
    let threads = seed(data.path()).await?;
    let served = Stage::start(data.path()).await?.serve_page(data.path(), assets).await?;
    let browser = Browser::start(&chromium, &served.door).await?;
    let mut look = Look { browser, served, threads, choice };
    let rows = look.all().await;
    let Look { browser, served, .. } = look;
    browser.stop().await;
    served.stop().await?;
    rows
}

/// The rows of a machine without a browser.
fn skipped(why: &str) -> Vec<Row> {
    let what = [
        "first thread readable",
        "keystroke to paint",
        "longest frame while streaming",
        "change to another thread",
        "growth of the page's heap",
    ];
    what.map(|what| Row::skipped(what, why)).into()
}

/// The threads that are looked at.
struct Threads {
    ordinary: ThreadId,
    long: ThreadId,
}

async fn seed(data: &Path) -> Result<Threads> {
    let store = Store::open(data)?;
    history::seed(&store, THREADS).await?;
    let project = Project {
        id: ProjectId::from_uuid(Uuid::now_v7()),
        name: "page".to_owned(),
        path: data.to_string_lossy().into_owned(),
        ..history::project()
    };
    store.add_project(&project).await?;
    let model = || Some(ModelSelection { model: puppet::MODEL.to_owned(), option: None });
    let provider = || ProviderId::known(puppet::ID);
    let ordinary = history::seed_for(&store, &project, provider(), model(), ORDINARY).await?;
    let long = history::seed_for(&store, &project, provider(), model(), LONG).await?;
    store.close().await?;
    Ok(Threads { ordinary, long })
}

/// A browser in front of a server with a past.
struct Look<'a> {
    browser: Browser,
    served: Served,
    threads: Threads,
    choice: Choice<'a>,
}

impl Look<'_> {
    async fn all(&mut self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for part in Part::value_variants().iter().filter(|part| self.choice.parts.contains(part)) {
            rows.extend(match part {
                Part::Readable => self.readable().await?,
                Part::Typing => self.typing().await?,
                Part::Switching => self.switching().await?,
                Part::Frames => self.frames().await?,
                Part::Heap => self.heap().await?,
            });
        }
        Ok(rows)
    }

    /// From an address to words on the screen.
    async fn readable(&mut self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let threads = [
            (self.threads.ordinary.clone(), format!("{ORDINARY} items")),
            (self.threads.long.clone(), "10,000 items".to_owned()),
        ];
        for (thread, items) in threads {
            for (fresh, visit) in [(true, "first visit"), (false, "next visit")] {
                let (mut readable, mut styled) = (Samples::default(), Samples::default());
                for run in 0..=VISITS {
                    let seen: Visit =
                        self.browser.ask(Ask::Visit { thread: &thread, fresh }).await?;
                    if run > 0 {
                        readable.push(seen.readable);
                        styled.push(seen.styled);
                    }
                }
                let what = format!("first thread readable, {items}, {visit}");
                let row = Row::new(what, readable.median(), "ms").budget(Budget::AtMost(300.0));
                let styled = styled.median();
                rows.push(row.detail(format!("as markdown {styled:.0} ms; {}", readable.spread())));
            }
        }
        Ok(rows)
    }

    /// A person who types while five threads that were open before go on.
    async fn typing(&mut self) -> Result<Vec<Row>> {
        let speeches = self.served.stage.speeches(OTHERS).await?;
        let others: Vec<ThreadId> = speeches.iter().map(|speech| speech.thread.clone()).collect();
        let long = self.threads.long.clone();
        self.browser.ask::<()>(Ask::Open { thread: &long }).await?;
        for thread in others.iter().chain([&long]) {
            self.browser.ask::<()>(Ask::Go { thread }).await?;
        }
        let streams: Vec<Stream> = speeches
            .into_iter()
            .map(|speech| Stream::begin(speech, Shape::Mixed, OTHER_RATE))
            .collect();
        self.trace().await?;
        let typed: Typed =
            self.browser.ask(Ask::Type { keys: KEYS, every_ms: KEY_EVERY_MS }).await?;
        self.traced("typing").await?;
        for stream in streams {
            stream.end().await?.end().await?;
        }
        let mut times = Samples::default();
        typed.times.into_iter().for_each(|ms| times.push(ms));
        let presented = typed.presented.map_or_else(
            || "the browser reports none of 16 ms or more".to_owned(),
            |ms| format!("the longest as the browser reports it {ms:.0} ms"),
        );
        let what = "keystroke to paint, 10,000 items, five others stream";
        Ok(vec![
            Row::new(format!("{what}, p50"), times.share(0.5), "ms")
                .detail(format!("p95 {:.1} ms, {KEYS} keys", times.share(0.95)))
                .budget(Budget::AtMost(50.0)),
            Row::new(format!("{what}, longest"), times.share(1.0), "ms")
                .detail(presented)
                .budget(Budget::AtMost(50.0)),
        ])
    }

    /// Frames while an agent speaks in the thread on screen: ordinary text in the long thread, and
    /// in new ones a block that never ends.
    async fn frames(&mut self) -> Result<Vec<Row>> {
        let long = self.threads.long.clone();
        let speech = self.served.stage.speech(&long).await?;
        let mut rows = vec![self.frames_of(speech, Shape::Mixed, FRAMES).await?];
        let speeches = self.served.stage.speeches(Shape::ENDLESS.len()).await?;
        for (speech, shape) in speeches.into_iter().zip(Shape::ENDLESS) {
            rows.push(self.frames_of(speech, shape, ENDLESS).await?);
        }
        Ok(rows)
    }

    async fn frames_of(&mut self, speech: Speech, shape: Shape, time: Duration) -> Result<Row> {
        self.browser.ask::<()>(Ask::Open { thread: &speech.thread }).await?;
        let stream = Stream::begin(speech, shape, RATE);
        self.browser.ask::<()>(Ask::Watch).await?;
        self.trace().await?;
        tokio::time::sleep(time).await;
        let Frames { gaps, long, text } = self.browser.ask(Ask::Frames).await?;
        self.traced(shape.name()).await?;
        stream.end().await?.end().await?;
        let mut times = Samples::default();
        gaps.iter().for_each(|ms| times.push(*ms));
        let over = gaps.iter().filter(|ms| **ms > LONG_FRAME_MS).count();
        let kind = if shape == Shape::Mixed { "text" } else { shape.name() };
        Ok(Row::new(
            format!("longest frame, {RATE} deltas a second, {kind}"),
            times.share(1.0),
            "ms",
        )
        .budget(Budget::AtMost(LONG_FRAME_MS))
        .detail(format!(
            "{over} of {} over 50 ms (the browser counts {}), p99 {:.1} ms; {} KiB of text",
            gaps.len(),
            long.len(),
            times.share(0.99),
            text / 1024
        )))
    }

    /// Clicks in the sidebar.
    async fn switching(&mut self) -> Result<Vec<Row>> {
        let Threads { ordinary, long } = &self.threads;
        self.browser.ask::<()>(Ask::Open { thread: ordinary }).await?;
        let (mut to_long, mut to_ordinary) = (Samples::default(), Samples::default());
        for _ in 0..SWITCHES {
            to_long.push(self.browser.ask(Ask::Switch { thread: long }).await?);
            to_ordinary.push(self.browser.ask(Ask::Switch { thread: ordinary }).await?);
        }
        Ok(vec![
            Row::new("change to a thread of 10,000 items, from the click", to_long.median(), "ms")
                .detail(to_long.spread()),
            Row::new(
                format!("change to a thread of {ORDINARY} items, from the click"),
                to_ordinary.median(),
                "ms",
            )
            .detail(to_ordinary.spread()),
        ])
    }

    /// What the page holds on to while it streams for long.
    async fn heap(&mut self) -> Result<Vec<Row>> {
        let long = self.threads.long.clone();
        self.browser.ask::<()>(Ask::Open { thread: &long }).await?;
        let mut talk = Talk { text: Text::new(Shape::Mixed), thread: long };
        talk.go_on(&mut self.served.stage, WARM_UP).await?;
        let begun = Instant::now();
        let time = Duration::from_secs(60 * self.choice.minutes);
        let mut looks: Vec<(f64, Heap)> = Vec::new();
        while begun.elapsed() < time {
            talk.go_on(&mut self.served.stage, LOOK_EVERY).await?;
            let heap = self.browser.ask(Ask::Heap).await?;
            looks.push((begun.elapsed().as_secs_f64() / 60.0, heap));
        }
        let growth = |of: fn(&Heap) -> f64| {
            let points: Vec<_> =
                looks.iter().map(|(at, heap)| (*at, heap.turns, of(heap))).collect();
            stats::slope_beside(&points)
        };
        let (first, last) =
            looks.first().zip(looks.last()).context("the heap was not looked at")?;
        let minutes = self.choice.minutes;
        Ok(vec![
            Row::new(
                "growth of the page's heap while it streams",
                growth(|heap| heap.bytes) / 1e6,
                "MB per minute",
            )
            .budget(Budget::AtMost(0.2))
            .detail(format!(
                "{minutes} minutes; {:.1} MB with {:.0} turns held, in the end {:.1} MB with {:.0}",
                first.1.bytes / 1e6,
                first.1.turns,
                last.1.bytes / 1e6,
                last.1.turns
            )),
            Row::new("growth of its nodes", growth(|heap| heap.nodes), "per minute").detail(
                format!(
                    "in the end {:.0}; listeners {:.0}, {:.1} more per minute",
                    last.1.nodes,
                    last.1.listeners,
                    growth(|heap| heap.listeners)
                ),
            ),
        ])
    }

    async fn trace(&mut self) -> Result<()> {
        match self.choice.traces {
            Some(_) => self.browser.ask(Ask::Trace).await,
            None => Ok(()),
        }
    }

    async fn traced(&mut self, name: &str) -> Result<()> {
        let Some(dir) = self.choice.traces else { return Ok(()) };
        let to = std::path::absolute(dir)?.join(format!("{name}.trace.json"));
        self.browser.ask(Ask::Traced { to: &to }).await
    }
}

/// A speech that goes on until it is ended.
struct Stream {
    end: oneshot::Sender<()>,
    task: JoinHandle<Result<Speech>>,
}

impl Stream {
    fn begin(mut speech: Speech, shape: Shape, rate: u32) -> Self {
        let (end, mut ended) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut text = Text::new(shape);
            let mut ticks = ticks(rate);
            loop {
                tokio::select! {
                    _ = &mut ended => return Ok(speech),
                    _ = ticks.tick() => speech.say(text.piece(PIECE)).await?,
                }
            }
        });
        Self { end, task }
    }

    async fn end(self) -> Result<Speech> {
        // One that failed is told of by its task.
        let _ = self.end.send(());
        self.task.await?
    }
}

fn ticks(rate: u32) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}

/// One turn after the other, of short messages.
struct Talk {
    text: Text,
    thread: ThreadId,
}

impl Talk {
    async fn go_on(&mut self, stage: &mut Stage, time: Duration) -> Result<()> {
        let begun = Instant::now();
        let mut ticks = ticks(RATE);
        while begun.elapsed() < time {
            let mut speech = stage.speech(&self.thread).await?;
            for item in 0..TURN {
                if item > 0 {
                    speech.next().await?;
                }
                self.text.restart();
                for _ in 0..ITEM {
                    ticks.tick().await;
                    speech.say(self.text.piece(PIECE)).await?;
                }
            }
            speech.end().await?;
        }
        Ok(())
    }
}
