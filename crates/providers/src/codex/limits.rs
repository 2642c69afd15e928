//! How much of what the account allows is used: told with every answer of the model, and read when
//! Codex is looked at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codex_sdk::Server;
use codex_sdk::types::{Account, AccountLimits, LimitWindow, RateLimits};
use domain::UsageLimit;
use serde_json::json;

use super::Shared;
use crate::shared::shorten;

/// Things with limits of their own that are remembered; further ones are passed over.
const MAX_LIMITS: usize = 8;
/// The id of what limits all use (Codex 0.169.0); it needs no name.
const ALL: &str = "codex";

/// What the account may use, as last told.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<BTreeMap<String, RateLimits>>);

impl Limits {
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, RateLimits>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was told. What is missing of it is as it was (Codex 0.169.0).
    fn note(&self, told: RateLimits) {
        let mut known = self.known();
        let id = told.limit_id.clone().unwrap_or_else(|| ALL.to_owned());
        if !known.contains_key(&id) && known.len() >= MAX_LIMITS {
            return;
        }
        let known = known.entry(id).or_default();
        known.limit_name = told.limit_name.or_else(|| known.limit_name.take());
        known.primary = told.primary.or(known.primary);
        known.secondary = told.secondary.or(known.secondary);
    }

    /// What people are shown.
    fn shown(&self) -> Vec<UsageLimit> {
        let known = self.known();
        let windows = |(id, limits): (&String, &RateLimits)| {
            let of = limits.limit_name.clone().filter(|_| id != ALL);
            let of = of.or_else(|| (id != ALL).then(|| id.clone()));
            [limits.primary, limits.secondary].into_iter().flatten().map(move |w| shown(&of, w))
        };
        known.iter().flat_map(windows).collect()
    }
}

fn shown(of: &Option<String>, window: LimitWindow) -> UsageLimit {
    let long = window.window_duration_mins.map_or_else(|| "limit".to_owned(), span);
    let name = match of {
        Some(of) => shorten::line(&format!("{of}, {long}")),
        None => long,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped")]
    let used_percent = window.used_percent.round().clamp(0.0, 1000.0) as u32;
    let resets_at = window.resets_at.map(|at| at.saturating_mul(1000));
    UsageLimit { name, used_percent, resets_at }
}

/// A time in minutes as people say it.
fn span(minutes: u64) -> String {
    match minutes {
        m if m >= 2 * 1440 && m % 1440 == 0 => format!("{} days", m / 1440),
        m if m >= 60 && m % 60 == 0 => format!("{} h", m / 60),
        m => format!("{m} min"),
    }
}

impl Shared {
    /// Notes what Codex tells of the account's limits.
    pub(super) fn note_limits(&self, told: RateLimits) {
        self.limits.note(told);
        self.tell_limits();
    }

    /// Forgets them: somebody else is signed in.
    pub(super) fn forget_limits(&self) {
        self.limits.known().clear();
        self.tell_limits();
    }

    /// Reads them in the background, where Codex has any: it asks its own servers.
    pub(super) fn read_limits(self: &Arc<Self>, server: &Server, account: Option<&Account>) {
        if account.is_none_or(|account| account.kind != "chatgpt") {
            return;
        }
        let (shared, client) = (self.clone(), server.client().clone());
        tokio::spawn(async move {
            match client.request::<AccountLimits>("account/rateLimits/read", json!({})).await {
                Ok(AccountLimits { rate_limits, rate_limits_by_limit_id }) => {
                    shared.limits.note(rate_limits);
                    for (id, limits) in rate_limits_by_limit_id.unwrap_or_default() {
                        shared.limits.note(RateLimits { limit_id: Some(id), ..limits });
                    }
                    shared.tell_limits();
                }
                Err(error) => tracing::debug!(%error, "the account's limits could not be read"),
            }
        });
    }

    fn tell_limits(&self) {
        self.face.tell_limits(|| self.limits.shown());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(said: serde_json::Value) -> RateLimits {
        serde_json::from_value(said).unwrap()
    }

    #[test]
    fn each_window_is_shown_and_what_is_missing_of_an_update_is_as_it_was() {
        let limits = Limits::default();
        // As it is told with an API key.
        limits.note(told(json!({ "limitId": "codex", "primary": null, "secondary": null })));
        assert_eq!(limits.shown(), []);
        limits.note(told(json!({ "limitId": "codex",
            "primary": { "usedPercent": 36.6, "windowDurationMins": 300, "resetsAt": 1000 },
            "secondary": { "usedPercent": 12, "windowDurationMins": 10080, "resetsAt": 5000 } })));
        limits.note(told(json!({ "primary": { "usedPercent": 101, "windowDurationMins": 300,
            "resetsAt": 1000 }, "secondary": null })));
        limits.note(told(json!({ "limitId": "other", "limitName": "Other model",
            "primary": { "usedPercent": "strange" } })));
        let limit = |name: &str, used_percent, resets_at| UsageLimit {
            name: name.to_owned(),
            used_percent,
            resets_at,
        };
        let shown = [
            limit("5 h", 101, Some(1_000_000)),
            limit("7 days", 12, Some(5_000_000)),
            limit("Other model, limit", 0, None),
        ];
        assert_eq!(limits.shown(), shown);
    }

    #[test]
    fn there_is_a_bound() {
        let limits = Limits::default();
        for id in 0..20 {
            let window = json!({ "usedPercent": 1 });
            limits.note(told(json!({ "limitId": id.to_string(), "primary": window })));
        }
        assert_eq!(limits.shown().len(), MAX_LIMITS);
    }
}
