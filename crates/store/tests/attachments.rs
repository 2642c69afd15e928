//! Files that go with messages: kept once, for their user alone, for as long as they are needed.
#![allow(missing_docs, reason = "tests")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use domain::{Attachment, AttachmentId, AttachmentKind, Input, NewTurn};
use store::Store;

mod common;

use common::{Driver, message};

/// Makes a file look as if nobody had touched it for two days.
fn age(store: &Store, id: &AttachmentId) {
    let file = File::options().append(true).open(store.attachment_path(id)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(48 * 60 * 60)).unwrap();
}

#[tokio::test]
async fn a_file_stays_while_a_message_refers_to_it_and_a_day_without() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.drop_attachments().await.unwrap(), 0, "there is no directory yet");
    let kept = store.keep_attachment(b"kept".to_vec()).await.unwrap();
    assert_eq!(store.keep_attachment(b"kept".to_vec()).await.unwrap(), kept);
    let unsent = store.keep_attachment(b"unsent".to_vec()).await.unwrap();
    let mode = |path: std::path::PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.attachment_path(&kept)), 0o600);
    assert_eq!(mode(dir.path().join("attachments")), 0o700);
    let file = Attachment {
        id: kept.clone(),
        name: "a.txt".to_owned(),
        kind: AttachmentKind::Text,
        bytes: 4,
    };
    let mut driver = Driver::new(&store, 1).await;
    let new = NewTurn { attachments: vec![file.clone()], ..message(1, "look") };
    driver.apply(Input::Submit(new)).await;
    assert_eq!(store.drop_attachments().await.unwrap(), 0, "both are young");
    for id in [&kept, &unsent] {
        age(&store, id);
    }
    assert_eq!(store.drop_attachments().await.unwrap(), 1);
    assert_eq!(store.attachment(&unsent).await.unwrap(), None);
    assert_eq!(store.attachment(&kept).await.unwrap().unwrap(), b"kept");
    // That it was read made it young; its message goes, and after a day so does it.
    store.delete_thread(&driver.id()).await.unwrap();
    store.close().await.unwrap();
    let store = Store::open(dir.path()).unwrap();
    age(&store, &kept);
    while store.drop_attachments().await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.attachment(&kept).await.unwrap(), None);
}
