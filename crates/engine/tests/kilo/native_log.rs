//! The native log: what Kilo sent, as it came, can be played again.

use std::collections::BTreeMap;

use domain::{Access, AgentEvent, ItemContent, TurnEvent};
use providers::kilo::native_log::replay;
use serde_json::Value;
use testkit::model::Script;

use crate::harness::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn a_native_log_played_again_gives_the_same_items_and_goes_with_its_thread() {
    let bench = Bench::start_with_native_log().await;
    let thread = bench.thread_with(Access::Full).await;
    let script = Script::new()
        .reasoning("Let me look.")
        .text("I will look.")
        .bash("echo seen")
        .step()
        .text("That is all there is.");
    bench.run(&thread, &script).await;
    let window = bench.window(&thread).await;
    let file = bench.native_log(&thread);
    let replayed = replay(&file).expect("a native log");
    assert_eq!(Some(&replayed.session), window.thread.session.as_ref());
    assert_eq!(replayed.prompts.first().map(String::as_str), window.turns[0].prompt_key.as_deref());

    // As the items stand in the end, in the order they began.
    let mut order: Vec<String> = Vec::new();
    let mut items: BTreeMap<String, (ItemContent, String)> = BTreeMap::new();
    for event in replayed.events {
        match event {
            AgentEvent::Turn { event: TurnEvent::Item(item), .. } => {
                if !items.contains_key(&item.key) {
                    order.push(item.key.clone());
                }
                let before = items.remove(&item.key).map(|(_, body)| body).unwrap_or_default();
                let body = item.body.map_or(before, |body| body.as_str().to_owned());
                items.insert(item.key, (item.content, body));
            }
            AgentEvent::Turn { event: TurnEvent::Text { key, text, .. }, .. } => {
                items.get_mut(&key).expect("a known item").1.push_str(&text);
            }
            _ => {}
        }
    }
    let again: Vec<_> = order.into_iter().filter_map(|key| items.remove(&key)).collect();
    let shown: Vec<_> =
        window.items.iter().map(|i| (i.content.clone(), i.body.head.clone())).collect();
    assert_eq!(again, shown);
    assert!(shown.len() >= 4, "{shown:?}");

    // Every line says what became of its event, or why nothing did.
    let text = std::fs::read_to_string(&file).expect("the log");
    for line in text.lines().skip(1) {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        if line.get("frame").is_some() {
            let became = line["became"].as_array().expect("what became of it");
            assert_eq!(became.is_empty(), line["why"].is_string(), "{line}");
        }
    }
    bench.engine.delete_thread(&thread).await.expect("a thread that can be deleted");
    assert!(!file.exists(), "the log outlived its thread");
    bench.engine.shutdown().await;
}
