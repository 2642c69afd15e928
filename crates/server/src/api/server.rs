//! The server itself.
use axum::Json;
use axum::extract::State;
use protocol::{Bootstrap, Diagnostics, Health, ProviderProcesses};

use crate::recent::scrub;
use crate::state::App;

/// Says that the server answers.
#[utoipa::path(get, path = "/api/health", tag = "server", security(()), responses(
    (status = 200, body = Health)
))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { ok: true })
}

/// Says who serves.
#[utoipa::path(get, path = "/api/bootstrap", tag = "server", responses(
    (status = 200, body = Bootstrap)
))]
pub(crate) async fn bootstrap(State(app): State<App>) -> Json<Bootstrap> {
    Json(Bootstrap {
        version: app.config.version.clone(),
        epoch: app.engine.epoch().to_owned(),
        host: app.config.machine.clone(),
        home: app.config.home.to_string_lossy().into_owned(),
    })
}

/// What to look at, and to send along, when something is wrong. What looks like a secret is left out
/// of all that agents and the log say.
#[utoipa::path(get, path = "/api/diagnostics", tag = "server", responses(
    (status = 200, body = Diagnostics)
))]
pub(crate) async fn diagnostics(State(app): State<App>) -> Json<Diagnostics> {
    let mut providers = app.engine.providers();
    let mut processes = Vec::with_capacity(providers.len());
    for provider in &providers {
        let mut report = app.engine.agent_report(&provider.id).await.unwrap_or_default();
        report.processes.iter_mut().for_each(|process| scrub(&mut process.url));
        report.ends.iter_mut().filter_map(|end| end.said.as_mut()).for_each(scrub);
        processes.push(ProviderProcesses { id: provider.id.clone(), report });
    }
    for provider in &mut providers {
        scrub(&mut provider.message);
        provider.problems.iter_mut().for_each(|problem| scrub(&mut problem.message));
        provider.settings.server.iter_mut().for_each(scrub);
    }
    Json(Diagnostics {
        version: app.config.version.clone(),
        epoch: app.engine.epoch().to_owned(),
        pid: std::process::id(),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        uptime_seconds: app.uptime().as_secs(),
        data_dir: app.config.data_dir.to_string_lossy().into_owned(),
        memory_bytes: own_memory().await,
        sockets: app.open_sockets(),
        providers,
        processes,
        recent: app.config.recent.lines(),
    })
}

/// The resident memory of this process in bytes, where `/proc` tells it.
async fn own_memory() -> Option<u64> {
    let status = tokio::fs::read_to_string("/proc/self/status").await.ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
