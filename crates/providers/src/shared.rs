//! What more than one provider is made of, and none of them is known in.

pub(crate) mod ends;
pub(crate) mod face;
pub(crate) mod failures;
pub(crate) mod files;
pub(crate) mod installs;
pub(crate) mod looks;
pub(crate) mod places;
pub(crate) mod shorten;
pub(crate) mod steering;
pub(crate) mod terminal;
pub(crate) mod usage;

/// The time of the machine, in milliseconds since 1970.
pub(crate) fn now() -> domain::Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
