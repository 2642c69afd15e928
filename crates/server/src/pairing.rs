//! One-time codes that make a browser a paired device.

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::credentials::hash;

/// How long a code can be used.
pub(crate) const CODE_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// The most codes that can be used at once; a new one ends the oldest.
const MAX_CODES: usize = 8;
/// The most addresses whose failures are remembered; a new one forgets the oldest.
const MAX_ADDRESSES: usize = 256;
/// Failures that cost nothing, since people mistype.
const FREE_FAILURES: u32 = 5;
/// The longest wait between tries.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// After this long without a failure an address starts anew.
const FORGIVEN: Duration = Duration::from_secs(15 * 60);

/// Letters and digits that are not mistaken for each other (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code that pairs one device: 60 random bits as `XXXX-XXXX-XXXX`.
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode(String);

impl PairingCode {
    fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 12];
        getrandom::fill(&mut bytes)?;
        let mut text = String::new();
        for (n, byte) in bytes.iter().enumerate() {
            if n > 0 && n % 4 == 0 {
                text.push('-');
            }
            let symbol = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
            text.push(char::from(symbol));
        }
        Ok(Self(text))
    }

    /// The code as it is typed. It goes into a link's fragment, never into a query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingCode(…)")
    }
}

/// What came of a try to use a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Try {
    /// It was valid, and is used up now.
    Paired,
    /// It is unknown, used or too old.
    Wrong,
    /// Too many tries failed: not even looked at. Try again after this many seconds.
    Wait(u64),
}

/// The codes that can be used, and who tried wrong ones.
#[derive(Default)]
pub(crate) struct Pairing {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    codes: VecDeque<Code>,
    failures: VecDeque<Failures>,
}

struct Code {
    hash: [u8; 32],
    expires: Instant,
}

struct Failures {
    address: IpAddr,
    count: u32,
    last: Instant,
}

impl Pairing {
    /// Makes a code.
    pub(crate) fn issue(&self, now: Instant) -> Result<PairingCode, getrandom::Error> {
        let code = PairingCode::random()?;
        let mut state = self.lock();
        if state.codes.len() >= MAX_CODES {
            state.codes.pop_front();
        }
        let hash = hash(&normal(code.as_str()));
        state.codes.push_back(Code { hash, expires: now + CODE_LIFETIME });
        Ok(code)
    }

    /// Uses a code.
    pub(crate) fn redeem(&self, typed: &str, address: IpAddr, now: Instant) -> Try {
        let address = place(address);
        let mut state = self.lock();
        state.codes.retain(|code| code.expires > now);
        state.failures.retain(|failures| now.duration_since(failures.last) < FORGIVEN);
        if let Some(wait) = state.wait(address, now) {
            return Try::Wait(wait.as_secs() + 1);
        }
        // Comparing hashes of what was typed tells nothing by its timing.
        let hash = hash(&normal(typed));
        let Some(at) = state.codes.iter().position(|code| code.hash == hash) else {
            state.failed(address, now);
            return Try::Wrong;
        };
        state.codes.remove(at);
        state.failures.retain(|failures| failures.address != address);
        Try::Paired
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long an address still has to wait.
    fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let failures = self.failures.iter().find(|failures| failures.address == address)?;
        let over = failures.count.checked_sub(FREE_FAILURES)?;
        let pause = Duration::from_secs(1 << over.min(6)).min(MAX_WAIT);
        (failures.last + pause).checked_duration_since(now).filter(|left| !left.is_zero())
    }

    fn failed(&mut self, address: IpAddr, now: Instant) {
        if let Some(failures) = self.failures.iter_mut().find(|f| f.address == address) {
            failures.count = failures.count.saturating_add(1);
            failures.last = now;
            return;
        }
        if self.failures.len() >= MAX_ADDRESSES {
            self.failures.pop_front();
        }
        self.failures.push_back(Failures { address, count: 1, last: now });
    }
}

/// Whom the failures of an address are counted for: one machine has as many IPv6 addresses of its
/// network as it likes, and an IPv4 address may be written as one.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A code without what people add or change when they type it.
fn normal(typed: &str) -> String {
    typed
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));

    #[test]
    fn a_code_works_once_however_it_is_typed() {
        let (pairing, now) = (Pairing::default(), Instant::now());
        let code = pairing.issue(now).expect("a code");
        let typed = format!(" {} ", code.as_str().to_lowercase().replace('-', " "));
        assert_eq!(pairing.redeem(&typed, HERE, now), Try::Paired);
        assert_eq!(pairing.redeem(&typed, HERE, now), Try::Wrong);
    }

    #[test]
    fn a_code_expires() {
        let (pairing, now) = (Pairing::default(), Instant::now());
        let code = pairing.issue(now).expect("a code");
        assert_eq!(pairing.redeem(code.as_str(), HERE, now + CODE_LIFETIME), Try::Wrong);
    }

    #[test]
    fn failures_slow_down_the_address_they_come_from_only() {
        let (pairing, mut now) = (Pairing::default(), Instant::now());
        let code = pairing.issue(now).expect("a code");
        for _ in 0..FREE_FAILURES {
            assert_eq!(pairing.redeem("0000", HERE, now), Try::Wrong);
        }
        // Not even the right code is looked at, so that trying faster gains nothing.
        assert_eq!(pairing.redeem(code.as_str(), HERE, now), Try::Wait(2));
        now += Duration::from_secs(2);
        assert_eq!(pairing.redeem("0000", HERE, now), Try::Wrong);
        assert!(matches!(pairing.redeem("0000", HERE, now), Try::Wait(3)));
        assert_eq!(pairing.redeem(code.as_str(), THERE, now), Try::Paired);
    }

    #[test]
    fn another_address_of_the_same_machine_gains_nothing() {
        for (tried, then) in [("2001:db8::1", "2001:db8::2:3"), ("::ffff:10.0.0.7", "10.0.0.7")] {
            let (pairing, now) = (Pairing::default(), Instant::now());
            let code = pairing.issue(now).expect("a code");
            for _ in 0..FREE_FAILURES {
                pairing.redeem("0000", tried.parse().expect("an address"), now);
            }
            let then = then.parse().expect("an address");
            assert!(matches!(pairing.redeem(code.as_str(), then, now), Try::Wait(_)));
            let other = "2001:db8:0:1::1".parse().expect("an address");
            assert_eq!(pairing.redeem(code.as_str(), other, now), Try::Paired);
        }
    }

    #[test]
    fn codes_and_addresses_are_bounded() {
        let (pairing, now) = (Pairing::default(), Instant::now());
        let first = pairing.issue(now).expect("a code");
        for _ in 0..MAX_CODES {
            pairing.issue(now).expect("a code");
        }
        assert_eq!(pairing.redeem(first.as_str(), HERE, now), Try::Wrong);
        for n in 0..1000_u32 {
            pairing.redeem("0000", IpAddr::from(n.to_be_bytes()), now);
        }
        let state = pairing.lock();
        assert_eq!((state.codes.len(), state.failures.len()), (MAX_CODES, MAX_ADDRESSES));
    }
}
