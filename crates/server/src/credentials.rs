//! Secrets: how they are drawn, written, compared, and read from a request.

use std::fmt;
use std::fmt::Write as _;

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A random secret of 256 bits, written as 64 hexadecimal digits. Never shown by `Debug`.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Draws a new one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }

    /// Reads one that was written before; `None` when the text is no such secret.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let legal = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        legal.then(|| Self(text.to_owned()))
    }

    /// The secret itself, to be written where only its owner reads.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored instead of the secret.
    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }

    /// Compares in a time that does not depend on what differs.
    pub(crate) fn matches(&self, other: &str) -> bool {
        self.hash().ct_eq(&hash(other)).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The hash of a secret. The secrets have 256 bits, so a plain hash cannot be turned back.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Writes bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A cookie of a request.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn tokens_round_trip_and_do_not_show_themselves() {
        let token = Token::random().expect("randomness");
        let again = Token::parse(&format!("{}\n", token.reveal())).expect("a token");
        assert!(again.matches(token.reveal()));
        assert!(!token.matches(""));
        assert!(!token.matches(&token.reveal()[1..]));
        assert!(!format!("{token:?}").contains(token.reveal()));
        assert!(Token::parse("short").is_none());
        assert_ne!(token.reveal(), Token::random().expect("randomness").reveal());
    }

    #[test]
    fn credentials_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; baton=two; bato=3"));
        headers.append(header::COOKIE, HeaderValue::from_static("other=4"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer  abc"));
        assert_eq!(cookie(&headers, "baton"), Some("two"));
        assert_eq!(cookie(&headers, "other"), Some("4"));
        assert_eq!(cookie(&headers, "bat"), None);
        assert_eq!(bearer(&headers), Some("abc"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic abc"));
        assert_eq!(bearer(&headers), None);
    }
}
