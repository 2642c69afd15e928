//! Providers: what is known of them, their settings, their agents' processes.

use std::sync::Arc;

use domain::{AgentReport, ProviderId, ProviderSettings, ProviderStatus};
use providers::{Inventory, Provider, RestartError};

use super::{Engine, secret_key, whole};
use crate::EngineError;

impl Engine {
    /// What is known of every provider.
    #[must_use]
    pub fn providers(&self) -> Vec<ProviderStatus> {
        self.shared.providers.statuses()
    }

    pub(crate) fn provider(&self, id: &ProviderId) -> Result<Arc<dyn Provider>, EngineError> {
        self.shared.providers.get(id).ok_or(EngineError::UnknownProvider)
    }

    /// Looks again whether a provider can be used.
    ///
    /// # Errors
    /// [`EngineError::UnknownProvider`].
    pub async fn refresh_provider(&self, id: &ProviderId) -> Result<ProviderStatus, EngineError> {
        Ok(self.provider(id)?.detect().await)
    }

    /// Stores and applies a provider's settings.
    ///
    /// # Errors
    /// [`EngineError::UnknownProvider`] or [`EngineError::Storage`].
    pub async fn configure_provider(
        &self,
        id: &ProviderId,
        settings: ProviderSettings,
    ) -> Result<ProviderStatus, EngineError> {
        let this = self.clone();
        let id = id.clone();
        whole(async move { this.configure_provider_whole(&id, settings).await }).await
    }

    /// Stores the password of the server that a provider's settings name, for the settings that
    /// are given next. It is told to nobody; the database is readable by its owner alone.
    ///
    /// # Errors
    /// [`EngineError::UnknownProvider`] or [`EngineError::Storage`].
    pub async fn entrust_provider(
        &self,
        id: &ProviderId,
        password: Option<String>,
    ) -> Result<(), EngineError> {
        let provider = self.provider(id)?;
        self.shared.store.put_value(&secret_key(id), &password).await?;
        provider.entrust(password);
        Ok(())
    }

    async fn configure_provider_whole(
        &self,
        id: &ProviderId,
        settings: ProviderSettings,
    ) -> Result<ProviderStatus, EngineError> {
        let provider = self.provider(id)?;
        // Switching off holds even when it cannot be stored.
        if !settings.enabled {
            provider.configure(settings.clone()).await;
        }
        self.shared.store.put_provider_settings(id, &settings).await?;
        if settings.enabled {
            provider.configure(settings).await;
        }
        Ok(provider.status().borrow().clone())
    }

    /// Starts a provider's agent process because it will soon be needed.
    ///
    /// # Errors
    /// [`EngineError::UnknownProvider`].
    pub fn warm_provider(&self, id: &ProviderId) -> Result<(), EngineError> {
        let provider = self.provider(id)?;
        tokio::spawn(async move { provider.warm().await });
        Ok(())
    }

    /// Ends a provider's agent process and starts it anew.
    ///
    /// # Errors
    /// [`EngineError::UnknownProvider`], [`EngineError::ProviderBusy`] when turns run and it is not
    /// forced, or [`EngineError::ProviderUnavailable`] with the reason it did not start.
    pub async fn restart_provider(
        &self,
        id: &ProviderId,
        force: bool,
    ) -> Result<ProviderStatus, EngineError> {
        let provider = self.provider(id)?;
        // In a task of its own: a caller that goes away does not leave it half done.
        whole(async move {
            provider.restart(force).await.map_err(|error| match error {
                RestartError::Busy { turns } => EngineError::ProviderBusy { turns },
                RestartError::Failed(error) => {
                    EngineError::ProviderUnavailable { message: error.message, fix: None }
                }
            })?;
            Ok(provider.status().borrow().clone())
        })
        .await
    }

    /// A provider's agent processes and how earlier ones ended.
    ///
    /// # Errors
    /// [`EngineError::UnknownProvider`].
    pub async fn agent_report(&self, id: &ProviderId) -> Result<AgentReport, EngineError> {
        Ok(self.provider(id)?.report().await)
    }

    /// The models of a provider.
    ///
    /// # Errors
    /// [`EngineError::UnknownProvider`].
    pub fn models(&self, id: &ProviderId) -> Result<Inventory, EngineError> {
        Ok(self.provider(id)?.inventory().borrow().clone())
    }
}
