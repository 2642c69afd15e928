//! Providers: their state, their settings, their models.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{AgentReport, ProviderId, ProviderSettings, ProviderStatus};
use protocol::{ModelList, ProblemCode, ProviderList, RestartProvider, SetProvider};

use crate::extract::{self, Params};
use crate::problem::Failure;
use crate::state::App;

/// The most models a person adds to a provider.
const MAX_CUSTOM_MODELS: usize = 200;
/// The longest path or model id in a setting, in bytes.
const MAX_SETTING: usize = 4096;

/// Lists every provider with its state.
#[utoipa::path(get, path = "/api/providers", tag = "providers", responses(
    (status = 200, body = ProviderList)
))]
pub(crate) async fn list(State(app): State<App>) -> Json<ProviderList> {
    Json(ProviderList { providers: app.engine.providers() })
}

/// Changes a provider's settings; what is absent stays.
#[utoipa::path(patch, path = "/api/providers/{id}", tag = "providers", request_body = SetProvider,
    params(("id" = String, Path, description = "The provider")),
    responses((status = 200, body = ProviderStatus)))]
pub(crate) async fn configure(
    State(app): State<App>,
    Params(id): Params<ProviderId>,
    extract::Json(change): extract::Json<SetProvider>,
) -> Result<Json<ProviderStatus>, Failure> {
    let known = app.engine.providers().into_iter().find(|status| status.id == id);
    let settings = known.ok_or(engine::EngineError::UnknownProvider)?.settings;
    let password = change.server_password.clone();
    let settings = merged(settings, change)?;
    if let Some(password) = password {
        if password.len() > MAX_SETTING {
            let title = format!("A setting has at most {MAX_SETTING} characters.");
            return Err(Failure::new(ProblemCode::BadRequest, title));
        }
        let password = Some(password).filter(|password| !password.is_empty());
        app.engine.entrust_provider(&id, password).await?;
    }
    Ok(Json(app.engine.configure_provider(&id, settings).await?))
}

/// Looks again whether a provider can be used.
#[utoipa::path(post, path = "/api/providers/{id}/refresh", tag = "providers",
    params(("id" = String, Path, description = "The provider")),
    responses((status = 200, body = ProviderStatus)))]
pub(crate) async fn refresh(
    State(app): State<App>,
    Params(id): Params<ProviderId>,
) -> Result<Json<ProviderStatus>, Failure> {
    Ok(Json(app.engine.refresh_provider(&id).await?))
}

/// Starts a provider's agent process, because a person begins to compose.
#[utoipa::path(post, path = "/api/providers/{id}/warm", tag = "providers",
    params(("id" = String, Path, description = "The provider")),
    responses((status = 202, description = "Being started")))]
pub(crate) async fn warm(
    State(app): State<App>,
    Params(id): Params<ProviderId>,
) -> Result<StatusCode, Failure> {
    app.engine.warm_provider(&id)?;
    Ok(StatusCode::ACCEPTED)
}

/// Ends a provider's agent process and starts it anew; refused while turns run, unless forced.
#[utoipa::path(post, path = "/api/providers/{id}/restart", tag = "providers",
    request_body = RestartProvider,
    params(("id" = String, Path, description = "The provider")),
    responses((status = 200, body = ProviderStatus)))]
pub(crate) async fn restart(
    State(app): State<App>,
    Params(id): Params<ProviderId>,
    extract::Json(RestartProvider { force }): extract::Json<RestartProvider>,
) -> Result<Json<ProviderStatus>, Failure> {
    Ok(Json(app.engine.restart_provider(&id, force.unwrap_or(false)).await?))
}

/// Says which agent processes of a provider run, and how earlier ones ended.
#[utoipa::path(get, path = "/api/providers/{id}/processes", tag = "providers",
    params(("id" = String, Path, description = "The provider")),
    responses((status = 200, body = AgentReport)))]
pub(crate) async fn processes(
    State(app): State<App>,
    Params(id): Params<ProviderId>,
) -> Result<Json<AgentReport>, Failure> {
    Ok(Json(app.engine.agent_report(&id).await?))
}

/// Lists the models of a provider, from the last good look.
#[utoipa::path(get, path = "/api/providers/{id}/models", tag = "providers",
    params(("id" = String, Path, description = "The provider")),
    responses((status = 200, body = ModelList)))]
pub(crate) async fn models(
    State(app): State<App>,
    Params(id): Params<ProviderId>,
) -> Result<Json<ModelList>, Failure> {
    let inventory = app.engine.models(&id)?;
    let stale = inventory.problem.is_some() || !inventory.known;
    Ok(Json(ModelList {
        models: inventory.models,
        stale,
        problem: inventory.problem,
        upstreams: inventory.upstreams,
    }))
}

fn merged(now: ProviderSettings, change: SetProvider) -> Result<ProviderSettings, Failure> {
    let refused = |title: String| Err(Failure::new(ProblemCode::BadRequest, title));
    let custom_models = change.custom_models.unwrap_or(now.custom_models);
    if custom_models.len() > MAX_CUSTOM_MODELS {
        return refused(format!("At most {MAX_CUSTOM_MODELS} models can be added."));
    }
    let binary = match change.binary.as_deref().map(str::trim) {
        None => now.binary,
        Some("") => None,
        Some(path) => Some(path.to_owned()),
    };
    let server = match change.server.as_deref().map(str::trim) {
        None => now.server,
        Some("") => None,
        Some(server) => Some(server.to_owned()),
    };
    if custom_models.iter().chain(&binary).chain(&server).any(|text| text.len() > MAX_SETTING) {
        return refused(format!("A setting has at most {MAX_SETTING} characters."));
    }
    let mut kept: Vec<String> = Vec::new();
    for model in custom_models.iter().map(|model| model.trim()) {
        if !model.is_empty() && !kept.iter().any(|known| known == model) {
            kept.push(model.to_owned());
        }
    }
    let enabled = change.enabled.unwrap_or(now.enabled);
    Ok(ProviderSettings { enabled, binary, custom_models: kept, server })
}
