//! The models of Kilo that can be chosen, and why others cannot.
//!
//! What is said of an upstream rests on `GET /provider` and `GET /config`: a provider that the
//! configuration sets up counts as connected, with or without a key; one that it switches off, or
//! that has no model, is left out of the inventory altogether (Kilo 7.7.7, measured).

use domain::{Model, ModelAbilities, ModelCost, Upstream, UpstreamState};
use kilo_sdk::types::{self, Config, Provider};

use super::looking::SIGN_IN;
use crate::Inventory;

/// How many upstreams are told of; those that can be used come first.
const MAX_UPSTREAMS: usize = 100;
/// Kilo's own gateway, which is connected without an account too.
const GATEWAY: &str = "kilo";

/// What Kilo said, with the models that a person added checked against it.
pub(super) fn inventory(all: &types::Inventory, config: &Config, custom: &[String]) -> Inventory {
    let catalogue = Catalogue { all, config };
    let default = default_model(all, config);
    let connected = all.providers.iter().filter(|provider| catalogue.connected(&provider.id));
    let models = connected
        .flat_map(|provider| provider.models.iter().map(move |m| (provider, m)))
        .filter(|(_, m)| why_not(m).is_none())
        .map(|(provider, m)| model(provider, m))
        .collect();
    let mut told =
        Inventory { models, known: true, problem: None, upstreams: catalogue.upstreams(custom) };
    let listed = told.models.len();
    for id in custom {
        if !told.models.iter().take(listed).any(|m| m.id == *id) {
            let reason = catalogue.doubt(id, &told);
            told.models.push(custom_model(id, reason));
        }
    }
    for model in &mut told.models {
        model.default = default.as_deref() == Some(&model.id);
    }
    told.models.sort_by(|a, b| {
        (!a.default, &a.group, !a.free, &a.name, &a.id)
            .cmp(&(!b.default, &b.group, !b.free, &b.name, &b.id))
    });
    told
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What Kilo knows, and what its configuration says of it.
struct Catalogue<'a> {
    all: &'a types::Inventory,
    config: &'a Config,
}

impl<'a> Catalogue<'a> {
    fn connected(&self, id: &str) -> bool {
        self.all.connected.iter().any(|known| known == id)
    }

    fn provider(&self, id: &str) -> Option<&'a Provider> {
        self.all.providers.iter().find(|provider| provider.id == id)
    }

    /// The upstreams a person knows of: connected, failed, set up, switched off, or named by a
    /// model they added. The hundreds of others that Kilo could use are not told.
    fn upstreams(&self, custom: &[String]) -> Vec<Upstream> {
        let named = custom.iter().filter_map(|id| id.split_once('/')).map(|(upstream, _)| upstream);
        let mut ids: Vec<&str> = Vec::new();
        let lists = [&self.all.connected, &self.all.failed, &self.config.providers];
        let known = lists.into_iter().chain([&self.config.disabled_providers]).flatten();
        for id in known.map(String::as_str).chain(named) {
            if ids.len() == MAX_UPSTREAMS {
                tracing::debug!("there are more upstreams of Kilo than are told of");
                break;
            }
            if !id.is_empty() && !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids.into_iter().map(|id| self.upstream(id)).collect()
    }

    fn upstream(&self, id: &str) -> Upstream {
        let provider = self.provider(id);
        let state = self.state(id);
        let usable = matches!(state, UpstreamState::Connected | UpstreamState::Stale);
        let all = provider.map_or(0, |provider| provider.models.len());
        let models = provider
            .filter(|_| usable)
            .map_or(0, |provider| provider.models.iter().filter(|m| why_not(m).is_none()).count());
        let sign_in = || Some(format!("{SIGN_IN} -p {}", shell_word(id)));
        let source = provider.map_or("", |provider| provider.source.as_str());
        let anonymous = id == GATEWAY && source == "custom";
        let (message, fix) = match state {
            UpstreamState::Connected if anonymous => ("used without an account", sign_in()),
            UpstreamState::Connected => (credentials(source), None),
            UpstreamState::Stale => (
                "its live list could not be read, so that the one Kilo came with is shown; check \
                 the connection, then check again",
                anonymous.then(sign_in).flatten(),
            ),
            UpstreamState::SignedOut => ("nobody is signed in", sign_in()),
            UpstreamState::SwitchedOff => (
                "switched off by `disabled_providers` or `enabled_providers` in Kilo's \
                 configuration; change it there",
                None,
            ),
            UpstreamState::Empty => {
                ("set up in Kilo's configuration without a model; add one there", None)
            }
            UpstreamState::Unknown => (
                "Kilo does not know it; correct its name, or set it up in Kilo's configuration",
                None,
            ),
        };
        Upstream {
            id: id.to_owned(),
            name: provider.map(|p| &p.name).filter(|n| !n.is_empty()).map_or(id, |n| n).to_owned(),
            state,
            models: number(models),
            left_out: if usable { number(all - models) } else { 0 },
            message: message.to_owned(),
            fix,
        }
    }

    fn state(&self, id: &str) -> UpstreamState {
        let names = |list: &[String]| list.iter().any(|name| name == id);
        if self.connected(id) {
            return match names(&self.all.failed) {
                true => UpstreamState::Stale,
                false => UpstreamState::Connected,
            };
        }
        let others = self.config.enabled_providers.as_ref().is_some_and(|only| !names(only));
        if others || names(&self.config.disabled_providers) {
            UpstreamState::SwitchedOff
        } else if self.provider(id).is_some_and(|provider| !provider.models.is_empty()) {
            UpstreamState::SignedOut
        } else if names(&self.config.providers) {
            UpstreamState::Empty
        } else {
            UpstreamState::Unknown
        }
    }

    /// Why a model that a person added is not known to work. `listed` holds those that do.
    fn doubt(&self, id: &str, listed: &Inventory) -> String {
        let Some((upstream, name)) =
            id.split_once('/').filter(|(u, n)| !u.is_empty() && !n.is_empty())
        else {
            return format!("`{id}` names no upstream; write it as `upstream/model`");
        };
        if !self.connected(upstream) {
            let Upstream { message, fix, .. } = self.upstream(upstream);
            let fix = fix.map_or(String::new(), |fix| format!(": run `{fix}`"));
            let connected = self.all.connected.join(", ");
            return format!(
                "`{upstream}` is not connected, {message}{fix}. Connected: {connected}"
            );
        }
        let provider = self.provider(upstream);
        if let Some(model) = provider.and_then(|p| p.models.iter().find(|m| m.id == name)) {
            let why = why_not(model).unwrap_or("it cannot be used");
            return format!("Kilo lists `{id}`, but {why}");
        }
        match listed.near(id).as_slice() {
            [] => format!("Kilo lists no model `{name}` of `{upstream}`"),
            near => format!(
                "Kilo lists no model `{name}` of `{upstream}`; near it: {}",
                near.join(", ")
            ),
        }
    }
}

