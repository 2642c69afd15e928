use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use process::{Host, Spec};
use serde::Deserialize;

/// Who is signed in, as `claude auth status --json` says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthStatus {
    /// Whether anybody is.
    pub logged_in: bool,
    /// How: `api_key`, `oauth_token`, `claude.ai`, `none`.
    pub auth_method: String,
    /// Where models come from: `firstParty`, `bedrock`, `vertex`, …
    pub api_provider: String,
    /// Where the key comes from, when it is one.
    pub api_key_source: Option<String>,
    /// The account's address, when there is an account.
    pub email: Option<String>,
    /// Its organisation.
    pub org_name: Option<String>,
    /// What it pays for: `pro`, `max`, …
    pub subscription_type: Option<String>,
}

/// Why it is not known who is signed in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The program could not be run, or did not end.
    #[error(transparent)]
    Run(#[from] process::Error),
    /// What it said is not understood.
    #[error("what it says of who is signed in is not understood: {said}")]
    Unsupported {
        /// What it said, the beginning of it.
        said: String,
    },
}

/// Asks who is signed in (0.55 s; nothing is asked over the network). It ends with 1 when nobody
/// is, and says the same then.
///
/// # Errors
/// As [`AuthError`] says.
pub async fn auth_status(
    host: &Host,
    program: &Path,
    cwd: &Path,
    env: &[(OsString, OsString)],
) -> Result<AuthStatus, AuthError> {
    const TIMEOUT: Duration = Duration::from_secs(20);
    const MAX_OUTPUT: usize = 64 * 1024;
    let mut spec = Spec::new(program)
        .args(["auth", "status", "--json"])
        .cwd(cwd)
        .env("DISABLE_AUTOUPDATER", "1")
        .env_remove("NODE_OPTIONS");
    for (name, value) in env {
        spec = spec.env(name, value);
    }
    let output = host.run(spec, TIMEOUT, MAX_OUTPUT).await?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse(&text).ok_or_else(|| {
        let said = if text.trim().is_empty() {
            String::from_utf8_lossy(&output.stderr).trim().to_owned()
        } else {
            text.trim().to_owned()
        };
        AuthError::Unsupported { said: said.chars().take(300).collect() }
    })
}

fn parse(text: &str) -> Option<AuthStatus> {
    // Warnings may come before it.
    let json = text.get(text.find('{')?..)?;
    serde_json::from_str(json.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_who_is_signed_in_is_understood() {
        let none = parse(r#"{"loggedIn":false,"authMethod":"none","apiProvider":"firstParty"}"#);
        assert!(!none.unwrap().logged_in);
        let account = parse(
            "warning\n{\"loggedIn\":true,\"authMethod\":\"claude.ai\",\"email\":\"a@b.c\",\"subscriptionType\":\"max\",\"new\":1}\n",
        )
        .unwrap();
        assert_eq!(account.email.as_deref(), Some("a@b.c"));
        assert_eq!(account.subscription_type.as_deref(), Some("max"));
        assert_eq!(parse("no idea"), None);
    }
}
