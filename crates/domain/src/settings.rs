//! What a person set for all of their devices.
//!
//! Changes name only what they change, so that two devices that change different things do not
//! undo each other's, and a change that is made again changes nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{Delivery, ProviderId};

/// The most actions whose keys are changed.
pub const MAX_CHANGED_ACTIONS: usize = 200;
/// The most keys of one action.
pub const MAX_ACTION_KEYS: usize = 8;
/// The longest name of an action, and the longest key as it is written, in bytes.
pub const MAX_KEY_BYTES: usize = 64;
/// The most favourite models.
pub const MAX_FAVOURITES: usize = 100;
/// The most hidden models.
pub const MAX_HIDDEN: usize = 1_000;
/// The most models that are remembered as used.
pub const MAX_RECENT: usize = 12;
/// The longest name of a model, its provider included, in bytes.
pub const MAX_MODEL_NAME: usize = 256;

/// What a person set for all of their devices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Settings {
    /// How often they were changed: of two, the one with more is the newer.
    #[serde(default)]
    pub revision: u64,
    /// The keys that were changed, by action; an empty list is no key. What an action or a key is
    /// called is the page's affair.
    #[serde(default)]
    pub keys: BTreeMap<String, Vec<String>>,
    /// What Enter does with a message while the agent works.
    #[serde(default)]
    pub enter: Delivery,
    /// What is thought of models.
    #[serde(default)]
    pub models: ModelTaste,
}

/// Models by what a person thinks of them. A model is named by its provider, a space and its id:
/// `kilo anthropic/claude-sonnet-4`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ModelTaste {
    /// The favourites, in the order they became it; at most 100.
    #[serde(default)]
    pub favourites: Vec<String>,
    /// Those that were chosen, the last one first; at most 12.
    #[serde(default)]
    pub recent: Vec<String>,
    /// Those that are left out of lists; at most 1000.
    #[serde(default)]
    pub hidden: Vec<String>,
}

/// A change of the settings; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SettingsPatch {
    /// Keys by action; `null` for those it came with.
    pub keys: Option<BTreeMap<String, Option<Vec<String>>>>,
    /// What Enter does with a message while the agent works.
    pub enter: Option<Delivery>,
    /// What is now thought of models; of two about the same one, the later counts.
    pub marks: Option<Vec<MarkedModel>>,
    /// Models that were chosen, the last one last.
    pub used: Option<Vec<String>>,
}

/// What is thought of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkedModel {
    /// The model: its provider, a space, its id.
    pub model: String,
    /// What is thought of it; `None` for nothing.
    pub mark: Option<ModelMark>,
}

/// What can be thought of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelMark {
    /// It stands on top.
    Favourite,
    /// It is left out.
    Hidden,
}

/// Why settings cannot be changed like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The name of an action.
    #[error("`{0}` is no name of an action")]
    Action(String),
    /// A key of an action.
    #[error("`{0}` is no key")]
    Key(String),
    /// One action has too many keys.
    #[error("an action has at most {MAX_ACTION_KEYS} keys")]
    ActionKeys,
    /// Too many actions have other keys.
    #[error("the keys of at most {MAX_CHANGED_ACTIONS} actions can be changed")]
    ChangedActions,
    /// The name of a model.
    #[error("`{0}` does not name a model: expected a provider, a space and the model's id")]
    Model(String),
    /// Too many favourites.
    #[error("at most {MAX_FAVOURITES} models can be favourites")]
    Favourites,
    /// Too many are hidden.
    #[error("at most {MAX_HIDDEN} models can be hidden")]
    Hidden,
}

impl Settings {
    /// The settings after a change; the same when nothing changes.
    ///
    /// # Errors
    /// [`SettingsError`] when the change has names that are none, or goes beyond a bound. Nothing
    /// of it is done then. Of the models that were used, the oldest are forgotten instead.
    pub fn changed(&self, patch: &SettingsPatch) -> Result<Self, SettingsError> {
        let mut next = self.clone();
        for (action, keys) in patch.keys.iter().flatten() {
            change_keys(&mut next.keys, action, keys.as_deref())?;
        }
        next.enter = patch.enter.unwrap_or(next.enter);
        for MarkedModel { model, mark } in patch.marks.iter().flatten() {
            next.models.mark(model, *mark)?;
        }
        for model in patch.used.iter().flatten() {
            next.models.used(model)?;
        }
        if next.keys.len() > MAX_CHANGED_ACTIONS {
            return Err(SettingsError::ChangedActions);
        }
        if next.models.favourites.len() > MAX_FAVOURITES {
            return Err(SettingsError::Favourites);
        }
        if next.models.hidden.len() > MAX_HIDDEN {
            return Err(SettingsError::Hidden);
        }
        if next != *self {
            next.revision = self.revision.saturating_add(1);
        }
        Ok(next)
    }

