//! Providers and models, without what the server says about keys.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::nullable;

/// The providers Kilo knows (`GET /provider`).
///
/// The answer is megabytes and holds keys in clear; this is read from it directly, and neither
/// keys nor options are kept.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Inventory {
    /// All providers, usable or not.
    #[serde(rename = "all", deserialize_with = "nullable")]
    pub providers: Vec<Provider>,
    /// Those whose models can be used. `kilo` is among them even without credentials.
    #[serde(deserialize_with = "nullable")]
    pub connected: Vec<String>,
    /// Those whose live catalogue could not be fetched; what Kilo was shipped with is given.
    #[serde(deserialize_with = "nullable")]
    pub failed: Vec<String>,
    /// Kilo's guess at the best model per provider; not what the configuration says.
    #[serde(deserialize_with = "nullable")]
    pub default: BTreeMap<String, String>,
}

/// A provider of models.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Provider {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where its settings come from: `env`, `config`, `custom` or `api`.
    pub source: String,
    /// Its models.
    #[serde(deserialize_with = "values")]
    pub models: Vec<Model>,
}

/// A model.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Model {
    /// Its id within its provider; may hold slashes, colons and tildes.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its family.
    pub family: Option<String>,
    /// What it can do.
    #[serde(deserialize_with = "nullable")]
    pub capabilities: Capabilities,
    /// What it costs.
    #[serde(deserialize_with = "nullable")]
    pub cost: Cost,
    /// How much fits.
    #[serde(deserialize_with = "nullable")]
    pub limit: ModelLimit,
    /// `active`, `alpha`, `beta` or `deprecated`.
    pub status: Option<String>,
    /// Its release as `YYYY-MM-DD`.
    pub release_date: Option<String>,
    /// The names of its reasoning variants, to be sent with prompts; their order is Kilo's.
    #[serde(deserialize_with = "keys")]
    pub variants: Vec<String>,
    /// Its place among the gateway's recommendations (`kilo` with a live catalogue only).
    #[serde(rename = "recommendedIndex")]
    pub recommended_index: Option<f64>,
    /// Whether it is free (`kilo` with a live catalogue only).
    #[serde(rename = "isFree")]
    pub is_free: Option<bool>,
    /// Whether its provider may train on prompts (`kilo` with a live catalogue only).
    #[serde(rename = "mayTrainOnYourPrompts")]
    pub may_train_on_prompts: Option<bool>,
}

/// What a model can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// It reasons before it answers.
    pub reasoning: bool,
    /// It takes attachments.
    pub attachment: bool,
    /// It calls tools, without which it is of no use for coding.
    pub toolcall: bool,
    /// What it reads.
    pub input: Media,
    /// What it writes.
    pub output: Media,
}

/// Kinds of content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Media {
    /// Text.
    pub text: bool,
    /// Images.
    pub image: bool,
    /// PDF documents.
    pub pdf: bool,
    /// Sound.
    pub audio: bool,
    /// Video.
    pub video: bool,
}

/// US dollars per million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// Sent.
    pub input: f64,
    /// Received.
    pub output: f64,
    /// Cached.
    pub cache: CacheCost,
}

/// US dollars per million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CacheCost {
    /// Read from the cache.
    pub read: f64,
    /// Written to the cache.
    pub write: f64,
}

/// Tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ModelLimit {
    /// Of a whole conversation.
    pub context: f64,
    /// Of what is sent, if bounded apart.
    pub input: Option<f64>,
    /// Of an answer.
    pub output: f64,
}

/// The values of a map, in its order. One that is not understood is left out: a single odd model
/// must not hide the thousands of others.
fn values<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let values = entries(from, |key, raw: &'de RawValue| match serde_json::from_str(raw.get()) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::warn!(key, %error, "an entry of the inventory is not understood");
            None
        }
    })?;
    Ok(values.into_iter().flatten().collect())
}

/// The keys of a map, in its order; its values are skipped unread.
pub(super) fn keys<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    entries(from, |key, _: IgnoredAny| key)
}

fn entries<'de, D, V, T>(from: D, pick: fn(String, V) -> T) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    struct Entries<V, T>(fn(String, V) -> T, PhantomData<V>);

    impl<'de, V: Deserialize<'de>, T> Visitor<'de> for Entries<V, T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map or null")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut picked = Vec::new();
            while let Some((key, value)) = map.next_entry()? {
                picked.push((self.0)(key, value));
            }
            Ok(picked)
        }
    }

    from.deserialize_any(Entries(pick, PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_kept_and_one_odd_model_hides_no_other() {
        let json = r#"{ "all": [{ "id": "p", "name": "P", "source": "env", "key": "sk-secret",
            "options": { "apiKey": "sk-secret" }, "models": {
                "a/b:free": { "id": "a/b:free", "name": "AB", "cost": null, "variants": {
                    "low": { "reasoningEffort": "low" }, "high": {} } },
                "odd": { "id": 7 },
                "z": { "id": "z", "variants": null, "limit": { "context": 1000 }, "new": 1 } } },
            { "id": "empty", "models": null }],
            "default": { "p": "z" }, "connected": ["p"], "failed": null }"#;
        let inventory: Inventory = serde_json::from_str(json).unwrap();
        assert!(!format!("{inventory:?}").contains("secret"));
        let models = &inventory.providers[0].models;
        assert_eq!(models.iter().map(|m| m.id.as_str()).collect::<Vec<_>>(), ["a/b:free", "z"]);
        assert_eq!(models[0].variants, ["low", "high"]);
        assert_eq!(inventory.providers[1].models, []);
    }
}
