//! What the tests of every agent do with an engine, whatever the agent is.

use std::path::Path;

use domain::{
    Access, Answer, Decision, Item, ItemContent, Mode, ModelSelection, NewTurn, ProviderId,
    Request, RequestBody, RequestState, Thread, ThreadId, Turn, TurnId, Window,
};
use engine::{Engine, NewThread};
use testkit::model::Script;
use testkit::sandbox::Sandbox;
use testkit::wait::{PATIENT, until};
use uuid::Uuid;

/// An engine in a sandbox, with one provider.
pub(crate) struct Driver {
    pub(crate) sandbox: Sandbox,
    pub(crate) engine: Engine,
    pub(crate) provider: ProviderId,
    pub(crate) model: ModelSelection,
    pub(crate) data: tempfile::TempDir,
}

impl Driver {
    /// A supervised thread in the sample project.
    pub(crate) async fn thread(&self) -> ThreadId {
        self.thread_with(Access::Supervised).await
    }

    pub(crate) async fn thread_with(&self, access: Access) -> ThreadId {
        self.thread_in(&self.sandbox.project, access).await
    }

    /// A thread in another directory, which becomes a project.
    pub(crate) async fn thread_in(&self, path: &Path, access: Access) -> ThreadId {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let project = self.engine.add_project(path.to_owned(), name).await.expect("a project");
        let new = NewThread {
            id: ThreadId::from_uuid(Uuid::now_v7()),
            project_id: project.id,
            provider: self.provider.clone(),
            model: Some(self.model.clone()),
            access,
            mode: Mode::Build,
            title: None,
        };
        self.engine.create_thread(new).await.expect("a thread").id
    }

    pub(crate) async fn send(&self, thread: &ThreadId, script: &Script) -> TurnId {
        self.say(thread, &script.prompt("Please do this.")).await
    }

    pub(crate) async fn say(&self, thread: &ThreadId, text: &str) -> TurnId {
        self.engine.send(thread, message(text)).await.expect("an accepted message").id
    }

    /// Sends and waits for the end.
    pub(crate) async fn run(&self, thread: &ThreadId, script: &Script) -> Turn {
        let turn = self.send(thread, script).await;
        self.ended(thread, &turn).await
    }

    pub(crate) async fn window(&self, thread: &ThreadId) -> Window {
        self.engine.window(thread, None).await.expect("a window")
    }

    pub(crate) async fn row(&self, thread: &ThreadId) -> Thread {
        self.engine.thread(thread).await.expect("a thread")
    }

    /// Waits until the conversation is as wanted.
    pub(crate) async fn see<T>(
        &self,
        thread: &ThreadId,
        wanted: impl Fn(&Window) -> Option<T>,
    ) -> T {
        let wanted = &wanted;
        until(PATIENT, || async move {
            let window = self.window(thread).await;
            wanted(&window).ok_or(window)
        })
        .await
    }

    pub(crate) async fn ended(&self, thread: &ThreadId, turn: &TurnId) -> Turn {
        self.see(thread, |w| {
            w.turns.iter().find(|t| t.id == *turn && t.state.is_terminal()).cloned()
        })
        .await
    }

    /// Waits for something to be asked.
    pub(crate) async fn asked(&self, thread: &ThreadId) -> Request {
        self.see(thread, |w| {
            let open = |r: &&Request| matches!(r.state, RequestState::Open { .. });
            w.requests.iter().find(open).cloned()
        })
        .await
    }

    pub(crate) async fn decide(&self, request: &Request, decision: Decision) {
        self.answer(request, Answer::Approval { decision, message: None }).await;
    }

    pub(crate) async fn answer(&self, request: &Request, answer: Answer) {
        let given = self.engine.answer(&request.thread_id, &request.id, answer).await;
        given.expect("an accepted answer");
    }

    /// Waits until the model's script has reached a gate.
    pub(crate) async fn reached(&self, gate: &str) {
        tokio::time::timeout(PATIENT, self.sandbox.model.reached(gate))
            .await
            .unwrap_or_else(|_| panic!("the script never reached `{gate}`"));
    }

    pub(crate) fn file(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.sandbox.project.join(name)).ok()
    }
}

pub(crate) fn message(text: &str) -> NewTurn {
    NewTurn::message(TurnId::from_uuid(Uuid::now_v7()), text)
}

/// The agent's messages, in order.
pub(crate) fn said(window: &Window) -> Vec<&str> {
    let messages = window.items.iter().filter(|i| i.content == ItemContent::AgentMessage);
    messages.map(|i| i.body.head.as_str()).collect()
}

/// The first item that is wanted.
pub(crate) fn item(window: &Window, wanted: impl Fn(&ItemContent) -> bool) -> &Item {
    window.items.iter().find(|i| wanted(&i.content)).expect("an item of that kind")
}

/// What an approval asks.
pub(crate) fn approval(request: &Request) -> &domain::Approval {
    match &request.body {
        RequestBody::Approval(approval) => approval,
        other => panic!("not an approval: {other:?}"),
    }
}
