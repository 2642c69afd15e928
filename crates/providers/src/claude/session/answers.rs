//! What the agent is answered: by people, and by the thread's access.

use domain::{Answer, Decision, Mode};
use tokio::sync::oneshot;

use super::super::access;
use super::super::mapper::{self, Ask, Mapped};
use super::task::{MAX_GRANTS, State, WRITTEN};
use crate::AnswerError;
use crate::shared::{places, steering};

impl State {
    pub(super) async fn answer(
        &mut self,
        key: &str,
        answer: &Answer,
        reply: oneshot::Sender<Result<(), AnswerError>>,
    ) -> bool {
        let Some(ask) = self.task.mapper.ask(key).cloned() else {
            let _ = reply.send(Err(AnswerError::Gone));
            return true;
        };
        match self.give(&ask, answer).await {
            Ok(mapped) => {
                let _ = reply.send(Ok(()));
                self.settle(mapped).await
            }
            Err(error) => {
                let _ = reply.send(Err(error));
                true
            }
        }
    }

    /// Gives the agent an answer.
    async fn give(&mut self, ask: &Ask, answer: &Answer) -> Result<Mapped, AnswerError> {
        let running = self.running.as_mut().ok_or(AnswerError::Gone)?;
        let reply = mapper::reply(ask, answer);
        let given = running.claude.answer(&ask.key, &reply.response);
        match tokio::time::timeout(WRITTEN, given).await {
            Ok(Ok(())) => {}
            Ok(Err(claude_sdk::Ended)) => return Err(AnswerError::Gone),
            Err(_) => {
                let late = "Claude Code did not take the answer in time".to_owned();
                return Err(AnswerError::Failed(late));
            }
        }
        if reply.builds {
            access::BUILD.clone_into(&mut running.applied.mode);
            self.task.mapper.set_mode(access::BUILD);
            self.task.inner.wish().1 = Mode::Build;
        }
        for grant in &reply.grants {
            if self.grants.len() < MAX_GRANTS && !self.grants.contains(grant) {
                self.grants.push(grant.clone());
            }
        }
        Ok(self.task.mapper.answered(&ask.key, &reply))
    }

    /// Allows what waits and the access allows now; false when nobody reads any more.
    pub(super) async fn allow_waiting(&mut self) -> bool {
        for ask in self.task.mapper.now_implied() {
            match self.task.mapper.doubtful(&ask) {
                Some(path) => self.look(ask.key, path),
                None if !self.allow(&ask).await => return false,
                None => {}
            }
        }
        true
    }

    async fn allow(&mut self, ask: &Ask) -> bool {
        match self.give(ask, &once()).await {
            Ok(mapped) => self.settle(mapped).await,
            // It ended, or the request stays open for a person.
            Err(_) => true,
        }
    }

    /// Looks where the path of a file leads whose change the access allows in the workspace only.
    fn look(&mut self, key: String, path: String) {
        let workspace = self.task.workspace.clone();
        self.looks.spawn(async move {
            let place = workspace.clone();
            let look = move || steering::lies_inside(&[path], &workspace);
            (key, places::on_disk(&place, look).await.unwrap_or(false))
        });
    }

    /// Answers what such a look was for, or asks a person.
    pub(super) async fn looked(&mut self, key: &str, inside: bool) -> bool {
        let (ask, mapped) = self.task.mapper.looked(key, inside);
        if let Some(ask) = ask
            && !self.allow(&ask).await
        {
            return false;
        }
        self.settle(mapped).await
    }

    /// Does what came of a frame.
    pub(super) async fn settle(&mut self, mapped: Mapped) -> bool {
        if mapped.ended {
            self.stop_at = None;
        }
        if let Some(told) = mapped.limit {
            self.task.shared.note_limit(told);
        }
        for (key, path) in mapped.looks {
            self.look(key, path);
        }
        if let Some(claude) = self.running.as_ref().map(|running| running.claude.clone()) {
            for ask in mapped.implied {
                let (claude, reply) = (claude.clone(), mapper::reply(&ask, &once()));
                tokio::spawn(async move {
                    let given = claude.answer(&ask.key, &reply.response);
                    let _ = tokio::time::timeout(WRITTEN, given).await;
                });
            }
            for (key, why) in mapped.refused {
                let claude = claude.clone();
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(WRITTEN, claude.refuse(&key, &why)).await;
                });
            }
        }
        self.tell(mapped.events).await
    }
}

fn once() -> Answer {
    Answer::Approval { decision: Decision::Once, message: None }
}
