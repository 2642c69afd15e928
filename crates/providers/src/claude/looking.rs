//! What can be said of Claude Code on this machine: installed or not, signed in or not, which models.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use claude_sdk::{AuthStatus, Initialized, Installed, Launch, LocateError};
use domain::{AgentProcess, AgentReport, ProviderState, ProviderStatus};

use super::rules::Rules;
use super::{Shared, errors, models};
use crate::shared::installs::Installable;
use crate::shared::looks::{Checking, Remedies, Said, plain};

/// What mends the installation.
pub(super) const REMEDIES: Remedies = Remedies {
    install: "npm install -g @anthropic-ai/claude-code",
    update: "npm install -g @anthropic-ai/claude-code@latest",
};

impl Shared {
    pub(super) async fn locate(&self) -> Result<Installed, LocateError> {
        let program = self.face.settings().binary;
        let configured = program.as_deref().map(Path::new);
        claude_sdk::locate(&self.config.host, configured, &self.config.path).await
    }

    /// Looks whether Claude Code can be used. With `models`, it is started to be asked for them.
    pub(super) async fn look(self: &Arc<Self>, models: bool) -> ProviderStatus {
        let _one_at_a_time = self.face.looking.lock().await;
        if !self.face.settings().enabled {
            return self.face.say(Said::switched_off());
        }
        let _checking = Checking::begin(&self.face.status);
        let installed = match self.locate().await {
            Ok(installed) => installed,
            Err(error) => return self.face.say(self.face.is_missing(REMEDIES, &error)),
        };
        let program = installed.program.clone();
        self.face.is_here(installed.clone(), &installed.found, &installed.version);
        let (config, host) = (&self.config, &self.config.host);
        let auth = claude_sdk::auth_status(host, &program, &config.cwd, &config.env).await;
        let auth = match auth {
            Ok(auth) => auth,
            Err(error) => return self.face.say(broken(&plain(&error.to_string()))),
        };
        self.limits_are_of(&who(&auth));
        if models && let Err(why) = self.read_models(&program).await {
            if !self.face.inventory.borrow().known {
                return self.face.say(broken(&why));
            }
            self.face.stale(why);
        }
        self.face.say(self.said(&auth))
    }

    /// Starts it without a conversation, to be told the models.
    async fn read_models(self: &Arc<Self>, program: &Path) -> Result<(), String> {
        let mut launch = Launch::new(program, &self.config.cwd);
        launch.persist = false;
        self.restrict(&mut launch, false);
        let config = self.config_dir();
        let rules = tokio::task::spawn_blocking(move || Rules::read(&config, None)).await;
        let started = self.launch_ruled(launch, &rules.unwrap_or_default(), &[]).await;
        let started = started.map_err(|e| plain(&e.to_string()))?;
        self.learn(&started.initialized);
        started.agent.stop("it has told its models", std::time::Duration::from_secs(2)).await;
        Ok(())
    }

    /// Takes the models from what an agent says when it is ready.
    pub(super) fn learn(&self, initialized: &Initialized) {
        if initialized.models.is_empty() {
            return;
        }
        let new = models::inventory(&initialized.models, &self.face.settings().custom_models);
        self.face.fresh(new);
    }

    /// Puts the models that a person added among those that are known.
    pub(super) fn name_models(&self) {
        let custom = self.face.settings().custom_models;
        self.face.inventory.send_if_modified(|known| {
            let before = known.models.clone();
            models::with_custom(&mut known.models, &custom);
            known.models != before
        });
    }

    fn said(&self, auth: &AuthStatus) -> Said {
        if !auth.logged_in {
            return Said {
                state: ProviderState::SignedOut,
                message: "nobody is signed in to Claude Code".to_owned(),
                fix: Some(errors::SIGN_IN.to_owned()),
            };
        }
        let inventory = self.face.inventory.borrow();
        let count = inventory.usable();
        let models = if count == 1 { "1 model".to_owned() } else { format!("{count} models") };
        let who = who(auth);
        let message = match &inventory.problem {
            Some(problem) => format!("ready, {who}; the list of models is not fresh: {problem}"),
            None => format!("ready, {models}, {who}"),
        };
        Said { state: ProviderState::Ready, message, fix: None }
    }

    /// The processes that run, and how others ended.
    pub(super) async fn report(&self) -> AgentReport {
        let version = self.face.status.borrow().version.clone().unwrap_or_default();
        let running: Vec<_> = self
            .processes()
            .iter()
            .map(|process| AgentProcess {
                trusted: process.trusted,
                pid: Some(process.pid),
                url: process.directory.display().to_string(),
                version: version.clone(),
                since: process.since,
                answering: true,
                memory_bytes: None,
                cpu_percent: None,
                sessions: 1,
                turns: 0,
                directories: 1,
            })
            .collect();
        let measure = move || {
            let with = |mut process: AgentProcess| {
                process.memory_bytes =
                    process.pid.and_then(process::usage).map(|usage| usage.rss_bytes);
                process
            };
            running.into_iter().map(with).collect()
        };
        let running = tokio::task::spawn_blocking(measure).await.unwrap_or_default();
        self.ends.report(running)
    }
}

impl Installable for Shared {
    fn is_closed(&self) -> bool {
        self.face.closed.is_cancelled()
    }

    fn status(&self) -> ProviderStatus {
        self.face.status.borrow().clone()
    }

    fn wants_program(&self) -> bool {
        self.face.settings().enabled
    }

    fn find(&self) -> Option<PathBuf> {
        let configured = self.face.settings().binary;
        claude_sdk::find(configured.as_deref().map(Path::new), &self.config.path)
    }

    async fn look_again(self: Arc<Self>) {
        self.look(true).await;
    }
}

/// As whom somebody is signed in.
fn who(auth: &AuthStatus) -> String {
    let plan = auth.subscription_type.as_deref().map(|plan| format!(" ({plan})"));
    match (&auth.email, auth.auth_method.as_str()) {
        (Some(email), _) => format!("signed in as {email}{}", plan.unwrap_or_default()),
        (None, "api_key") => {
            let source = auth.api_key_source.as_deref().unwrap_or("a key");
            format!("with the key of {source}")
        }
        (None, "oauth_token") => "with a token of an account".to_owned(),
        (None, _) if auth.api_provider != "firstParty" && !auth.api_provider.is_empty() => {
            format!("through {}", auth.api_provider)
        }
        (None, _) => "signed in".to_owned(),
    }
}

fn broken(why: &str) -> Said {
    Said {
        state: ProviderState::Broken,
        message: format!("Claude Code does not work: {why}"),
        fix: None,
    }
}
