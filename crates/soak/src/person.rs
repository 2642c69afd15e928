//! Somebody who works in one thread after another: sends, waits, answers, stops, changes things.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use domain::{ErrorCode, Request, RequestBody, RequestId, RequestState, ThreadId};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::dice::Dice;
use uuid::Uuid;

use crate::World;
use crate::accounts::Accepted;
use crate::baton::{COMMAND, COMMANDS_IN, Said};
use crate::follower::{Follower, Manner};
use crate::scripts::{self, Work};
use crate::view::View;

/// How long a turn may take before it counts as stuck: longer than Baton itself waits for an agent (ten
/// minutes, for starts of Kilo one after the other on a busy machine).
const STUCK: Duration = Duration::from_secs(720);
/// Messages sent in a thread before another is begun, so that histories stay small.
const PER_THREAD: u32 = 12;

/// Somebody who works.
pub(crate) struct Person {
    world: World,
    number: u32,
    project: String,
    dice: Dice,
    follower: Follower,
    thread: Option<ThreadId>,
    workspace: PathBuf,
    sent: u32,
    total: u32,
    /// When each open request is answered.
    answers: BTreeMap<RequestId, Instant>,
}

/// What is waited for.
struct Waiting {
    turn: String,
    endless: bool,
    since: Instant,
    blamed: bool,
}

impl Person {
    pub(crate) fn new(world: World, number: u32, project: String) -> Self {
        let name = format!("person {number}");
        let dice = Dice::of(world.seed, &format!("{name}'s work"));
        let nobody = ThreadId::from_uuid(Uuid::nil());
        let follower = Follower::start(world.clone(), name, Manner::Steady, Some(nobody));
        Self {
            world,
            number,
            project,
            dice,
            follower,
            thread: None,
            workspace: PathBuf::new(),
            sent: 0,
            total: 0,
            answers: BTreeMap::new(),
        }
    }