    /// About how many bytes of memory they take.
    #[must_use]
    pub fn weight(&self) -> usize {
        let ModelTaste { favourites, recent, hidden } = &self.models;
        let keys = self.keys.iter().flat_map(|(action, keys)| std::iter::once(action).chain(keys));
        let texts = keys.chain(favourites).chain(recent).chain(hidden);
        size_of::<Self>() + texts.map(|text| size_of::<String>() + text.len()).sum::<usize>()
    }
}

impl ModelTaste {
    /// A model is in one of both lists, or in none.
    fn mark(&mut self, model: &str, mark: Option<ModelMark>) -> Result<(), SettingsError> {
        check_model(model)?;
        let own = match mark {
            Some(ModelMark::Favourite) => Some((&mut self.favourites, &mut self.hidden)),
            Some(ModelMark::Hidden) => Some((&mut self.hidden, &mut self.favourites)),
            None => None,
        };
        match own {
            None => {
                self.favourites.retain(|known| known != model);
                self.hidden.retain(|known| known != model);
            }
            Some((list, other)) => {
                other.retain(|known| known != model);
                if !list.iter().any(|known| known == model) {
                    list.push(model.to_owned());
                }
            }
        }
        Ok(())
    }

    fn used(&mut self, model: &str) -> Result<(), SettingsError> {
        check_model(model)?;
        self.recent.retain(|known| known != model);
        self.recent.insert(0, model.to_owned());
        self.recent.truncate(MAX_RECENT);
        Ok(())
    }
}

fn change_keys(
    known: &mut BTreeMap<String, Vec<String>>,
    action: &str,
    keys: Option<&[String]>,
) -> Result<(), SettingsError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if action.is_empty() || action.len() > MAX_KEY_BYTES || !action.chars().all(legal) {
        return Err(SettingsError::Action(shown(action)));
    }
    let Some(keys) = keys else {
        known.remove(action);
        return Ok(());
    };
    if keys.len() > MAX_ACTION_KEYS {
        return Err(SettingsError::ActionKeys);
    }
    let bad = |key: &&String| {
        key.trim().is_empty() || key.len() > MAX_KEY_BYTES || key.chars().any(char::is_control)
    };
    if let Some(key) = keys.iter().find(bad) {
        return Err(SettingsError::Key(shown(key)));
    }
    known.insert(action.to_owned(), keys.to_vec());
    Ok(())
}

fn check_model(name: &str) -> Result<(), SettingsError> {
    let named = name.split_once(' ').is_some_and(|(provider, model)| {
        ProviderId::parse(provider).is_ok()
            && !model.trim().is_empty()
            && !model.chars().any(char::is_control)
    });
    if named && name.len() <= MAX_MODEL_NAME {
        return Ok(());
    }
    Err(SettingsError::Model(shown(name)))
}

