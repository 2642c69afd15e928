//! Ids as newtypes over prefixed text, e.g. `thr_0198…`.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;
use uuid::Uuid;

/// Says why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid id: expected `{expected}` followed by a UUID")]
pub struct IdError {
    /// The text that was refused, cut to a printable length.
    pub text: String,
    /// The prefix the id should have begun with.
    pub expected: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[ts(type = "string")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The text every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an id from a UUID the caller drew.
            #[must_use]
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(format!("{}{}", $prefix, uuid.simple()))
            }

            /// Reads an id, checking prefix and UUID.
            ///
            /// # Errors
            /// [`IdError`] when the text is not `PREFIX` and a UUID.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self::from_uuid)
                    .ok_or_else(|| IdError {
                        text: text.chars().take(80).collect(),
                        expected: $prefix,
                    })
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A project's id.
    ProjectId, "prj_"
);
id!(
    /// A thread's id. The client may choose it, so that a repeated create gives the same answer.
    ThreadId, "thr_"
);
id!(
    /// The id of a file that goes with messages, made of what is in it.
    AttachmentId, "att_"
);
id!(
    /// A turn's id. The client may choose it, so that a repeated send gives the same answer.
    TurnId, "trn_"
);
id!(
    /// An item's id, derived from its thread and the agent's own name for it.
    ItemId, "itm_"
);
id!(
    /// A request's id, derived from its thread and the agent's own name for it.
    RequestId, "req_"
);

/// The namespace in which item and request ids are derived.
const DERIVED: Uuid = Uuid::from_u128(0x6261_746f_6e00_4000_8000_0000_0000_0001);

impl ItemId {
    /// Derives the id of the item that the agent calls `key`.
    ///
    /// The same thread and key always give the same id, so an item that is read again after a
    /// restart meets its own row and no map of names has to be kept.
    #[must_use]
    pub fn derive(thread: &ThreadId, key: &str) -> Self {
        Self::from_uuid(derived("item", thread, key))
    }
}

impl TurnId {
    /// Derives the id of a turn that was begun elsewhere, by the agent's name for its message;
    /// like [`ItemId::derive`], so that a history that is read again meets its own rows.
    #[must_use]
    pub fn derive_past(thread: &ThreadId, key: &str) -> Self {
        Self::from_uuid(derived("turn", thread, key))
    }
}

impl RequestId {
    /// Derives the id of the request that the agent calls `key`, like [`ItemId::derive`].
    #[must_use]
    pub fn derive(thread: &ThreadId, key: &str) -> Self {
        Self::from_uuid(derived("request", thread, key))
    }
}

impl ThreadId {
    /// Derives the id of the thread that builds the plan of a request: accepting it again meets
    /// the same thread.
    #[must_use]
    pub fn derive(request: &RequestId) -> Self {
        Self::from_uuid(derived("thread", request, ""))
    }
}

impl TurnId {
    /// Derives the id of the first turn of the thread that builds the plan of a request.
    #[must_use]
    pub fn derive(request: &RequestId) -> Self {
        Self::from_uuid(derived("turn", request, ""))
    }
}

fn derived(kind: &str, of: &impl fmt::Display, key: &str) -> Uuid {
    Uuid::new_v5(&DERIVED, format!("{kind}\0{of}\0{key}").as_bytes())
}

/// The name of a provider, e.g. `kilo`: lower-case letters, digits and hyphens, at most 32.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
#[schema(value_type = String)]
pub struct ProviderId(String);

impl ProviderId {
    /// Reads a provider's name.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty, too long or has other characters.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !text.is_empty() && text.len() <= 32 && text.chars().all(legal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError { text: text.chars().take(80).collect(), expected: "a provider name" })
        }
    }

    /// Names a provider known when Baton is built. The text must be a legal name.
    #[must_use]
    pub fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProviderId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<ProviderId> for String {
    fn from(id: ProviderId) -> String {
        id.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_refuse_other_kinds() {
        let id = ThreadId::from_uuid(Uuid::from_u128(7));
        assert_eq!(ThreadId::parse(id.as_str()), Ok(id.clone()));
        assert!(TurnId::parse(id.as_str()).is_err());
        assert!(ThreadId::parse("thr_").is_err());
        assert!(ThreadId::parse("thr_../../etc/passwd").is_err());
        assert!(serde_json::from_str::<ThreadId>("\"thr_nope\"").is_err());
    }

    #[test]
    fn a_hyphenated_uuid_is_the_same_id() {
        let plain = ThreadId::from_uuid(Uuid::from_u128(0xabcdef));
        let hyphenated = format!("thr_{}", Uuid::from_u128(0xabcdef).hyphenated());
        assert_eq!(ThreadId::parse(&hyphenated), Ok(plain));
    }

    #[test]
    fn derived_ids_depend_on_kind_thread_and_key() {
        let a = ThreadId::from_uuid(Uuid::from_u128(1));
        let b = ThreadId::from_uuid(Uuid::from_u128(2));
        assert_eq!(ItemId::derive(&a, "prt_1"), ItemId::derive(&a, "prt_1"));
        assert_ne!(ItemId::derive(&a, "prt_1"), ItemId::derive(&b, "prt_1"));
        assert_ne!(ItemId::derive(&a, "prt_1"), ItemId::derive(&a, "prt_2"));
        let item = ItemId::derive(&a, "x");
        let request = RequestId::derive(&a, "x");
        assert_ne!(item.as_str()[4..], request.as_str()[4..]);
    }
}