    /// Works until the time is up and everything has ended.
    pub(crate) async fn work(mut self) {
        // Not all at the same moment.
        tokio::time::sleep(self.dice.millis(0..5000)).await;
        while !self.world.is_over() {
            if let Err(error) = self.act().await {
                self.world.accounts.blame(format!("person {}: {error:#}", self.number));
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        if let Err(error) = self.wait(Vec::new()).await {
            self.world.accounts.blame(format!("person {}: {error:#}", self.number));
        }
    }

    async fn act(&mut self) -> anyhow::Result<()> {
        if self.thread.is_none() || self.sent >= PER_THREAD {
            self.begin_thread().await?;
        }
        let pause = self.dice.millis(0..4000);
        tokio::time::sleep(pause).await;
        let mut waiting = Vec::new();
        match self.dice.within(0..100) {
            0..50 => self.send(&mut waiting).await?,
            50..58 => self.steer(&mut waiting).await?,
            58..65 => {
                for _ in 0..self.dice.within(2..5) {
                    self.send(&mut waiting).await?;
                }
                if self.dice.happens(300) {
                    self.take_back(&mut waiting).await?;
                }
            }
            65..78 => {
                self.send(&mut waiting).await?;
                let pause = self.dice.millis(0..2500);
                tokio::time::sleep(pause).await;
                self.post("stop", "stopped").await?;
            }
            78..90 => {
                self.send(&mut waiting).await?;
                let pause = self.dice.millis(0..1500);
                tokio::time::sleep(pause).await;
                self.post("stop", "stopped").await?;
                self.send(&mut waiting).await?;
            }
            90..94 => {
                self.send(&mut waiting).await?;
                self.change_access().await?;
            }
            94..97 => self.plan(&mut waiting).await?,
            _ => {
                self.send(&mut waiting).await?;
                self.send(&mut waiting).await?;
                self.post("stop", "stopped").await?;
                self.post("stop", "stopped").await?;
            }
        }
        self.wait(waiting).await
    }

    async fn begin_thread(&mut self) -> anyhow::Result<()> {
        if let Some(old) = self.thread.take() {
            match self.dice.within(0..10) {
                0 => {
                    self.world.accounts.delete(&old.to_string());
                    self.world.baton.call("DELETE", &format!("/api/threads/{old}"), None).await?;
                }
                1 => {
                    let put_away = json!({ "archived": true });
                    let path = format!("/api/threads/{old}");
                    self.world.baton.call("PATCH", &path, Some(&put_away)).await?;
                }
                _ => {}
            }
        }
        let id = ThreadId::from_uuid(Uuid::now_v7());
        let access = *self.dice.pick(&["supervised", "auto-edit", "full"]).unwrap_or(&"supervised");
        let new = json!({
            "id": id, "project_id": self.project, "provider": "kilo",
            "model": { "model": "mock/m1" }, "access": access,
        });
        match self.world.baton.call("POST", "/api/threads", Some(&new)).await? {
            Said::Yes(thread) => {
                self.workspace = thread["workspace"].as_str().unwrap_or_default().into();
            }
            Said::No(status, text) => anyhow::bail!("no thread: {status} {text}"),
        }
        self.world.accounts.event("thread", format!("{id} {access}"));
        self.follower.turn_to(id.clone());
        self.thread = Some(id);
        self.sent = 0;
        Ok(())
    }

    async fn send(&mut self, waiting: &mut Vec<Waiting>) -> anyhow::Result<()> {
        let mark = self.mark();
        let work = scripts::some(&mut self.dice, &mark, &self.workspace);
        self.give(mark, work, json!({ "mode": "build" }), waiting).await
    }

    /// Has a plan made.
    async fn plan(&mut self, waiting: &mut Vec<Waiting>) -> anyhow::Result<()> {
        let mark = self.mark();
        let work = scripts::plan(&mut self.dice, &mark, &self.workspace);
        self.world.accounts.count("plans");
        self.give(mark, work, json!({ "mode": "plan" }), waiting).await
    }

    /// Says something while the agent works: at once, or first into the queue.
    async fn steer(&mut self, waiting: &mut Vec<Waiting>) -> anyhow::Result<()> {
        self.send(waiting).await?;
        let pause = self.dice.millis(0..2500);
        tokio::time::sleep(pause).await;
        self.world.accounts.count("steered");
        if self.dice.happens(500) {
            let mark = self.mark();
            let work = scripts::some(&mut self.dice, &mark, &self.workspace);
            let how = json!({ "mode": "build", "delivery": "steer" });
            return self.give(mark, work, how, waiting).await;
        }
        self.send(waiting).await?;
        let Some((thread, last)) = self.thread.clone().zip(waiting.last()) else { return Ok(()) };
        let path = format!("/api/threads/{thread}/turns/{}/steer", last.turn);
        // One that no longer waits cannot be sent now.
        self.world.baton.call("POST", &path, Some(&json!({}))).await?;
        Ok(())
    }

    /// What tells the next message from all others.
    fn mark(&mut self) -> String {
        self.sent += 1;
        self.total += 1;
        format!("m{}x{}", self.number, self.total)
    }

    /// Sends a message, with a file at times; `how` is what else its body says.
    async fn give(
        &mut self,
        mark: String,
        work: Work,
        how: Value,
        waiting: &mut Vec<Waiting>,
    ) -> anyhow::Result<()> {
        let Some(thread) = self.thread.clone() else { return Ok(()) };
        let Work { script, plays, endless, name } = work;
        let turn = format!("trn_{}", Uuid::now_v7().simple());
        let mut body = how;
        body["id"] = json!(turn);
        let mut typed = format!("{mark}: {name}");
        if self.workspace.ends_with(COMMANDS_IN) && self.dice.happens(100) {
            typed.insert_str(0, COMMAND);
            self.world.accounts.count("commands");
        }
        body["text"] = json!(script.prompt(&typed));
        if self.dice.happens(80) {
            let text = scripts::note(&mut self.dice);
            let id = self.world.baton.attach("note.txt", &text).await?;
            body["attachments"] = json!([{ "id": id, "name": format!("{mark}.txt") }]);
            self.world.accounts.count("files");
        }
        let path = format!("/api/threads/{thread}/turns");
        match self.world.baton.call("POST", &path, Some(&body)).await? {
            Said::Yes(_) => {
                let thread = thread.to_string();
                self.world.accounts.event("work", format!("{mark} {name}"));
                self.world.accounts.accept(&turn, Accepted { thread, mark, plays });
                let since = Instant::now();
                waiting.push(Waiting { turn, endless, since, blamed: false });
            }
            // Kilo was tried in vain and is left alone until somebody looks at it again.
            Said::No(StatusCode::SERVICE_UNAVAILABLE, _) => {
                self.world.accounts.count("refused for want of Kilo");
                self.refresh().await?;
            }
            Said::No(status, text) => {
                self.world.accounts.blame(format!("a message was refused: {status} {text}"));
            }
        }
        Ok(())
    }

    async fn refresh(&self) -> anyhow::Result<()> {
        self.world.accounts.count("looked again");
        self.world.baton.call("POST", "/api/providers/kilo/refresh", Some(&json!({}))).await?;
        Ok(())
    }

    async fn take_back(&mut self, waiting: &mut Vec<Waiting>) -> anyhow::Result<()> {
        let Some((thread, last)) = self.thread.clone().zip(waiting.last()) else { return Ok(()) };
        let path = format!("/api/threads/{thread}/turns/{}", last.turn);
        let said = self.world.baton.call("DELETE", &path, None).await?;
        // One that is no longer waiting cannot be taken back.
        if matches!(said, Said::Yes(_)) {
            self.world.accounts.withdraw(&last.turn);
            self.world.accounts.count("withdrawn");
            waiting.pop();
        }
        Ok(())
    }

    async fn post(&self, what: &str, count: &'static str) -> anyhow::Result<()> {
        let Some(thread) = &self.thread else { return Ok(()) };
        let path = format!("/api/threads/{thread}/{what}");
        self.world.accounts.event(count, thread.to_string());
        match self.world.baton.call("POST", &path, Some(&json!({}))).await? {
            Said::Yes(_) => self.world.accounts.count(count),
            Said::No(status, text) => {
                self.world.accounts.blame(format!("{path}: {status} {text}"));
            }
        }
        Ok(())
    }

    async fn change_access(&mut self) -> anyhow::Result<()> {
        let Some(thread) = &self.thread else { return Ok(()) };
        let access = *self.dice.pick(&["supervised", "auto-edit", "full"]).unwrap_or(&"full");
        let path = format!("/api/threads/{thread}");
        self.world.accounts.count("access changed");
        self.world.baton.call("PATCH", &path, Some(&json!({ "access": access }))).await?;
        Ok(())
    }

    /// Waits for the ends of turns, answering what is asked meanwhile; with none to wait for, until
    /// nothing is left in the thread.
    async fn wait(&mut self, mut waiting: Vec<Waiting>) -> anyhow::Result<()> {
        let Some(thread) = self.thread.clone() else { return Ok(()) };
        let begun = Instant::now();
        let mut changes = self.follower.changes();
        loop {
            let pause = tokio::time::sleep(Duration::from_millis(300));
            tokio::select! {
                _ = changes.changed() => {}
                () = pause => {}
            }
            let Some(view) = self.follower.view(&thread) else {
                if begun.elapsed() > STUCK {
                    anyhow::bail!("{thread} cannot be seen");
                }
                continue;
            };
            self.answer(view.requests.values()).await?;
            if view.thread.queue_held {
                self.post("release", "released").await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            let over = |turn: &str| {
                let known = view.turns.values().find(|known| known.id.to_string() == turn);
                known.is_some_and(|known| known.state.is_terminal())
            };
            waiting.retain(|one| !over(&one.turn));
            self.look_again(&view).await?;
            let idle = view.turns.values().all(|turn| turn.state.is_terminal());
            if waiting.is_empty() && (idle || !self.world.is_over()) {
                return Ok(());
            }
            self.hurry(&mut waiting, begun).await?;
        }
    }

    /// Has Baton look at Kilo again when it does not start it any more, as somebody would do in the
    /// settings.
    async fn look_again(&mut self, view: &View) -> anyhow::Result<()> {
        let last = view.turns.values().max_by_key(|turn| turn.ordinal);
        let error = last.and_then(|turn| turn.error.as_ref());
        if error.is_some_and(|e| e.code == ErrorCode::AgentUnavailable) && self.dice.happens(50) {
            self.refresh().await?;
        }
        Ok(())
    }

    /// Stops what does not end by itself, and what should have.
    async fn hurry(&mut self, waiting: &mut [Waiting], begun: Instant) -> anyhow::Result<()> {
        let patience = self.dice.millis(2000..15_000);
        let endless = waiting.first().is_some_and(|one| one.endless);
        if endless && begun.elapsed() > patience && self.dice.happens(100) {
            self.post("stop", "stopped").await?;
        }
        let mut stop = self.world.is_over() && begun.elapsed() > STUCK / 2 && self.dice.happens(20);
        for one in waiting.iter_mut().filter(|one| one.since.elapsed() > STUCK) {
            if !one.blamed && !one.endless {
                let thread = &self.thread;
                self.world.accounts.blame(format!("{} of {thread:?} is stuck", one.turn));
            }
            stop |= !one.blamed;
            one.blamed = true;
        }
        if stop {
            self.post("stop", "stopped").await?;
        }
        if waiting.iter().any(|one| one.since.elapsed() > STUCK * 2) {
            anyhow::bail!("a turn does not even end when it is stopped");
        }
        Ok(())
    }

    /// Answers what is asked, some time after it was asked.
    async fn answer(&mut self, open: impl Iterator<Item = &Request>) -> anyhow::Result<()> {
        let open: Vec<&Request> =
            open.filter(|r| matches!(r.state, RequestState::Open { .. })).collect();
        self.answers.retain(|id, _| open.iter().any(|request| request.id == *id));
        for request in open {
            let pause = self.dice.millis(0..2500);
            let at = *self.answers.entry(request.id.clone()).or_insert(Instant::now() + pause);
            if Instant::now() < at {
                continue;
            }
            // Should it come back, it is answered again.
            self.answers.insert(request.id.clone(), Instant::now() + Duration::from_secs(5));
            let answer = self.decide(request);
            let path = format!("/api/threads/{}/requests/{}/answer", request.thread_id, request.id);
            let body = json!({ "answer": answer });
            self.world.accounts.event("answer", format!("{} {answer}", request.id));
            // It may have been closed meanwhile, and then is refused.
            match self.world.baton.call("POST", &path, Some(&body)).await? {
                Said::Yes(_) => self.world.accounts.count("answered"),
                Said::No(..) => self.world.accounts.count("answered too late"),
            }
        }
        Ok(())
    }

    fn decide(&mut self, request: &Request) -> Value {
        let dice = &mut self.dice;
        match &request.body {
            RequestBody::Approval(_) => match dice.within(0..20) {
                0..14 => json!({ "kind": "approval", "decision": "once" }),
                14..16 => json!({ "kind": "approval", "decision": "session" }),
                16..18 => json!({ "kind": "approval", "decision": "reject" }),
                _ => json!({ "kind": "approval", "decision": "reject", "message": "not so" }),
            },
            RequestBody::Question { questions } => {
                let own = dice.happens(200) && questions.iter().all(|question| question.custom);
                let one = |question: &domain::Question| {
                    let first = question.options.first().map(|option| option.label.clone());
                    vec![if own { "My own way".to_owned() } else { first.unwrap_or_default() }]
                };
                if dice.happens(150) {
                    return json!({ "kind": "dismiss" });
                }
                json!({ "kind": "question", "answers": questions.iter().map(one).collect::<Vec<_>>() })
            }
            RequestBody::Plan { .. } => match dice.within(0..3) {
                0 => json!({ "kind": "plan", "decision": "accept" }),
                1 => json!({ "kind": "plan", "decision": "refine", "message": "another way" }),
                _ => json!({ "kind": "plan", "decision": "dismiss" }),
            },
        }
    }
}
