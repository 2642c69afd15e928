//! What can be said of Kilo on this machine: installed or not, usable or not, which models.

use std::path::Path;
use std::sync::Arc;

use domain::{ProviderState, ProviderStatus};
use kilo_sdk::{Client, LocateError};

use super::problems::{self, Source};
use super::server::{Found, Host, Kind};
use super::{Shared, models};
use crate::shared::looks::{Checking, Remedies, Said, broken};

/// What mends the installation.
pub(super) const REMEDIES: Remedies = Remedies {
    install: "npm install -g @kilocode/cli",
    update: "npm install -g @kilocode/cli@latest",
};
/// Signs in to any upstream; with `-p` to one (Kilo 7.7.7, `kilo auth login --help`).
pub(super) const SIGN_IN: &str = "kilo auth login";

impl Shared {
    pub(super) async fn locate(&self) -> Result<Found, LocateError> {
        let program = self.face.settings().binary;
        let configured = program.as_deref().map(Path::new);
        let installed = kilo_sdk::locate(&self.config.host, configured, &self.config.path).await?;
        Ok(Found { program, installed })
    }

    /// Looks whether Kilo can be used. With `models`, the server is started to read them.
    pub(super) async fn look(self: &Arc<Self>, models: bool) -> ProviderStatus {
        let _one_at_a_time = self.face.looking.lock().await;
        if !self.face.settings().enabled {
            return self.face.say(Said::switched_off());
        }
        let _checking = Checking::begin(&self.face.status);
        self.forgive().await;
        if self.face.settings().server.is_some() {
            return self.look_at_attached().await;
        }
        let found = match self.locate().await {
            Ok(found) => found,
            Err(error) => return self.face.say(self.face.is_missing(REMEDIES, &error)),
        };
        let installed = found.installed.clone();
        self.face.is_here(found, &installed.found, &installed.version);
        if models {
            // Starting the server reads the models as well; one that runs is asked again.
            match self.server(Kind::Trusted).await {
                Ok(held) => {
                    self.read_anew(&held.server).await;
                }
                Err(error) => return self.face.say(broken(error)),
            }
        }
        self.face.say(self.usable())
    }

    /// Looks at a server that a person named.
    async fn look_at_attached(self: &Arc<Self>) -> ProviderStatus {
        self.face.status.send_modify(|status| status.binary = None);
        match self.server(Kind::Trusted).await {
            Ok(held) => {
                let version = held.server.version().to_owned();
                self.face.status.send_modify(|status| status.version = Some(version));
                self.refresh_models(held.server.client()).await;
                self.face.say(self.usable())
            }
            Err(error) => {
                self.face.status.send_modify(|status| status.version = None);
                self.face.say(broken(error))
            }
        }
    }

    /// What the models say about the state.
    fn usable(&self) -> Said {
        let inventory = self.face.inventory.borrow();
        let count = inventory.usable();
        if inventory.known && inventory.models.is_empty() {
            return Said {
                state: ProviderState::SignedOut,
                message: "no model can be used: nobody is signed in to any provider".to_owned(),
                fix: Some(SIGN_IN.to_owned()),
            };
        }
        let message = match (&inventory.problem, count) {
            (Some(problem), _) => format!("ready; the list of models is not fresh: {problem}"),
            (None, 1) => "ready, 1 model".to_owned(),
            (None, count) => format!("ready, {count} models"),
        };
        Said { state: ProviderState::Ready, message, fix: None }
    }

    /// Has Kilo read its configuration anew, and reads the models of it.
    pub(super) async fn read_anew(&self, server: &Host) {
        let _one_at_a_time = self.reading.lock().await;
        // Others may count on what a server that is not ours keeps.
        if server.is_own() {
            forget_configuration(server.client()).await;
        }
        self.read_models(server.client()).await;
    }

    /// Reads the models from the running server. A failure keeps the last good list.
    pub(super) async fn refresh_models(&self, client: &Client) {
        let _one_at_a_time = self.reading.lock().await;
        self.read_models(client).await;
    }

    async fn read_models(&self, client: &Client) {
        let home = client.at_home();
        let read = async {
            let inventory = home.providers().await?;
            let config = home.config().await?;
            if let Ok(warnings) = home.config_warnings().await {
                self.set_problems(&Source::User, problems::of_configuration(&warnings));
            }
            Ok::<_, kilo_sdk::Error>((inventory, config))
        };
        let custom = self.face.settings().custom_models;
        match read.await {
            Ok((inventory, config)) => {
                let new = models::inventory(&inventory, &config, &custom);
                self.face.fresh(new);
            }
            Err(error) => {
                tracing::warn!(%error, "the models of Kilo could not be read");
                self.face.stale(error.to_string());
            }
        }
        let checked = self.face.status.borrow().state;
        if matches!(
            checked,
            ProviderState::Ready | ProviderState::SignedOut | ProviderState::Broken
        ) {
            self.face.say(self.usable());
        }
    }
}

/// Has Kilo read its configuration anew: an instance keeps what it read when it was made (7.7.7).
/// Outside of projects nothing runs, so that nothing is stopped by it.
async fn forget_configuration(client: &Client) {
    let home = client.at_home();
    match home.statuses().await {
        Ok(statuses) if statuses.is_empty() => {
            if let Err(error) = home.dispose().await {
                tracing::warn!(%error, "the configuration of Kilo could not be read anew");
            }
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "it is unknown what runs in Kilo's own directory"),
    }
}

#[cfg(test)]
mod stale;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_named_in_the_settings_is_to_be_corrected_not_installed() {
        let error =
            LocateError::NotFound { command: "kilo", configured: Some("/nope/kilo".into()) };
        let said = REMEDIES.describe(&error, true);
        assert_eq!((said.state, said.fix), (ProviderState::NotInstalled, None));
        assert!(said.message.contains("/nope/kilo") && said.message.contains("settings"));
        let said =
            REMEDIES.describe(&LocateError::NotFound { command: "kilo", configured: None }, false);
        assert_eq!(said.fix.as_deref(), Some(REMEDIES.install));
    }
}