/// A refused text, cut to a printable length.
fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(json: &str) -> SettingsPatch {
        serde_json::from_str(json).unwrap()
    }

    fn after(patches: &[&str]) -> Settings {
        patches.iter().fold(Settings::default(), |now, json| now.changed(&patch(json)).unwrap())
    }

    #[test]
    fn what_a_change_does_not_name_stays_and_the_same_again_changes_nothing() {
        let all = r#"{
            "keys": { "thread.new": ["Alt+N"], "thread.pin": [] }, "enter": "steer",
            "marks": [
                { "model": "kilo a/b", "mark": "favourite" },
                { "model": "kilo c", "mark": "hidden" }
            ],
            "used": ["kilo a/b", "codex gpt"]
        }"#;
        let settings = after(&[all]);
        assert_eq!(settings.revision, 1);
        assert_eq!(settings.keys["thread.pin"], Vec::<String>::new());
        assert_eq!(settings.models.recent, ["codex gpt", "kilo a/b"]);
        assert_eq!(after(&[all, "{}", all]).keys, settings.keys);
        assert_eq!(settings.changed(&patch(r#"{ "enter": "steer" }"#)), Ok(settings.clone()));

        let back = settings
            .changed(&patch(r#"{ "keys": { "thread.new": null, "thread.stop": null } }"#))
            .unwrap();
        assert_eq!(back.keys.keys().collect::<Vec<_>>(), ["thread.pin"]);
        assert_eq!((back.revision, back.enter), (2, Delivery::Steer));
        assert_eq!(back.models, settings.models);
    }

    #[test]
    fn a_model_is_a_favourite_or_hidden_or_neither() {
        let mark =
            |mark: &str| format!(r#"{{ "marks": [{{ "model": "kilo a", "mark": {mark} }}] }}"#);
        let (favourite, hidden, none) = (mark("\"favourite\""), mark("\"hidden\""), mark("null"));
        let lists = |patches: &[&str]| {
            let ModelTaste { favourites, hidden, .. } = after(patches).models;
            (favourites.len(), hidden.len())
        };
        assert_eq!(lists(&[&favourite, &favourite]), (1, 0));
        assert_eq!(lists(&[&favourite, &hidden]), (0, 1));
        assert_eq!(lists(&[&hidden, &favourite]), (1, 0));
        assert_eq!(lists(&[&hidden, &none]), (0, 0));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_as_a_whole() {
        let check = |json: &str, wanted: SettingsError| {
            let settings = after(&[r#"{ "enter": "steer" }"#]);
            assert_eq!(settings.changed(&patch(json)), Err(wanted), "{json:.80}");
        };
        let many =
            |n: usize, one: &dyn Fn(usize) -> String| (0..n).map(one).collect::<Vec<_>>().join(",");
        let marked = |n, mark: &str| {
            let one = |i| format!(r#"{{ "model": "kilo m{i}", "mark": "{mark}" }}"#);
            format!(r#"{{ "marks": [{}] }}"#, many(n, &one))
        };
        check(&marked(MAX_FAVOURITES + 1, "favourite"), SettingsError::Favourites);
        // What counts is what comes of a change.
        let swapped = r#"{ "marks": [{ "model": "kilo other", "mark": "favourite" },
            { "model": "kilo m0", "mark": null }] }"#;
        let settings = after(&[&marked(MAX_FAVOURITES, "favourite"), swapped]);
        assert_eq!(settings.models.favourites.len(), MAX_FAVOURITES);
        check(&marked(MAX_HIDDEN + 1, "hidden"), SettingsError::Hidden);
        let actions = many(MAX_CHANGED_ACTIONS + 1, &|i| format!(r#""a{i}": []"#));
        check(&format!(r#"{{ "keys": {{ {actions} }} }}"#), SettingsError::ChangedActions);
        let keys = many(MAX_ACTION_KEYS + 1, &|i| format!("\"F{i}\""));
        check(&format!(r#"{{ "keys": {{ "a": [{keys}] }} }}"#), SettingsError::ActionKeys);
        check(r#"{ "keys": { "a b": [] } }"#, SettingsError::Action("a b".to_owned()));
        check(r#"{ "keys": { "a": [" "] } }"#, SettingsError::Key(" ".to_owned()));
        let long = "x".repeat(MAX_KEY_BYTES + 1);
        check(&format!(r#"{{ "keys": {{ "a": ["{long}"] }} }}"#), SettingsError::Key(long.clone()));
        for name in ["kilo", "kilo ", "Kilo a", " a", "kilo a\\u0007"] {
            let json = format!(r#"{{ "used": ["{name}"] }}"#);
            let shown = name.replace("\\u0007", "\u{fffd}");
            check(&json, SettingsError::Model(shown));
        }
        let long = format!("kilo {}", "x".repeat(MAX_MODEL_NAME));
        let json = format!(r#"{{ "used": ["{long}"] }}"#);
        check(&json, SettingsError::Model(long.chars().take(80).collect()));
        assert!(serde_json::from_str::<SettingsPatch>(r#"{ "theme": "dark" }"#).is_err());
    }

    #[test]
    fn of_the_models_used_the_oldest_are_forgotten() {
        let used = |i: usize| format!(r#"{{ "used": ["kilo m{i}"] }}"#);
        let patches: Vec<String> = (0..MAX_RECENT + 3).chain([5]).map(used).collect();
        let patches: Vec<&str> = patches.iter().map(String::as_str).collect();
        let recent = after(&patches).models.recent;
        assert_eq!(recent.len(), MAX_RECENT);
        assert_eq!((recent[0].as_str(), recent[1].as_str()), ("kilo m5", "kilo m14"));
    }

    #[test]
    fn settings_of_another_version_are_read_as_far_as_they_go() {
        let read: Settings = serde_json::from_str(r#"{ "enter": "steer", "more": 1 }"#).unwrap();
        assert_eq!(read, Settings { enter: Delivery::Steer, ..Settings::default() });
    }
}
