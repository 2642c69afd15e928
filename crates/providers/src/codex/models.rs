//! The models that Codex offers. Its list is of OpenAI's, whatever provider of models a person's
//! configuration names (0.169.0).

use codex_sdk::types::Model as NativeModel;
use domain::{Model, ModelAbilities, Upstream, UpstreamState};
use serde_json::Value;

use super::looking::Who;
use crate::Inventory;

/// The provider of models without a choice.
const OPENAI: &str = "openai";

/// The models that can be chosen.
pub(super) fn inventory(
    listed: &[NativeModel],
    config: &Value,
    custom: &[String],
    who: &Who,
) -> Inventory {
    let set = |name: &str| config.get(name).and_then(Value::as_str).filter(|set| !set.is_empty());
    let provider = set("model_provider").unwrap_or(OPENAI);
    let named = config.pointer(&format!("/model_providers/{provider}/name"));
    let group = match named.and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None if provider == OPENAI => "OpenAI".to_owned(),
        None => provider.to_owned(),
    };
    let preferred = set("model");
    let mut models: Vec<Model> = listed
        .iter()
        .filter(|model| !model.hidden || preferred == Some(model.id.as_str()))
        .map(|model| Model {
            id: model.id.clone(),
            name: if model.display_name.is_empty() {
                model.id.clone()
            } else {
                model.display_name.clone()
            },
            group: group.clone(),
            options: model
                .supported_reasoning_efforts
                .iter()
                .map(|effort| effort.reasoning_effort.clone())
                .collect(),
            abilities: ModelAbilities {
                tools: true,
                reasoning: !model.supported_reasoning_efforts.is_empty(),
                images: model.input_modalities.iter().any(|kind| kind == "image"),
                pdf: false,
            },
            cost: None,
            context: None,
            free: false,
            custom: false,
            default: preferred.map_or(model.is_default, |preferred| preferred == model.id),
            unverified: None,
        })
        .collect();
    let known = |models: &[Model], id: &str| models.iter().any(|model| model.id == id);
    if let Some(id) = preferred.filter(|id| !known(&models, id)) {
        models.insert(0, own(id, &group, true, false, None));
    }
    for id in custom {
        if !known(&models, id) {
            let doubt = "Codex does not list it, and takes any name: whether it works shows when \
                         it is used";
            models.push(own(id, &group, false, true, Some(doubt.to_owned())));
        }
    }
    let state = if who.needs_sign_in { UpstreamState::SignedOut } else { UpstreamState::Connected };
    let upstream = Upstream {
        id: provider.to_owned(),
        name: group,
        state,
        models: u32::try_from(models.len()).unwrap_or(u32::MAX),
        left_out: u32::try_from(listed.iter().filter(|m| m.hidden).count()).unwrap_or(u32::MAX),
        message: match &who.account {
            Some(account) => format!("signed in {account}"),
            None if who.needs_sign_in => "nobody is signed in".to_owned(),
            None => "set up in Codex's configuration".to_owned(),
        },
        fix: who.needs_sign_in.then(|| "codex login".to_owned()),
    };
    Inventory { models, known: true, problem: None, upstreams: vec![upstream] }
}

/// A model of which only its name is known.
fn own(id: &str, group: &str, default: bool, custom: bool, unverified: Option<String>) -> Model {
    Model {
        id: id.to_owned(),
        name: id.to_owned(),
        group: group.to_owned(),
        options: Vec::new(),
        abilities: ModelAbilities { tools: true, reasoning: false, images: false, pdf: false },
        cost: None,
        context: None,
        free: false,
        custom,
        default,
        unverified,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hidden_models_are_left_out_and_a_person_s_own_are_there() {
        let listed: Vec<NativeModel> = serde_json::from_value(json!([
            {"id": "a", "displayName": "A", "isDefault": true, "inputModalities": ["text", "image"],
             "supportedReasoningEfforts": [{"reasoningEffort": "low"}, {"reasoningEffort": "high"}]},
            {"id": "b", "hidden": true},
        ]))
        .unwrap();
        let ids = |inventory: &Inventory| {
            let told = |m: &Model| (m.id.clone(), m.default, m.custom);
            inventory.models.iter().map(told).collect::<Vec<_>>()
        };
        let plain = inventory(&listed, &json!({}), &[], &Who::default());
        assert_eq!(ids(&plain), [("a".to_owned(), true, false)]);
        assert_eq!(plain.models[0].options, ["low", "high"]);
        assert!(plain.models[0].abilities.images && plain.models[0].group == "OpenAI");
        let config = json!({"model": "mine", "model_provider": "mock",
            "model_providers": {"mock": {"name": "Mock"}}});
        let own = inventory(&listed, &config, &["more".to_owned()], &Who::default());
        let wanted = [("mine", true, false), ("a", false, false), ("more", false, true)];
        assert_eq!(ids(&own), wanted.map(|(id, d, c)| (id.to_owned(), d, c)));
        assert_eq!(own.models[0].group, "Mock");
        assert_eq!(own.usable(), 2);
    }
}
