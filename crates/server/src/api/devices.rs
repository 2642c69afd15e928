//! Pairing, and the devices that are paired.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use protocol::{Device, DeviceList, PairRequest, PairingAddress, PairingLink, ProblemCode};
use serde::Deserialize;

use crate::credentials::cookie;
use crate::devices::PairError;
use crate::extract::{self, Params, QueryOf};
use crate::guard::{Caller, Peer};
use crate::pairing::Try;
use crate::problem::Failure;
use crate::qr;
use crate::state::App;

/// How long a cookie is kept, in seconds: as long as browsers allow.
const COOKIE_SECONDS: u32 = 400 * 24 * 60 * 60;

/// Takes a one-time code and gives a cookie.
#[utoipa::path(post, path = "/api/pair", tag = "devices", security(()), request_body = PairRequest,
    responses((status = 204, description = "Paired; the cookie is set")))]
pub(crate) async fn pair(
    State(app): State<App>,
    Peer(address): Peer,
    headers: HeaderMap,
    extract::Json(request): extract::Json<PairRequest>,
) -> Result<Response, Failure> {
    match app.pairing.redeem(&request.code, address, Instant::now()) {
        Try::Paired => {}
        Try::Wrong => {
            let title = "The pairing code is wrong, used or too old.";
            return Err(Failure::new(ProblemCode::BadPairingCode, title)
                .detail("Run `baton pair` on Baton's machine for a new link."));
        }
        Try::Wait(seconds) => {
            let title = "Too many wrong pairing codes were tried.";
            return Err(Failure::new(ProblemCode::TooManyTries, title)
                .detail(format!("Try again in {seconds} s."))
                .retry_after(seconds));
        }
    }
    if paired_already(&app, &headers) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let name = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let secret = app.devices.pair(name.unwrap_or("unknown")).await.map_err(not_paired)?;
    tracing::info!("a device was paired");
    // Without `Secure`, which would keep browsers from sending it over plain HTTP.
    let set_cookie = format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_SECONDS}",
        app.cookie,
        secret.reveal()
    );
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, set_cookie)])).into_response())
}

/// Where a new code is asked for.
#[derive(Deserialize)]
pub(crate) struct Asked {
    from: Option<String>,
}

/// Makes a one-time code for another device.
#[utoipa::path(post, path = "/api/pair/new", tag = "devices",
    params(("from" = Option<String>, Query, description = "The address of the page that asks, to be offered to the other device if it leads here from there")),
    responses((status = 200, body = PairingLink)))]
pub(crate) async fn new_code(
    State(app): State<App>,
    QueryOf(Asked { from }): QueryOf<Asked>,
) -> Result<Json<PairingLink>, Failure> {
    let code = app.pairing_code().map_err(|error| not_paired(error.into()))?;
    let links = app.links_for_others(&code, from.as_deref());
    let address = |url: String| Some(PairingAddress { qr: qr::rows(&url)?, url });
    Ok(Json(PairingLink {
        url: app.pairing_link(&code),
        addresses: links.into_iter().filter_map(address).collect(),
        only_here: app.config.bound.ip().is_loopback(),
        code: code.as_str().to_owned(),
        expires_at: app.code_expiry(),
    }))
}

/// Lists the devices that are paired.
#[utoipa::path(get, path = "/api/devices", tag = "devices", responses(
    (status = 200, body = DeviceList)
))]
pub(crate) async fn list(State(app): State<App>, caller: Caller) -> Json<DeviceList> {
    let device = |paired: crate::devices::Paired| Device {
        current: caller == Caller::Device(paired.id.clone()),
        id: paired.id,
        name: paired.name,
        created_at: paired.created_at,
        used_at: paired.used_at,
    };
    Json(DeviceList { devices: app.devices.list().into_iter().map(device).collect() })
}

/// Revokes a device; its open sockets end at once.
#[utoipa::path(delete, path = "/api/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "The device")),
    responses((status = 204, description = "Revoked")))]
pub(crate) async fn revoke(
    State(app): State<App>,
    Params(id): Params<String>,
) -> Result<StatusCode, Failure> {
    match app.devices.revoke(&id).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Failure::new(ProblemCode::UnknownDevice, "There is no such device.")),
        Err(error) => Err(not_paired(error.into())),
    }
}

/// Whether the browser has a valid cookie: opening a link at each start must not fill the list of
/// devices with one and the same.
fn paired_already(app: &App, headers: &HeaderMap) -> bool {
    cookie(headers, &app.cookie).is_some_and(|secret| app.devices.find(secret).is_some())
}

fn not_paired(error: PairError) -> Failure {
    match error {
        PairError::Storage(error) => error.into(),
        PairError::Randomness(error) => {
            Failure::new(ProblemCode::Internal, "No code can be made.").detail(error.to_string())
        }
    }
}
