//! The models that Claude Code offers, from what it says when it is ready.

use domain::{Model, ModelAbilities};
use serde_json::Value;

use crate::Inventory;
use crate::shared::shorten::line;

/// Models that are taken from the agent, and that a person may add.
const MAX_MODELS: usize = 200;
/// What the models are grouped by: they all come from the one account.
const GROUP: &str = "Claude";

/// What can be chosen: the agent's own models, then those that a person added.
pub(super) fn inventory(told: &[Value], custom: &[String]) -> Inventory {
    let mut models: Vec<Model> = told.iter().take(MAX_MODELS).filter_map(model).collect();
    with_custom(&mut models, custom);
    Inventory { models, known: true, problem: None, upstreams: Vec::new() }
}

/// Puts what a person added in place of what was added before.
pub(super) fn with_custom(models: &mut Vec<Model>, custom: &[String]) {
    models.retain(|model| !model.custom);
    for id in custom.iter().map(|id| id.trim()).filter(|id| !id.is_empty()).take(MAX_MODELS) {
        if !models.iter().any(|model| model.id == id) {
            models.push(named(id));
        }
    }
}

fn model(told: &Value) -> Option<Model> {
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    let flag = |name: &str| told.get(name).and_then(Value::as_bool).unwrap_or_default();
    let id = text("value");
    if id.is_empty() {
        return None;
    }
    let efforts = told.get("supportedEffortLevels").and_then(Value::as_array);
    let efforts = efforts.map(|list| list.iter().filter_map(Value::as_str).map(line).collect());
    let name = if text("displayName").is_empty() { id } else { text("displayName") };
    let resolved = text("resolvedModel");
    Some(Model {
        id: id.to_owned(),
        name: line(name),
        group: GROUP.to_owned(),
        options: efforts.unwrap_or_default(),
        abilities: ModelAbilities {
            tools: true,
            reasoning: flag("supportsEffort") || flag("supportsAdaptiveThinking"),
            images: true,
            pdf: true,
        },
        cost: None,
        context: context(id, resolved),
        free: false,
        custom: false,
        default: id == "default",
        unverified: None,
    })
}

/// What a name says of the context; the agent says it with a turn's end only.
fn context(id: &str, resolved: &str) -> Option<u64> {
    (id.ends_with("[1m]") || resolved.ends_with("[1m]")).then_some(1_000_000)
}

fn named(id: &str) -> Model {
    Model {
        id: id.to_owned(),
        name: id.to_owned(),
        group: GROUP.to_owned(),
        options: Vec::new(),
        abilities: ModelAbilities { tools: true, reasoning: false, images: true, pdf: true },
        cost: None,
        context: context(id, ""),
        free: false,
        custom: true,
        default: false,
        unverified: Some(
            "Claude Code does not list this model; whether it is there shows with a message"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn models_have_the_efforts_they_support_and_those_a_person_added_are_marked() {
        let told = [
            json!({ "value": "default", "displayName": "Default (recommended)",
                "resolvedModel": "claude-opus-4-8[1m]", "supportsEffort": true,
                "supportedEffortLevels": ["low", "high"] }),
            json!({ "value": "haiku", "displayName": "Haiku" }),
            json!({ "displayName": "nameless" }),
        ];
        let inventory = inventory(&told, &["haiku".to_owned(), "claude-x".to_owned()]);
        let ids: Vec<_> = inventory.models.iter().map(|model| model.id.as_str()).collect();
        assert_eq!(ids, ["default", "haiku", "claude-x"]);
        let [default, haiku, own] = inventory.models.as_slice() else { panic!("three models") };
        assert_eq!(default.options, ["low", "high"]);
        assert!(default.default && default.context == Some(1_000_000));
        assert!(haiku.options.is_empty() && !haiku.custom);
        assert!(own.custom && own.unverified.is_some());
        assert_eq!(inventory.usable(), 2);
    }
}
