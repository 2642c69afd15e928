//! What a person answers, as Kilo takes it.

use domain::{Answer, Decision, PlanDecision};
use kilo_sdk::types::Rule;
use kilo_sdk::{NetworkWaitId, PermissionId, QuestionId, Reply, SessionUpdate};

use super::super::baseline;
use super::super::mapper::asks::NETWORK_RETRY;
use super::super::mapper::{Ask, Label};
use super::KiloSession;

impl KiloSession {
    pub(super) async fn answer_permission(
        &self,
        ask: &Ask,
        permission: &str,
        always: &[String],
        answer: &Answer,
    ) -> Result<(), kilo_sdk::Error> {
        let Answer::Approval { decision, message } = answer else { return Ok(()) };
        let instance = self.inner.at(ask);
        let id = PermissionId::from(ask.key.as_str());
        let (reply, message) = match decision {
            Decision::Once => (Reply::Once, None),
            Decision::Always => (Reply::Always, None),
            Decision::Reject => (Reply::Reject, message.as_deref()),
            Decision::Session => {
                self.grant(ask, permission, always).await?;
                (Reply::Once, None)
            }
        };
        instance.reply_permission(&id, reply, message).await
    }

    /// Allows patterns until the session ends: a rule of the session that asks, and remembered
    /// for sub-agents, which do not inherit it.
    async fn grant(
        &self,
        ask: &Ask,
        permission: &str,
        always: &[String],
    ) -> Result<(), kilo_sdk::Error> {
        let rules: Vec<Rule> =
            always.iter().map(|pattern| baseline::grant(permission, pattern)).collect();
        let update = SessionUpdate { permission: rules.clone(), ..SessionUpdate::default() };
        self.inner.at(ask).update_session(&ask.session, &update).await?;
        self.inner.mapper().grant(&rules);
        Ok(())
    }

    pub(super) async fn answer_question(
        &self,
        ask: &Ask,
        questions: &[Vec<Label>],
        answer: &Answer,
    ) -> Result<(), kilo_sdk::Error> {
        let instance = self.inner.at(ask);
        let id = QuestionId::from(ask.key.as_str());
        let label = |key: &str, otherwise: &str| {
            let found = questions.iter().flatten().find(|label| label.key.as_deref() == Some(key));
            found.map_or_else(|| otherwise.to_owned(), |label| label.whole.clone())
        };
        let said = match answer {
            Answer::Question { answers } => whole(questions, answers),
            Answer::Plan { decision: PlanDecision::Accept, .. } => {
                // Never "Start new session": Kilo makes that one without our rules (7.7.7).
                vec![vec![label("plan.followup.answer.continue", "Continue here")]]
            }
            Answer::Plan { decision: PlanDecision::Refine, message } => {
                let own = message.clone().filter(|m| !m.trim().is_empty());
                let refine = || label("plan.followup.answer.keepRefining", "Keep refining");
                vec![vec![own.unwrap_or_else(refine)]]
            }
            Answer::Dismiss
            | Answer::Plan {
                decision: PlanDecision::Dismiss | PlanDecision::AcceptInNewThread,
                ..
            }
            | Answer::Approval { .. } => return instance.reject_question(&id).await,
        };
        instance.reply_question(&id, &said).await
    }

    pub(super) async fn answer_network(
        &self,
        ask: &Ask,
        answer: &Answer,
    ) -> Result<(), kilo_sdk::Error> {
        let instance = self.inner.at(ask);
        let id = network_id(ask);
        let retry = match answer {
            Answer::Question { answers } => answers.iter().flatten().any(|a| a == NETWORK_RETRY),
            Answer::Dismiss | Answer::Approval { .. } | Answer::Plan { .. } => false,
        };
        if retry { instance.reply_network(&id).await } else { instance.reject_network(&id).await }
    }
}

/// The answers with each label as Kilo gave it, which may be longer than what was shown.
fn whole(questions: &[Vec<Label>], answers: &[Vec<String>]) -> Vec<Vec<String>> {
    let restore = |labels: &[Label], given: &String| {
        let label = labels.iter().find(|label| label.shown == *given);
        label.map_or_else(|| given.clone(), |label| label.whole.clone())
    };
    let labels = questions.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..]));
    answers
        .iter()
        .zip(labels)
        .map(|(given, labels)| given.iter().map(|given| restore(labels, given)).collect())
        .collect()
}

pub(super) fn network_id(ask: &Ask) -> NetworkWaitId {
    NetworkWaitId::from(ask.key.trim_start_matches("net:"))
}
