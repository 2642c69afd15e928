//! Nobody gets in: Host, Origin, content type, credential, pairing.

use protocol::{DeviceList, PairingLink, ProblemCode};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use serde_json::json;

use crate::kit::{Server, problem};

/// The routes that answer without a credential.
const OPEN: [(&str, &str); 2] = [("get", "/api/health"), ("post", "/api/pair")];

#[tokio::test]
async fn every_route_but_two_needs_a_credential() {
    let server = Server::start().await;
    let document: serde_json::Value = server.get("/api/openapi.json").await;
    let mut checked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if !["get", "post", "patch", "delete"].contains(&method.as_str())
                || OPEN.contains(&(method, path))
            {
                continue;
            }
            let path = path.replace(['{', '}'], "x");
            let response = server.bare(method, &path).send().await.unwrap();
            problem(response, 401, ProblemCode::Unauthorized).await;
            checked += 1;
        }
    }
    assert!(checked > 25, "only {checked} routes");
    assert_eq!(server.bare("get", "/api/health").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_wrong_credential_is_none() {
    let server = Server::start().await;
    let cookie = server.pair().await;
    let name = cookie.split('=').next().unwrap();
    let wrong = format!("{name}={}", "0".repeat(64));
    let shorter = format!("Bearer {}", &server.token.reveal()[..63]);
    for (header, value) in [
        (COOKIE, wrong.as_str()),
        (COOKIE, &format!("{name}=")),
        (COOKIE, &cookie.replacen("baton", "other", 1)),
        (AUTHORIZATION, &shorter),
        (AUTHORIZATION, "Bearer "),
        (AUTHORIZATION, server.token.reveal()),
        (AUTHORIZATION, "Basic a2lsbzprZXk="),
    ] {
        let response =
            server.bare("get", "/api/bootstrap").header(header, value).send().await.unwrap();
        problem(response, 401, ProblemCode::Unauthorized).await;
    }
    // A wrong token is not made good by a right cookie; nor is a token in the address one.
    let both = server.bare("get", "/api/bootstrap").bearer_auth("wrong").header(COOKIE, &cookie);
    problem(both.send().await.unwrap(), 401, ProblemCode::Unauthorized).await;
    let path = format!("/api/bootstrap?token={}", server.token.reveal());
    let response = server.bare("get", &path).send().await.unwrap();
    problem(response, 401, ProblemCode::Unauthorized).await;
}

#[tokio::test]
async fn a_name_that_was_rebound_to_this_machine_is_refused() {
    let server = Server::start().await;
    for path in ["/api/bootstrap", "/api/health", "/", "/assets/a-1.js"] {
        for host in ["evil.example", "evil.example:4777", "localhost.evil.example", "192.168.1.5"] {
            let response = server.request("get", path).header(HOST, host).send().await.unwrap();
            problem(response, 403, ProblemCode::ForbiddenOrigin).await;
        }
    }
    for host in ["localhost", "localhost:1", "127.0.0.1:80", "[::1]:4777", "box.example"] {
        let response =
            server.request("get", "/api/bootstrap").header(HOST, host).send().await.unwrap();
        assert_eq!(response.status(), 200, "{host}");
    }
}

#[tokio::test]
async fn pages_of_another_origin_are_refused() {
    let server = Server::start().await;
    let own = server.url.clone();
    for origin in
        ["http://evil.example", "null", "http://localhost:3000", &format!("{own}.evil.example")]
    {
        for (method, path) in [("get", "/api/bootstrap"), ("post", "/api/pair/new")] {
            let response =
                server.request(method, path).header(ORIGIN, origin).send().await.unwrap();
            problem(response, 403, ProblemCode::ForbiddenOrigin).await;
        }
    }
    for site in ["cross-site", "same-site"] {
        let response = server.request("get", "/api/bootstrap").header("sec-fetch-site", site);
        problem(response.send().await.unwrap(), 403, ProblemCode::ForbiddenOrigin).await;
    }
    let response =
        server.request("get", "/api/bootstrap").header(ORIGIN, &own).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_change_by_cookie_has_to_name_its_origin() {
    let server = Server::start().await;
    let cookie = server.pair().await;
    let request = || server.bare("post", "/api/pair/new").header(COOKIE, &cookie);
    problem(request().send().await.unwrap(), 403, ProblemCode::ForbiddenOrigin).await;
    let response = request().header(ORIGIN, &server.url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let read = server.bare("get", "/api/bootstrap").header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!(read.status(), 200);
}

#[tokio::test]
async fn json_in_disguise_is_refused() {
    let server = Server::start().await;
    let body = json!({ "path": "/" }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "text/plain; application/json"]
    {
        let request = server.request("post", "/api/projects").header(CONTENT_TYPE, kind);
        let response = request.body(body.clone()).send().await.unwrap();
        problem(response, 415, ProblemCode::UnsupportedMediaType).await;
    }
    let response = server.request("post", "/api/projects").body(body).send().await.unwrap();
    problem(response, 415, ProblemCode::UnsupportedMediaType).await;
    let thread = server.thread().await;
    let stop = format!("/api/threads/{}/stop", thread.id);
    let response = server.request("post", &stop).header(CONTENT_TYPE, "text/plain").send().await;
    problem(response.unwrap(), 415, ProblemCode::UnsupportedMediaType).await;
}

#[tokio::test]
async fn a_code_pairs_once_and_guessing_is_slowed_down() {
    let server = Server::start().await;
    let link: PairingLink =
        server.request("post", "/api/pair/new").send().await.unwrap().json().await.unwrap();
    assert_eq!(link.url, format!("{}/#pair={}", server.url, link.code));
    let pair = |code: &str| server.bare("post", "/api/pair").json(&json!({ "code": code })).send();
    assert_eq!(pair(&link.code).await.unwrap().status(), 204);
    problem(pair(&link.code).await.unwrap(), 403, ProblemCode::BadPairingCode).await;
    for _ in 0..4 {
        problem(pair("0000-0000-0000").await.unwrap(), 403, ProblemCode::BadPairingCode).await;
    }
    let slowed = pair("0000-0000-0000").await.unwrap();
    assert!(slowed.headers().contains_key("retry-after"));
    problem(slowed, 429, ProblemCode::TooManyTries).await;
}

#[tokio::test]
async fn a_browser_that_is_paired_stays_one_device() {
    let server = Server::start().await;
    let cookie = server.pair().await;
    let code = server.app.pairing_code().unwrap();
    let request = server.bare("post", "/api/pair").json(&json!({ "code": code.as_str() }));
    let response = request.header(COOKIE, &cookie).send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert!(!response.headers().contains_key("set-cookie"));
    let devices: DeviceList = server.get("/api/devices").await;
    assert_eq!(devices.devices.len(), 1);
}

#[tokio::test]
async fn a_revoked_device_is_out_at_once() {
    let server = Server::start().await;
    let cookie = server.pair().await;
    let headers = [("cookie", cookie.as_str()), ("origin", &server.url)];
    let mut socket = server.socket(&headers).await.unwrap();
    socket.next().await;
    let list = || server.bare("get", "/api/devices").header(COOKIE, &cookie).send();
    let devices: DeviceList = list().await.unwrap().json().await.unwrap();
    let [device] = devices.devices.as_slice() else { panic!("one device: {devices:?}") };
    assert!(device.current);
    let path = format!("/api/devices/{}", device.id);
    assert_eq!(server.request("delete", &path).send().await.unwrap().status(), 204);
    problem(list().await.unwrap(), 401, ProblemCode::Unauthorized).await;
    assert!(socket.try_next().await.is_none());
    let again = server.request("delete", &path).send().await.unwrap();
    problem(again, 404, ProblemCode::UnknownDevice).await;
}

#[tokio::test]
async fn a_device_is_out_though_that_cannot_be_stored_and_for_good_once_it_can() {
    let server = Server::start().await;
    let cookie = server.pair().await;
    let list = || server.bare("get", "/api/devices").header(COOKIE, &cookie).send();
    let devices: DeviceList = list().await.unwrap().json().await.unwrap();
    let path = format!("/api/devices/{}", devices.devices[0].id);
    let disk = rusqlite::Connection::open(server.home.path().join("data/baton.db")).unwrap();
    disk.execute_batch("BEGIN IMMEDIATE").unwrap();
    let unstored = server.request("delete", &path).send().await.unwrap();
    assert!(unstored.status().is_server_error(), "{unstored:?}");
    problem(list().await.unwrap(), 401, ProblemCode::Unauthorized).await;
    drop(disk);
    assert_eq!(server.request("delete", &path).send().await.unwrap().status(), 204);
    let again = server.request("delete", &path).send().await.unwrap();
    problem(again, 404, ProblemCode::UnknownDevice).await;
}

#[tokio::test]
async fn a_socket_is_checked_like_everything_else() {
    let server = Server::start().await;
    let token = format!("Bearer {}", server.token.reveal());
    let own = server.url.as_str();
    for headers in [
        vec![("origin", own)],
        vec![("authorization", token.as_str())],
        vec![("authorization", token.as_str()), ("origin", "http://evil.example")],
        vec![("authorization", token.as_str()), ("origin", own), ("host", "evil.example")],
        vec![("authorization", "Bearer x"), ("origin", own)],
    ] {
        assert!(server.socket(&headers).await.is_err(), "{headers:?}");
    }
    assert!(server.socket(&[("authorization", &token), ("origin", own)]).await.is_ok());
}

#[tokio::test]
async fn pages_may_load_and_reach_nothing_else() {
    let server = Server::start().await;
    for path in ["/", "/api/health", "/nowhere.js"] {
        let response = server.bare("get", path).send().await.unwrap();
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
    }
}
