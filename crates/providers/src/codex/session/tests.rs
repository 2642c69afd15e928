//! A session against a Codex that is played: what is handed over, and when.

use codex_sdk::Limits;
use codex_sdk::types::Event;
use domain::{TurnEvent, TurnOutcome};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines};

use super::super::router::{Asking, Frame, Lane};
use super::task::Task;
use super::*;

const ROOT: &str = "t";

struct Played {
    session: Arc<CodexSession>,
    events: mpsc::Receiver<AgentEvent>,
    router: Arc<Router>,
    waiting: Arc<Waiting>,
    input: Lines<BufReader<DuplexStream>>,
    output: DuplexStream,
}

fn turn(number: u128) -> TurnId {
    TurnId::parse(&format!("trn_{number:032x}")).unwrap()
}

fn prompt(number: u128, mode: Mode) -> Prompt {
    Prompt {
        turn: turn(number),
        key: format!("k{number}"),
        kind: InputKind::Message,
        text: "Do it.".to_owned(),
        attachments: Vec::new(),
        model: ModelSelection { model: "m".to_owned(), option: None },
        mode,
    }
}

/// A session, its task yet to be started on the lane.
fn open() -> (Played, Lane, mpsc::Sender<AgentEvent>) {
    let (stdin, input) = tokio::io::duplex(1 << 16);
    let (output, stdout) = tokio::io::duplex(1 << 16);
    let (client, _) = Client::new(stdin, stdout, Limits::default());
    let (router, waiting) = (Arc::<Router>::default(), Arc::<Waiting>::default());
    let generation = router.begin();
    let (lane, control) = router.join(generation, ROOT).ok().unwrap();
    let inner = Arc::new(Inner::new(
        ROOT.to_owned(),
        client,
        router.clone(),
        PathBuf::from("/w"),
        "p".to_owned(),
        Access::Supervised,
        waiting.clone(),
    ));
    let (out, events) = mpsc::channel(64);
    let session = Arc::new(CodexSession { inner, control });
    let input = BufReader::new(input).lines();
    (Played { session, events, router, waiting, input, output }, lane, out)
}

fn play() -> Played {
    let (played, lane, out) = open();
    tokio::spawn(run(played.session.inner.clone(), lane, out));
    played
}

impl Played {
    /// Hands a message over while the test goes on.
    fn send(&self, prompt: Prompt) -> tokio::task::JoinHandle<Result<(), SendError>> {
        let session = self.session.clone();
        tokio::spawn(async move { session.send(prompt).await })
    }

    /// The next request, which has to be this one.
    async fn request(&mut self, method: &str) -> Value {
        let line = self.input.next_line().await.unwrap().unwrap();
        let request: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(request["method"], method, "{request}");
        request
    }

    async fn answer(&mut self, request: &Value, result: Value) {
        let line = json!({ "id": request["id"], "result": result }).to_string() + "\n";
        self.output.write_all(line.as_bytes()).await.unwrap();
    }

    async fn refuse(&mut self, request: &Value) {
        let error = json!({ "code": -32600, "message": "no" });
        let line = json!({ "id": request["id"], "error": error }).to_string() + "\n";
        self.output.write_all(line.as_bytes()).await.unwrap();
    }

    /// Does what is asked in between: nothing of it matters here.
    async fn pass(&mut self, method: &str) {
        let request = self.request(method).await;
        self.answer(&request, json!({})).await;
    }

    fn tell(&self, method: &str, mut params: Value) {
        params["threadId"] = json!(ROOT);
        let event = Event::read(method, params);
        assert!(self.router.route(ROOT, Frame::Event(Box::new(event)), 1).is_empty());
    }

    fn begins(&self, native: &str) {
        self.tell("turn/started", json!({ "turn": { "id": native } }));
    }

    fn ends(&self, native: &str, status: &str) {
        self.tell("turn/completed", json!({ "turn": { "id": native, "status": status } }));
    }

    async fn told(&mut self) -> (TurnId, TurnEvent) {
        match self.events.recv().await {
            Some(AgentEvent::Turn { turn, event }) => (turn, event),
            other => panic!("{other:?}"),
        }
    }

    /// A message is taken under this name.
    async fn runs(&mut self, number: u128, native: &str) {
        let sent = self.send(prompt(number, Mode::Build));
        let start = self.request("turn/start").await;
        self.answer(&start, json!({ "turn": { "id": native } })).await;
        sent.await.unwrap().unwrap();
        self.begins(native);
        assert_eq!(self.told().await, (turn(number), TurnEvent::Started));
    }
}