/// Why a model of a connected provider is of no use for coding.
fn why_not(model: &types::Model) -> Option<&'static str> {
    if !model.capabilities.toolcall {
        Some("it cannot call tools")
    } else if !model.capabilities.output.text {
        Some("it does not write text")
    } else if model.status.as_deref() == Some("deprecated") {
        Some("it is withdrawn")
    } else {
        None
    }
}

/// What a provider's settings come from, by Kilo's word for it.
fn credentials(source: &str) -> &'static str {
    match source {
        "api" => "signed in",
        "env" => "by a variable of the environment",
        "config" => "by Kilo's configuration",
        _ => "connected",
    }
}

/// An id as a word of a command; those with odd characters are quoted.
fn shell_word(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.chars().all(plain) { id.to_owned() } else { format!("'{}'", id.replace('\'', r"'\''")) }
}

/// The model Kilo itself would take: the configured one, else the gateway's free automatic one.
fn default_model(all: &types::Inventory, config: &Config) -> Option<String> {
    const FREE: &str = "kilo/kilo-auto/free";
    config
        .model
        .clone()
        .or_else(|| all.connected.iter().any(|p| p == GATEWAY).then(|| FREE.to_owned()))
}

fn model(provider: &Provider, model: &types::Model) -> Model {
    let capabilities = &model.capabilities;
    let priced = model.cost.input > 0.0 || model.cost.output > 0.0;
    Model {
        id: format!("{}/{}", provider.id, model.id),
        name: if model.name.is_empty() { model.id.clone() } else { model.name.clone() },
        group: if provider.name.is_empty() { provider.id.clone() } else { provider.name.clone() },
        options: model.variants.clone(),
        abilities: ModelAbilities {
            tools: capabilities.toolcall,
            reasoning: capabilities.reasoning,
            images: capabilities.input.image,
            pdf: capabilities.input.pdf,
        },
        cost: priced.then_some(ModelCost { input: model.cost.input, output: model.cost.output }),
        context: whole(model.limit.context),
        free: model.is_free.unwrap_or(!priced),
        custom: false,
        default: false,
        unverified: None,
    }
}

