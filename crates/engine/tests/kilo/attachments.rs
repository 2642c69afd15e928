//! Files that go with a message reach the model, and what it cannot look at is refused before.

use domain::{AttachmentKind, ModelSelection, TurnState};
use engine::EngineError;
use testkit::model::Script;

use crate::harness::{Bench, message};

/// A picture of one pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, 0x49, 0x44, 0x41, 0x54,
    0x78, 0xda, 0x63, 0xfc, 0xcf, 0xc0, 0x50, 0x0f, 0, 4, 0x85, 1, 0x80, 0x84, 0xa9, 0x8c, 0x21, 0,
    0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

#[tokio::test(flavor = "multi_thread")]
async fn an_image_and_a_text_reach_the_model() {
    let mut bench = Bench::start().await;
    let thread = bench.thread().await;
    let image = bench.engine.attach("dot.png", PNG.to_vec()).await.unwrap();
    assert_eq!(image.kind, AttachmentKind::Png);
    let text = bench.engine.attach("notes.txt", b"the word is xylophone".to_vec()).await.unwrap();
    let words = Script::new().text("Seen.").prompt("Look at these.");
    let mut new = message(&words);
    new.attachments = vec![image.clone(), text.clone()];
    // The thread's model cannot look at pictures.
    let refused = bench.engine.send(&thread, new.clone()).await;
    assert!(matches!(refused, Err(EngineError::ModelCannotRead { .. })), "{refused:?}");
    new.model = Some(ModelSelection { model: "mock/m-vision".to_owned(), option: None });
    let turn = bench.engine.send(&thread, new).await.unwrap().id;
    let turn = bench.ended(&thread, &turn).await;
    assert_eq!((turn.state, &turn.error), (TurnState::Completed, &None));
    assert_eq!(turn.input.attachments, [image.clone(), text]);
    let window = bench.window(&thread).await;
    assert_eq!(window.items.len(), 1, "what goes with a message is no step: {:?}", window.items);
    let calls = bench.sandbox.model.calls_with("Look at these.");
    let body = calls.iter().map(|call| call.body.to_string()).collect::<String>();
    assert!(body.contains("data:image/png;base64,iVBORw0KGgo"), "{body:.2000}");
    assert!(body.contains("xylophone"), "{body:.2000}");

    // What a message refers to is kept over a restart.
    bench.restart().await;
    let (kind, bytes) = bench.engine.attachment(&image.id).await.unwrap();
    assert_eq!((kind, bytes.as_slice()), (AttachmentKind::Png, PNG));
    bench.engine.shutdown().await;
}
