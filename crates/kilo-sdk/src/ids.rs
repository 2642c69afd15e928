use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])+ $name:ident)*) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as Kilo writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

id! {
    /// A session (`ses_…`).
    SessionId
    /// A message (`msg_…`). Which came first is said by [`crate::types::Message::created`] and by the
    /// place in the session, not by the id: ids wrap, and clocks are set back.
    MessageId
    /// A part of a message (`prt_…`).
    PartId
    /// A permission request (`per_…`).
    PermissionId
    /// A question (`que_…`).
    QuestionId
    /// A session waiting for the network (also `que_…`, but answered on routes of its own).
    NetworkWaitId
}

/// Bits of the number in an id; the rest of the time is cut off.
const BITS: u32 = 48;
const MASK: u64 = (1 << BITS) - 1;
/// Room for a counter within one millisecond.
const COUNTER: u32 = 12;
const RANDOM: usize = 14;

impl MessageId {
    /// A new id of the form Kilo makes itself: twelve hexadecimal digits of `(unix milliseconds *
    /// 4096 + counter) mod 2^48`, then fourteen random letters and digits. It holds the time of now,
    /// whatever was made before: after a clock was set back, ids are smaller than those before.
    #[must_use]
    pub fn ascending() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or_default();
        let last = LAST
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last, now)))
            .unwrap_or_default();
        Self::compose(next(last, now), &random())
    }

    /// When the id was made, in milliseconds since 1970. An id holds the time modulo 795 days, so
    /// of the possible times the one nearest to `near_ms` (also unix milliseconds) is given.
    /// `None` if this is no such id.
    #[must_use]
    pub fn time_ms(&self, near_ms: u64) -> Option<u64> {
        const CYCLE: u64 = 1 << (BITS - COUNTER);
        let digits = self.0.strip_prefix("msg_")?.get(..12)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let within = u64::from_str_radix(digits, 16).ok()? >> COUNTER;
        let base = near_ms - near_ms % CYCLE + within;
        [base.checked_sub(CYCLE), Some(base), base.checked_add(CYCLE)]
            .into_iter()
            .flatten()
            .min_by_key(|t| t.abs_diff(near_ms))
    }

    fn compose(number: u64, random: &[u8; RANDOM]) -> Self {
        const ALPHABET: &[u8; 62] =
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut id = format!("msg_{:012x}", number & MASK);
        // The slight bias of the remainder is of no matter: this only tells ids apart.
        id.extend(
            random
                .iter()
                .filter_map(|b| ALPHABET.get(usize::from(*b) % 62))
                .map(|b| char::from(*b)),
        );
        Self(id)
    }
}

/// The number after this one, which counts within a millisecond only.
fn next(last: u64, now_ms: u64) -> u64 {
    if last >> COUNTER == now_ms { last + 1 } else { now_ms << COUNTER }
}

fn random() -> [u8; RANDOM] {
    let mut bytes = [0; RANDOM];
    // Without randomness the number alone still tells the ids of this process apart.
    let _ = getrandom::fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_of_their_own_and_shaped_as_kilo_makes_them() {
        let ids: HashSet<MessageId> = (0..10_000).map(|_| MessageId::ascending()).collect();
        assert_eq!(ids.len(), 10_000);
        let id = ids.iter().next().unwrap().as_str();
        assert_eq!(id.len(), 4 + 12 + 14);
        assert!(id[4..16].bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
        assert!(id[16..].bytes().all(|b| b.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed() {
        let at = 1_795_359_906_054;
        let first = next(0, at);
        assert_eq!(next(first, at), first + 1);
        assert_eq!(next(first + 1, at - 3_600_000), (at - 3_600_000) << COUNTER);
    }

    #[test]
    fn the_time_is_read_back_around_a_cycle() {
        let at = 1_795_359_906_054;
        let id = MessageId::compose((at << 12) + 7, &[0; 14]);
        for near in [at, at + 1_000_000_000, at - 1_000_000_000] {
            assert_eq!(id.time_ms(near), Some(at));
        }
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis())
            .unwrap();
        assert!(MessageId::ascending().time_ms(now).unwrap().abs_diff(now) < 60_000);
    }

    #[test]
    fn what_is_no_ascending_id_has_no_time() {
        for id in ["", "msg_", "msg_zzzzzzzzzzzz", "ses_204035d5c001AAAA", "msg_+04035d5c001"] {
            assert_eq!(MessageId::from(id).time_ms(0), None, "{id}");
        }
    }
}
