//! What a person set for all of their devices.

use axum::Json;
use axum::extract::State;
use domain::{Settings, SettingsPatch};

use crate::extract::{self, MAX_SETTINGS_BODY};
use crate::problem::Failure;
use crate::state::App;

/// Gives the settings that hold on all devices.
#[utoipa::path(get, path = "/api/settings", tag = "settings", responses(
    (status = 200, body = Settings)
))]
pub(crate) async fn read(State(app): State<App>) -> Result<Json<Settings>, Failure> {
    Ok(Json(app.engine.settings().await?))
}

/// Changes the settings; what is absent stays. Everyone who follows the shell is told.
#[utoipa::path(patch, path = "/api/settings", tag = "settings", request_body = SettingsPatch,
    responses((status = 200, body = Settings)))]
pub(crate) async fn change(
    State(app): State<App>,
    extract::Json(patch): extract::Json<SettingsPatch, MAX_SETTINGS_BODY>,
) -> Result<Json<Settings>, Failure> {
    Ok(Json(app.engine.change_settings(patch).await?))
}
