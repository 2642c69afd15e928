//! What a person set is never lost to what cannot be read.

use domain::{Delivery, Settings, SettingsPatch};
use engine::EngineError;

use crate::kit::Bench;

#[tokio::test(start_paused = true)]
async fn settings_that_cannot_be_read_are_not_stored_over() {
    let bench = Bench::start().await;
    let steer = || SettingsPatch { enter: Some(Delivery::Steer), ..SettingsPatch::default() };
    bench.engine.change_settings(steer()).await.unwrap();
    let other = rusqlite::Connection::open(bench.directory().join("baton.db")).unwrap();
    let spoil =
        "UPDATE kv SET json = json_set(json, '$.enter', 'unheard-of') WHERE key = 'settings'";
    assert_eq!(other.execute(spoil, ()).unwrap(), 1);
    let stored = || {
        let sql = "SELECT json FROM kv WHERE key = 'settings'";
        other.query_row(sql, (), |row| row.get::<_, String>(0)).unwrap()
    };
    let spoilt = stored();

    assert_eq!(bench.engine.settings().await.unwrap(), Settings::default());
    let changed = bench.engine.change_settings(steer()).await;
    assert!(matches!(changed, Err(EngineError::SettingsUnreadable)), "{changed:?}");
    assert_eq!(stored(), spoilt);
}