fn custom_model(id: &str, unverified: String) -> Model {
    Model {
        id: id.to_owned(),
        name: id.split_once('/').map_or(id, |(_, name)| name).to_owned(),
        group: "Custom".to_owned(),
        options: Vec::new(),
        abilities: ModelAbilities { tools: true, ..ModelAbilities::default() },
        cost: None,
        context: None,
        free: false,
        custom: true,
        default: false,
        unverified: Some(unverified),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
fn whole(number: f64) -> Option<u64> {
    (number.is_finite() && number >= 1.0).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As Kilo 7.7.7 answers, shortened.
    fn read(custom: &[&str]) -> Inventory {
        let can =
            |tools: bool, text: bool| json!({ "toolcall": tools, "output": { "text": text } });
        let model = |id: &str, capabilities| json!({ "id": id, "capabilities": capabilities });
        let all = json!({
            "all": [
                { "id": "kilo", "name": "Kilo Gateway", "source": "custom", "models": {
                    "kilo-auto/free": model("kilo-auto/free", can(true, true)) } },
                { "id": "mock", "name": "Mock", "source": "config", "models": {
                    "m1": model("m1", can(true, true)), "m1-mini": model("m1-mini", can(true, true)),
                    "talks": model("talks", can(false, true)), "draws": model("draws", can(true, false)),
                    "old": { "id": "old", "status": "deprecated", "capabilities": can(true, true) } } },
                { "id": "groq", "name": "Groq", "source": "custom", "models": {
                    "llama": model("llama", can(true, true)) } },
                { "id": "xai", "name": "xAI", "source": "custom", "models": {
                    "grok": model("grok", can(true, true)) } },
            ],
            "connected": ["kilo", "mock"], "failed": ["kilo"], "default": {},
        });
        let config = json!({ "model": "mock/m1", "disabled_providers": ["google"],
            "provider": { "mock": { "options": { "apiKey": "sk-secret" } }, "empty": {} } });
        let custom: Vec<String> = custom.iter().map(|id| (*id).to_owned()).collect();
        inventory(
            &serde_json::from_str(&all.to_string()).unwrap(),
            &serde_json::from_str(&config.to_string()).unwrap(),
            &custom,
        )
    }

    fn told(inventory: &Inventory, id: &str) -> Upstream {
        inventory.upstreams.iter().find(|upstream| upstream.id == id).unwrap().clone()
    }

    #[test]
    fn upstreams_say_why_they_cannot_be_used_and_what_mends_it() {
        let inventory = read(&["groq/llama", "gorq/llama"]);
        let ids: Vec<&str> = inventory.upstreams.iter().map(|u| u.id.as_str()).collect();
        // `xai` is one of the hundreds that nobody here asked for.
        assert_eq!(ids, ["kilo", "mock", "empty", "google", "groq", "gorq"]);
        let states = inventory.upstreams.iter().map(|u| u.state).collect::<Vec<_>>();
        use UpstreamState::{Connected, Empty, SignedOut, Stale, SwitchedOff, Unknown};
        assert_eq!(states, [Stale, Connected, Empty, SwitchedOff, SignedOut, Unknown]);
        let mock = told(&inventory, "mock");
        assert_eq!((mock.models, mock.left_out, mock.fix), (2, 3, None));
        let sign_in = Some("kilo auth login -p groq".to_owned());
        assert_eq!(told(&inventory, "groq").fix, sign_in);
        assert_eq!(told(&inventory, "kilo").fix.as_deref(), Some("kilo auth login -p kilo"));
        assert!(inventory.upstreams.iter().all(|upstream| !upstream.message.is_empty()));
        assert!(!format!("{inventory:?}").contains("secret"));
    }

    #[test]
    fn an_added_model_is_checked_against_what_kilo_lists() {
        let added = ["mock/m1", "mock/m1-max", "gorq/llama", "groq/llama", "mock/talks", "m1"];
        let inventory = read(&added);
        let doubt = |id: &str| {
            let model = inventory.models.iter().find(|m| m.id == id).unwrap();
            assert_eq!(model.custom, model.unverified.is_some(), "{model:?}");
            model.unverified.clone().unwrap_or_default()
        };
        // What Kilo lists is an ordinary model.
        assert_eq!(doubt("mock/m1"), "");
        let near = doubt("mock/m1-max");
        assert!(near.contains("near it: mock/m1, mock/m1-mini"), "{near}");
        let unknown = doubt("gorq/llama");
        assert!(unknown.ends_with("Connected: kilo, mock"), "{unknown}");
        assert!(doubt("groq/llama").contains("`kilo auth login -p groq`"));
        assert!(doubt("mock/talks").contains("tools"));
        assert!(doubt("m1").contains("upstream/model"));
        assert_eq!(inventory.usable(), 3);
    }

    #[test]
    fn a_command_holds_its_name_as_one_word() {
        assert_eq!(shell_word("a-b.c_1"), "a-b.c_1");
        assert_eq!(shell_word("a'; rm x"), r"'a'\''; rm x'");
    }
}