#[tokio::test(start_paused = true)]
async fn no_message_is_sent_while_the_turn_before_does_not_stop() {
    let mut played = play();
    played.runs(1, "u1").await;
    let sent = played.send(prompt(2, Mode::Build));
    let stop = played.request("turn/interrupt").await;
    assert_eq!(stop["params"]["turnId"], "u1");
    played.answer(&stop, json!({})).await;
    // Nothing is told of an end, and the session says that it is still at it.
    let read = played.request("thread/turns/list").await;
    played.answer(&read, json!({ "data": [{ "id": "u1", "status": "inProgress" }] })).await;
    let refused = sent.await.unwrap().unwrap_err();
    assert_eq!(refused.code, ErrorCode::AgentUnavailable, "{refused:?}");

    // Once it has ended a message is sent again, though nobody told of the end.
    let sent = played.send(prompt(3, Mode::Build));
    let stop = played.request("turn/interrupt").await;
    played.refuse(&stop).await;
    let read = played.request("thread/turns/list").await;
    played.answer(&read, json!({ "data": [{ "id": "u1", "status": "interrupted" }] })).await;
    played.pass("thread/backgroundTerminals/clean").await;
    let start = played.request("turn/start").await;
    assert_eq!(start["params"]["clientUserMessageId"], "k3");
    played.answer(&start, json!({ "turn": { "id": "u3" } })).await;
    sent.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_turn_that_is_left_before_it_begins_is_stopped_when_it_does() {
    let mut played = play();
    let sent = played.send(prompt(1, Mode::Build));
    let start = played.request("turn/start").await;
    played.answer(&start, json!({ "turn": { "id": "u1" } })).await;
    sent.await.unwrap().unwrap();
    played.session.abandon(&turn(1));
    played.begins("u1");
    let stop = played.request("turn/interrupt").await;
    assert_eq!(stop["params"]["turnId"], "u1");
    played.answer(&stop, json!({})).await;
    played.ends("u1", "interrupted");
    played.pass("thread/backgroundTerminals/clean").await;
    // The next is not hit by it, and nothing was told of the one that was left.
    played.runs(2, "u2").await;
}

#[tokio::test]
async fn a_turn_that_is_left_while_it_is_handed_over_is_stopped() {
    let mut played = play();
    let sent = played.send(prompt(1, Mode::Build));
    let start = played.request("turn/start").await;
    played.session.abandon(&turn(1));
    played.answer(&start, json!({ "turn": { "id": "u1" } })).await;
    played.begins("u1");
    let stop = played.request("turn/interrupt").await;
    assert_eq!(stop["params"]["turnId"], "u1");
    played.answer(&stop, json!({})).await;
    played.ends("u1", "interrupted");
    played.pass("thread/backgroundTerminals/clean").await;
    sent.await.unwrap().unwrap();
    played.runs(2, "u2").await;
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_begins_late_is_not_taken_for_the_one_that_is_handed_over() {
    let mut played = play();
    // Whether the first was taken stays unknown, and it is given up.
    let sent = played.send(prompt(1, Mode::Build));
    played.request("turn/start").await;
    sent.await.unwrap().unwrap();
    played.session.abandon(&turn(1));
    let sent = played.send(prompt(2, Mode::Build));
    let start = played.request("turn/start").await;
    played.begins("u1");
    played.ends("u1", "completed");
    tokio::task::yield_now().await;
    played.answer(&start, json!({ "turn": { "id": "u2" } })).await;
    sent.await.unwrap().unwrap();
    played.begins("u2");
    played.ends("u2", "interrupted");
    assert_eq!(played.told().await, (turn(2), TurnEvent::Started));
    let ended = TurnEvent::Ended(TurnOutcome::Interrupted);
    assert_eq!(played.told().await, (turn(2), ended));
}

#[tokio::test]
async fn going_back_is_done_once_though_its_answer_was_lost() {
    let mut played = play();
    played.waiting.set(ROOT, Some("u1".to_owned()));
    // Still there, it is refused for another reason, and the message is not sent.
    let sent = played.send(prompt(1, Mode::Build));
    let revert = played.request("thread/revert").await;
    played.refuse(&revert).await;
    let read = played.request("thread/turns/list").await;
    played.answer(&read, json!({ "data": [{ "id": "u1" }] })).await;
    assert_eq!(sent.await.unwrap().unwrap_err().code, ErrorCode::Rejected);

    let sent = played.send(prompt(2, Mode::Build));
    let revert = played.request("thread/revert").await;
    assert_eq!(revert["params"]["beforeTurnId"], "u1");
    played.refuse(&revert).await;
    let read = played.request("thread/turns/list").await;
    played.answer(&read, json!({ "data": [{ "id": "u0" }], "nextCursor": "c" })).await;
    let read = played.request("thread/turns/list").await;
    assert_eq!(read["params"]["cursor"], "c");
    played.answer(&read, json!({ "data": [] })).await;
    let start = played.request("turn/start").await;
    played.answer(&start, json!({ "turn": { "id": "u2" } })).await;
    sent.await.unwrap().unwrap();
    assert_eq!(played.waiting.get(ROOT), None);
}

/// A turn whose plan waits for a person.
async fn planned() -> Played {
    let mut played = play();
    let sent = played.send(prompt(1, Mode::Plan));
    let start = played.request("turn/start").await;
    played.answer(&start, json!({ "turn": { "id": "u1" } })).await;
    sent.await.unwrap().unwrap();
    played.begins("u1");
    let item = json!({ "type": "plan", "id": "i", "text": "Do it." });
    played.tell("item/completed", json!({ "turnId": "u1", "item": item }));
    played.ends("u1", "completed");
    while !matches!(played.told().await.1, TurnEvent::Asked(_)) {}
    played
}

#[tokio::test]
async fn a_message_that_steers_while_a_plan_waits_supersedes_it() {
    let mut played = planned().await;
    let session = played.session.clone();
    let steered = tokio::spawn(async move { session.steer(prompt(2, Mode::Build)).await });
    let ended = TurnEvent::Ended(TurnOutcome::Completed);
    assert_eq!(played.told().await, (turn(1), ended));
    let start = played.request("turn/start").await;
    assert_eq!(start["params"]["clientUserMessageId"], "k2");
    played.answer(&start, json!({ "turn": { "id": "u2" } })).await;
    steered.await.unwrap().unwrap();
    played.begins("u2");
    assert_eq!(played.told().await, (turn(2), TurnEvent::Started));
}

#[tokio::test]
async fn a_message_that_waits_is_sent_when_the_plan_before_it_is_stopped() {
    let mut played = planned().await;
    // As after a steering whose outcome was not known.
    played.session.expect(&turn(2), "k2");
    *played.session.inner.kept() = Some(prompt(2, Mode::Build));
    played.session.interrupt(&turn(1)).await.unwrap();
    let ended = TurnEvent::Ended(TurnOutcome::Interrupted);
    assert_eq!(played.told().await, (turn(1), ended));
    let start = played.request("turn/start").await;
    assert_eq!(start["params"]["clientUserMessageId"], "k2");
}

#[tokio::test]
async fn a_request_is_told_after_what_it_is_about_though_it_is_taken_first() {
    let (mut played, mut lane, out) = open();
    let task = Task { inner: played.session.inner.clone(), out };
    played.session.inner.mapper().begin(turn(1), "k".to_owned(), InputKind::Message, Mode::Build);
    played.begins("u1");
    let changes = json!([{ "path": "/w/a", "kind": { "type": "add" }, "diff": "x\n" }]);
    let item = json!({ "type": "fileChange", "id": "i", "changes": changes });
    played.tell("item/started", json!({ "turnId": "u1", "item": item }));
    let method = "item/fileChange/requestApproval";
    let params = json!({ "threadId": ROOT, "turnId": "u1", "itemId": "i" });
    let ask = codex_sdk::types::Ask::read(method, &params);
    let asking = Asking { id: json!(0).into(), method: method.to_owned(), ask };
    assert!(played.router.route(ROOT, Frame::Ask(Box::new(asking)), 1).is_empty());
    // Its channel is looked into between two looks into the other.
    let asking = lane.asks.try_recv().unwrap();
    assert!(task.asked(&mut lane, asking.what).await);
    let asked = loop {
        if let TurnEvent::Asked(asked) = played.told().await.1 {
            break asked;
        }
    };
    let domain::RequestBody::Approval(approval) = asked.body else { panic!("{asked:?}") };
    assert!(approval.diff.is_some_and(|diff| diff.contains("+x")));
}
