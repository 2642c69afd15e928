//! What a person set for all of their devices.

use domain::{Settings, SettingsPatch, ShellChange};

use super::{Engine, whole};
use crate::EngineError;
use crate::shell::{settings_to_change, store_settings, stored_settings};

impl Engine {
    /// The settings as they stand; as they come when what is stored cannot be read.
    ///
    /// # Errors
    /// [`EngineError::Storage`].
    pub async fn settings(&self) -> Result<Settings, EngineError> {
        stored_settings(&self.shared.store).await
    }

    /// Changes the settings, and tells everyone who follows the shell.
    ///
    /// # Errors
    /// [`EngineError::Settings`] when the change does not fit, [`EngineError::SettingsUnreadable`]
    /// when it would take the place of what cannot be read; then nothing is changed.
    pub async fn change_settings(&self, patch: SettingsPatch) -> Result<Settings, EngineError> {
        let this = self.clone();
        whole(async move { this.change_settings_whole(&patch).await }).await
    }

    async fn change_settings_whole(&self, patch: &SettingsPatch) -> Result<Settings, EngineError> {
        let _one_at_a_time = self.setting.lock().await;
        let known = settings_to_change(&self.shared.store).await?;
        let settings = known.changed(patch)?;
        if settings != known {
            store_settings(&self.shared.store, &settings).await?;
            self.shared.shell.publish(ShellChange::Settings { settings: settings.clone() });
        }
        Ok(settings)
    }
}
