//! Paired devices: which browsers hold a cookie that is valid.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;
use store::{DeviceToken, Store, StoreError};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use crate::credentials::{Token, hash};

/// The most devices that are paired at once; pairing one more unpairs the oldest.
pub(crate) const MAX_DEVICES: usize = 100;
/// When a device was used is stored at most this often, in milliseconds: not with each request.
const NOTED_EVERY: Timestamp = 5 * 60 * 1000;
/// The longest name of a device, in characters.
const MAX_NAME: usize = 200;

/// Why a device could not be paired.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PairError {
    /// The system has no randomness to give.
    #[error("the system has no randomness to give: {0}")]
    Randomness(#[from] getrandom::Error),
    /// It could not be stored.
    #[error(transparent)]
    Storage(#[from] StoreError),
}

/// A paired device. Its secret is stored nowhere, only the hash of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paired {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
    /// The same as it is stored.
    noted_at: Option<Timestamp>,
    hash: [u8; 32],
}

impl Paired {
    /// Takes note that it is used; says whether that is to be stored.
    fn used(&mut self, at: Timestamp) -> bool {
        self.used_at = Some(at);
        let stored =
            self.noted_at.is_some_and(|noted| at.abs_diff(noted) < NOTED_EVERY.unsigned_abs());
        if !stored {
            self.noted_at = Some(at);
        }
        !stored
    }
}

/// The devices that are paired now, in memory, so that a request costs no look into the store.
pub(crate) struct Devices {
    store: Store,
    rows: Mutex<Vec<Paired>>,
    /// Devices that were unpaired and are still stored, because the store could not write.
    unstored: Mutex<Vec<String>>,
    /// Counts revocations, so that open sockets look again whether they are still allowed.
    revocations: watch::Sender<u64>,
}

impl Devices {
    pub(crate) async fn load(store: Store) -> Result<Self, StoreError> {
        let tokens = store.tokens().await?;
        let rows = tokens
            .into_iter()
            .rev()
            .map(|DeviceToken { id, hash, label, created_at, last_seen_at }| Paired {
                id,
                name: label,
                created_at,
                used_at: last_seen_at,
                noted_at: last_seen_at,
                hash,
            })
            .collect();
        let rows = Mutex::new(rows);
        Ok(Self { store, rows, unstored: Mutex::default(), revocations: watch::Sender::new(0) })
    }

    /// Pairs a device, and gives the secret for its cookie.
    pub(crate) async fn pair(&self, name: &str) -> Result<Token, PairError> {
        let secret = Token::random()?;
        let hash = secret.hash();
        let id = format!("dev_{}", Token::random()?.reveal().get(..16).unwrap_or_default());
        let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
        let created_at = now();
        let (label, used_at) = (name.clone(), Some(created_at));
        let token = DeviceToken { id: id.clone(), hash, label, created_at, last_seen_at: used_at };
        self.store.add_token(token).await?;
        let surplus = {
            let mut rows = self.lock();
            rows.push(Paired { id, name, created_at, used_at, noted_at: used_at, hash });
            let full = rows.len() > MAX_DEVICES;
            rows.first().filter(|_| full).map(|oldest| oldest.id.clone())
        };
        if let Some(id) = surplus {
            self.revoke(&id).await?;
        }
        Ok(secret)
    }

    /// Unpairs a device; says whether there was one. It is out at once, also when that cannot be
    /// stored; then Baton would know it again after its next start, so the same is to be asked again.
    pub(crate) async fn revoke(&self, id: &str) -> Result<bool, StoreError> {
        {
            let (mut rows, mut unstored) = (self.lock(), self.unstored());
            if let Some(place) = rows.iter().position(|row| row.id == id) {
                rows.remove(place);
                unstored.push(id.to_owned());
                self.revocations.send_modify(|count| *count += 1);
            } else if !unstored.iter().any(|known| known == id) {
                return Ok(false);
            }
        }
        self.store.revoke_token(id).await?;
        self.unstored().retain(|known| known != id);
        Ok(true)
    }

    /// The device whose secret this is.
    pub(crate) fn find(&self, secret: &str) -> Option<String> {
        let wanted = hash(secret);
        let rows = self.lock();
        rows.iter().find(|row| row.hash.ct_eq(&wanted).into()).map(|row| row.id.clone())
    }

    /// Takes note that a device is used now. Now and then that is stored, which nobody waits for.
    pub(crate) fn used(&self, id: &str) {
        let at = now();
        let store_it =
            self.lock().iter_mut().find(|row| row.id == id).is_some_and(|row| row.used(at));
        if store_it {
            let (store, id) = (self.store.clone(), id.to_owned());
            tokio::spawn(async move {
                // It is noted again in some minutes.
                if let Err(error) = store.see_token(&id, at).await {
                    tracing::debug!(%error, "when a device was used could not be stored");
                }
            });
        }
    }

    /// Whether a device is paired.
    pub(crate) fn holds(&self, id: &str) -> bool {
        self.lock().iter().any(|row| row.id == id)
    }

    /// All devices, last paired first.
    pub(crate) fn list(&self) -> Vec<Paired> {
        self.lock().iter().rev().cloned().collect()
    }

    /// Tells when a device was revoked.
    pub(crate) fn revocations(&self) -> watch::Receiver<u64> {
        self.revocations.subscribe()
    }

    fn unstored(&self) -> MutexGuard<'_, Vec<String>> {
        self.unstored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Paired>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_device_was_used_is_stored_now_and_then() {
        let mut paired = Paired {
            id: "dev_1".to_owned(),
            name: "Firefox".to_owned(),
            created_at: 0,
            used_at: None,
            noted_at: None,
            hash: [0; 32],
        };
        assert!(paired.used(1_000), "it was never stored");
        assert!(!paired.used(2_000) && !paired.used(1_000 + NOTED_EVERY - 1));
        assert_eq!(paired.used_at, Some(1_000 + NOTED_EVERY - 1), "the exact time is known");
        assert!(paired.used(1_000 + NOTED_EVERY));
        assert!(paired.used(0), "also when the clock was put back");
    }
}
