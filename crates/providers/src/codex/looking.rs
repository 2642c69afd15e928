//! What can be said of Codex on this machine: installed or not, signed in or not, which models.

use std::path::Path;
use std::sync::Arc;

use codex_sdk::types::{Account, AccountRead, Model as NativeModel, Page};
use codex_sdk::{Error, LocateError, Server};
use domain::{ProviderState, ProviderStatus};
use serde_json::{Value, json};

use super::server::Found;
use super::{Shared, models};
use crate::shared::looks::{Checking, Remedies, Said, broken};

/// What mends the installation.
pub(super) const REMEDIES: Remedies = Remedies {
    install: "npm install -g @openai/codex",
    update: "npm install -g @openai/codex@latest",
};
/// Signs in with ChatGPT or a key (Codex 0.169.0, `codex login --help`).
const SIGN_IN: &str = "codex login";
/// Pages of models that are read.
const MAX_PAGES: u32 = 20;

/// Who is signed in, as far as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) needs_sign_in: bool,
    /// In words; `None` when nobody has to.
    pub(super) account: Option<String>,
}

impl Shared {
    pub(super) async fn locate(&self) -> Result<Found, LocateError> {
        let program = self.face.settings().binary;
        let configured = program.as_deref().map(Path::new);
        let installed = codex_sdk::locate(&self.config.host, configured, &self.config.path).await?;
        Ok(Found { program, installed })
    }

    /// Looks whether Codex can be used. With `models`, the process is started to read them.
    pub(super) async fn look(self: &Arc<Self>, models: bool) -> ProviderStatus {
        let _one_at_a_time = self.face.looking.lock().await;
        if !self.face.settings().enabled {
            return self.face.say(Said::switched_off());
        }
        let _checking = Checking::begin(&self.face.status);
        self.forgive().await;
        let found = match self.locate().await {
            Ok(found) => found,
            Err(error) => return self.face.say(self.face.is_missing(REMEDIES, &error)),
        };
        let installed = found.installed.clone();
        self.face.is_here(found, &installed.found, &installed.version);
        if models {
            match self.server().await {
                Ok(held) => self.read_models(&held.server).await,
                Err(error) => return self.face.say(broken(error)),
            }
        }
        self.face.say(self.usable())
    }

    /// What the account and the models say about the state.
    fn usable(&self) -> Said {
        let who = self.who.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if who.needs_sign_in {
            return Said {
                state: ProviderState::SignedOut,
                message: "nobody is signed in".to_owned(),
                fix: Some(SIGN_IN.to_owned()),
            };
        }
        let inventory = self.face.inventory.borrow();
        let count = inventory.usable();
        let models = if count == 1 { "1 model".to_owned() } else { format!("{count} models") };
        let message = match (&inventory.problem, &who.account) {
            (Some(problem), _) => format!("ready; the list of models is not fresh: {problem}"),
            (None, Some(account)) => format!("ready, {models}; signed in {account}"),
            (None, None) => format!("ready, {models}"),
        };
        Said { state: ProviderState::Ready, message, fix: None }
    }

    /// Reads the account and the models. A failure keeps the last good list.
    async fn read_models(self: &Arc<Self>, server: &Server) {
        let _one_at_a_time = self.reading.lock().await;
        let custom = self.face.settings().custom_models;
        let client = server.client();
        let read = async {
            let account: AccountRead = client.request("account/read", json!({})).await?;
            let config = client.ask("config/read", json!({})).await?;
            Ok::<_, Error>((account, all_models(server).await?, config))
        };
        match read.await {
            Ok((account, listed, config)) => {
                let who = Who {
                    needs_sign_in: account.needs_sign_in(),
                    account: account.account.as_ref().map(named),
                };
                {
                    let mut known =
                        self.who.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if known.account != who.account {
                        self.forget_limits();
                    }
                    *known = who.clone();
                }
                self.read_limits(server, account.account.as_ref());
                let config = config.get("config").unwrap_or(&Value::Null);
                let new = models::inventory(&listed, config, &custom, &who);
                self.face.fresh(new);
            }
            Err(error) => {
                tracing::warn!(%error, "the models of Codex could not be read");
                self.face.stale(error.to_string());
            }
        }
    }

    /// Looks again because the account changed.
    pub(super) fn account_changed(self: &Arc<Self>) {
        let shared = self.clone();
        tokio::spawn(async move { shared.look(true).await });
    }
}

async fn all_models(server: &Server) -> Result<Vec<NativeModel>, Error> {
    let (mut models, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..MAX_PAGES {
        let params = json!({ "limit": 100, "cursor": cursor });
        let page: Page<NativeModel> = server.client().request("model/list", params).await?;
        models.extend(page.data);
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(models)
}

/// An account in words.
fn named(account: &Account) -> String {
    let plan = account.plan_type.as_ref().map(|plan| format!(" ({plan})")).unwrap_or_default();
    match (account.kind.as_str(), &account.email) {
        ("apiKey", _) => "with an API key".to_owned(),
        (_, Some(email)) => format!("as {email}{plan}"),
        ("chatgpt", None) => format!("with ChatGPT{plan}"),
        (kind, None) => format!("by {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_sentence_and_its_command() {
        let missing =
            REMEDIES.describe(&LocateError::NotFound { command: "codex", configured: None }, false);
        assert_eq!(
            (missing.state, missing.fix.as_deref()),
            (ProviderState::NotInstalled, Some(REMEDIES.install))
        );
        let old = LocateError::TooOld {
            path: "/x".into(),
            version: codex_sdk::MINIMUM_VERSION,
            minimum: codex_sdk::MINIMUM_VERSION,
        };
        assert_eq!(REMEDIES.describe(&old, false).fix.as_deref(), Some(REMEDIES.update));
        let named = REMEDIES.describe(
            &LocateError::NotFound { command: "codex", configured: Some("/x".into()) },
            true,
        );
        assert_eq!(named.fix, None);
        assert!(named.message.contains("/x") && named.message.contains("settings"));
    }

    #[test]
    fn an_account_is_told_by_what_is_known_of_it() {
        let account = |kind: &str, email: Option<&str>, plan: Option<&str>| Account {
            kind: kind.to_owned(),
            email: email.map(str::to_owned),
            plan_type: plan.map(str::to_owned),
        };
        let said = |a: Account| super::named(&a);
        assert_eq!(said(account("apiKey", None, None)), "with an API key");
        assert_eq!(said(account("chatgpt", Some("a@b.c"), Some("plus"))), "as a@b.c (plus)");
        assert_eq!(said(account("new", None, None)), "by new");
    }
}
