//! Devices: how others are let in, and when they were used.

use protocol::{DeviceList, Diagnostics, LogLevel, PairingLink};
use reqwest::header::COOKIE;

use crate::kit::{DEADLINE, Server};

async fn link(server: &Server, from: &str) -> PairingLink {
    let request = server.request("post", &format!("/api/pair/new?from={from}"));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// Reads a code as a camera would: drawn with its quiet zone, four pixels for each module.
fn read(rows: &[String]) -> String {
    const SCALE: usize = 4;
    const QUIET: usize = 4;
    let side = (rows.len() + 2 * QUIET) * SCALE;
    let dark = |at: usize| (at / SCALE).checked_sub(QUIET);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        let module = dark(x).zip(dark(y)).and_then(|(x, y)| rows.get(y)?.as_bytes().get(x));
        if module == Some(&b'1') { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code: {rows:?}");
    grids[0].decode().unwrap().1
}

#[tokio::test]
async fn a_code_that_is_seen_leads_another_device_here() {
    let server = Server::start().await;
    let made = link(&server, "https://box.example/baton/").await;
    let wanted = format!("https://box.example/baton/#pair={}", made.code);
    let [address] = made.addresses.as_slice() else { panic!("one address: {made:?}") };
    assert_eq!((address.url.as_str(), read(&address.qr)), (wanted.as_str(), wanted.clone()));
    assert!(address.qr.iter().all(|row| row.len() == address.qr.len()), "a square");

    // What leads here on this machine alone, or to somebody else, is not offered.
    for from in [server.url.as_str(), "http://localhost:1/", "https://evil.example/", "odd"] {
        assert_eq!(link(&server, from).await.addresses, [], "{from}");
    }
    let response = server.request("post", "/api/pair/new").send().await.unwrap();
    let made = response.json::<PairingLink>().await.unwrap();
    assert_eq!((made.addresses, made.only_here), (vec![], true));
}

#[tokio::test]
async fn it_is_noted_when_a_device_was_used() {
    let server = Server::start().await;
    let cookie = server.pair().await;
    let devices = async || server.get::<DeviceList>("/api/devices").await.devices;
    let paired = devices().await.remove(0);
    assert_eq!(paired.used_at, Some(paired.created_at));
    let disk = rusqlite::Connection::open(server.home.path().join("data/baton.db")).unwrap();
    // As if it had not been used for long.
    disk.execute("UPDATE tokens SET last_seen_at = 1", ()).unwrap();
    let again = server.again().await;
    assert_eq!(again.get::<DeviceList>("/api/devices").await.devices[0].used_at, Some(1));
    let own = again.bare("get", "/api/devices").header(COOKIE, &cookie).send().await.unwrap();
    let own: DeviceList = own.json().await.unwrap();
    let used = own.devices[0].used_at.unwrap();
    assert!(own.devices[0].current && used >= paired.created_at, "{own:?}");
    let stored = || -> i64 {
        disk.query_row("SELECT last_seen_at FROM tokens", (), |row| row.get(0)).unwrap()
    };
    let noted = async {
        while stored() == 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, noted).await.unwrap();
    assert_eq!(stored(), used);
}

#[tokio::test]
async fn what_went_wrong_is_in_the_diagnostics() {
    let server = Server::start().await;
    assert_eq!(server.get::<Diagnostics>("/api/diagnostics").await.recent, []);
    server.recent.note(LogLevel::Warn, "Kilo does not answer");
    server.recent.note(LogLevel::Error, "token=abc was refused");
    let recent = server.get::<Diagnostics>("/api/diagnostics").await.recent;
    let told: Vec<_> = recent.iter().map(|line| (line.level, line.text.as_str())).collect();
    assert_eq!(
        told,
        [(LogLevel::Error, "token=[hidden] was refused"), (LogLevel::Warn, "Kilo does not answer")]
    );
}
