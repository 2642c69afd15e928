//! How much of what an account allows is used, as far as Claude Code tells it: when a limit is near or
//! passed, and when none is any more (`rate_limit_event`, of accounts of claude.ai alone; 2.1.197).
//! Further from a limit it does not say how much is used; `get_usage` would, and asks its account's
//! server for it and reads a week of transcripts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::UsageLimit;
use serde_json::Value;

use super::Shared;
use crate::shared::shorten::line;

/// Limits that are remembered; further ones are passed over.
const MAX_LIMITS: usize = 8;
/// The limits on all use of the account, whichever model it is.
const OF_ALL: [&str; 2] = ["five_hour", "seven_day"];

/// What is told of a limit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// Which one, e.g. `five_hour`; empty when that is not said.
    kind: String,
    /// How much of it is used, in percent; `None` when it is far.
    used_percent: Option<u32>,
    resets_at: Option<domain::Timestamp>,
}

impl Told {
    /// What a `rate_limit_info` says.
    pub(super) fn read(info: &Value) -> Option<Self> {
        let used = info.get("utilization").and_then(Value::as_f64).map(|part| part * 100.0);
        let used = match info.get("status").and_then(Value::as_str)? {
            "allowed" => None,
            "allowed_warning" => Some(used?),
            "rejected" => Some(used.unwrap_or(100.0).max(100.0)),
            _ => return None,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let used_percent = used.map(|used| used.round().clamp(0.0, 1000.0) as u32);
        let resets_at = info.get("resetsAt").and_then(Value::as_i64);
        Some(Self {
            kind: info.get("rateLimitType").and_then(Value::as_str).unwrap_or_default().to_owned(),
            used_percent,
            resets_at: resets_at.map(|at| at.saturating_mul(1000)),
        })
    }
}

/// What is known of the account's limits.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Whose they are.
    account: String,
    near: BTreeMap<String, UsageLimit>,
}

impl Limits {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, told: Told) {
        let mut known = self.known();
        let Some(used_percent) = told.used_percent else {
            // It is said of all use, and of the model that was asked; another may have its own.
            known.near.retain(|kind, _| !OF_ALL.contains(&kind.as_str()) && *kind != told.kind);
            return;
        };
        if known.near.contains_key(&told.kind) || known.near.len() < MAX_LIMITS {
            let limit =
                UsageLimit { name: name(&told.kind), used_percent, resets_at: told.resets_at };
            known.near.insert(told.kind, limit);
        }
    }

    /// Forgets them when they were somebody else's.
    fn of(&self, account: &str) {
        let mut known = self.known();
        if known.account != account {
            account.clone_into(&mut known.account);
            known.near.clear();
        }
    }

    fn shown(&self) -> Vec<UsageLimit> {
        self.known().near.values().cloned().collect()
    }
}

/// What people call a limit.
fn name(kind: &str) -> String {
    match kind {
        "five_hour" => "5 h".to_owned(),
        "seven_day" => "7 days".to_owned(),
        "seven_day_opus" => "Opus, 7 days".to_owned(),
        "seven_day_sonnet" => "Sonnet, 7 days".to_owned(),
        "seven_day_overage_included" => "extra usage, 7 days".to_owned(),
        "overage" => "extra usage".to_owned(),
        "" => "limit".to_owned(),
        other => line(&other.replace('_', " ")),
    }
}

impl Shared {
    /// Notes what an agent tells of a limit.
    pub(super) fn note_limit(&self, told: Told) {
        self.limits.note(told);
        self.tell_limits();
    }

    /// Notes who is signed in.
    pub(super) fn limits_are_of(&self, account: &str) {
        self.limits.of(account);
        self.tell_limits();
    }

    fn tell_limits(&self) {
        self.face.tell_limits(|| self.limits.shown());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As 2.1.197 says it to an account of claude.ai, after headers of these kinds.
    #[test]
    fn a_limit_is_shown_from_when_it_is_near_until_it_is_not() {
        let limits = Limits::default();
        let shown = |info: Value| {
            if let Some(told) = Told::read(&info) {
                limits.note(told);
            }
            let of = |limit: UsageLimit| (limit.name, limit.used_percent, limit.resets_at);
            limits.shown().into_iter().map(of).collect::<Vec<_>>()
        };
        let far = json!({ "status": "allowed", "resetsAt": 1_795_865_919, "rateLimitType": "five_hour",
            "isUsingOverage": false });
        assert_eq!(shown(far.clone()), []);
        let five = ("5 h".to_owned(), 91, Some(1_795_865_919_000));
        let near = json!({ "status": "allowed_warning", "resetsAt": 1_795_865_919,
            "rateLimitType": "five_hour", "utilization": 0.91, "surpassedThreshold": 0.9 });
        assert_eq!(shown(near), std::slice::from_ref(&five));
        let week = json!({ "status": "rejected", "resetsAt": 1_796_294_319,
            "rateLimitType": "seven_day", "isUsingOverage": false });
        let seven = ("7 days".to_owned(), 100, Some(1_796_294_319_000));
        assert_eq!(shown(week), [five, seven]);
        let opus = json!({ "status": "rejected", "rateLimitType": "seven_day_opus" });
        assert_eq!(shown(opus).len(), 3);
        assert_eq!(shown(far), [("Opus, 7 days".to_owned(), 100, None)]);
        assert_eq!(shown(json!({ "status": "of another kind" })).len(), 1);
        limits.of("somebody else");
        assert_eq!(limits.shown(), []);
    }

    #[test]
    fn there_is_a_bound() {
        let limits = Limits::default();
        for n in 0..20 {
            let info = json!({ "status": "rejected", "rateLimitType": format!("of_{n}") });
            limits.note(Told::read(&info).unwrap());
        }
        assert_eq!(limits.shown().len(), MAX_LIMITS);
    }
}
