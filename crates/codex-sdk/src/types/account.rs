use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// What a server says of itself when hands are shaken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Initialized {
    /// `<client>/<version> (…)`.
    #[serde(deserialize_with = "lenient")]
    pub user_agent: String,
    /// Where it keeps its configuration, sign-in and sessions.
    #[serde(deserialize_with = "lenient")]
    pub codex_home: String,
}

impl Initialized {
    /// The version within the user agent.
    #[must_use]
    pub fn version(&self) -> &str {
        let after = self.user_agent.split_once('/').map_or("", |(_, rest)| rest);
        after.split_whitespace().next().unwrap_or_default()
    }
}

/// Who is signed in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountRead {
    /// The account; `None` when nobody is.
    #[serde(deserialize_with = "lenient")]
    pub account: Option<Account>,
    /// Whether the configured provider of models wants an account of OpenAI.
    #[serde(deserialize_with = "lenient")]
    pub requires_openai_auth: bool,
}

impl AccountRead {
    /// Whether somebody has to sign in before a model can be used.
    #[must_use]
    pub fn needs_sign_in(&self) -> bool {
        self.account.is_none() && self.requires_openai_auth
    }
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Account {
    /// `apiKey`, `chatgpt`, `amazonBedrock`, `gcp` or something new.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// Of a ChatGPT account.
    #[serde(deserialize_with = "lenient")]
    pub email: Option<String>,
    /// Of a ChatGPT account.
    #[serde(deserialize_with = "lenient")]
    pub plan_type: Option<String>,
}

/// The answer of `account/rateLimits/read`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountLimits {
    /// The limits that matter most.
    #[serde(deserialize_with = "lenient")]
    pub rate_limits: RateLimits,
    /// All of them by their ids.
    #[serde(deserialize_with = "lenient")]
    pub rate_limits_by_limit_id: Option<BTreeMap<String, RateLimits>>,
}

/// What an account may use of something. In updates, what is missing is as it was.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RateLimits {
    /// Its id; `codex` is what all use.
    #[serde(deserialize_with = "lenient")]
    pub limit_id: Option<String>,
    /// What people call what is limited.
    #[serde(deserialize_with = "lenient")]
    pub limit_name: Option<String>,
    /// The shorter window.
    #[serde(deserialize_with = "lenient")]
    pub primary: Option<LimitWindow>,
    /// The longer window.
    #[serde(deserialize_with = "lenient")]
    pub secondary: Option<LimitWindow>,
}

/// How much of a limit is used within a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LimitWindow {
    /// In percent.
    #[serde(deserialize_with = "lenient")]
    pub used_percent: f64,
    /// How long it is, in minutes.
    #[serde(deserialize_with = "lenient")]
    pub window_duration_mins: Option<u64>,
    /// When it is renewed, in seconds since the Unix epoch.
    #[serde(deserialize_with = "lenient")]
    pub resets_at: Option<i64>,
}

/// A model of `model/list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Model {
    /// Its id.
    #[serde(deserialize_with = "lenient")]
    pub id: String,
    /// What people call it.
    #[serde(deserialize_with = "lenient")]
    pub display_name: String,
    /// Whether pickers leave it out.
    #[serde(deserialize_with = "lenient")]
    pub hidden: bool,
    /// Whether Codex would choose it.
    #[serde(deserialize_with = "lenient")]
    pub is_default: bool,
    /// The efforts it knows.
    #[serde(deserialize_with = "lenient")]
    pub supported_reasoning_efforts: Vec<Effort>,
    /// The effort without a choice.
    #[serde(deserialize_with = "lenient")]
    pub default_reasoning_effort: String,
    /// `text`, `image`, …
    #[serde(deserialize_with = "lenient")]
    pub input_modalities: Vec<String>,
}

/// An effort of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Effort {
    /// Its name.
    #[serde(deserialize_with = "lenient")]
    pub reasoning_effort: String,
}

/// The skills of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Skills {
    /// The skills.
    #[serde(deserialize_with = "lenient")]
    pub skills: Vec<Skill>,
}

/// A skill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Skill {
    /// Its name.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// What it does.
    #[serde(deserialize_with = "lenient")]
    pub description: String,
    /// The file that is it.
    #[serde(deserialize_with = "lenient")]
    pub path: String,
    /// Whether it can be used.
    #[serde(deserialize_with = "lenient")]
    pub enabled: bool,
}

/// An MCP server as Codex has it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct McpServerStatus {
    /// What the configuration calls it.
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    /// How it runs.
    pub runtime_status: Value,
    /// How it is signed in to.
    pub auth_status: Value,
    /// Its tools by name.
    #[serde(deserialize_with = "lenient")]
    pub tools: BTreeMap<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_is_needed_only_where_openai_s_account_is_wanted() {
        let read = |text: &str| serde_json::from_str::<AccountRead>(text).unwrap().needs_sign_in();
        assert!(read(r#"{"account":null,"requiresOpenaiAuth":true}"#));
        assert!(!read(r#"{"account":null,"requiresOpenaiAuth":false}"#));
        assert!(!read(r#"{"account":{"type":"apiKey"},"requiresOpenaiAuth":true}"#));
        assert!(!read(r#"{"account":{"type":"new","x":[1]},"requiresOpenaiAuth":true}"#));
    }

    #[test]
    fn the_version_is_told_in_the_user_agent() {
        let about = Initialized {
            user_agent: "baton/0.169.0 (Linux 6; x86_64) baton (baton; 0.1)".to_owned(),
            codex_home: String::new(),
        };
        assert_eq!(about.version(), "0.169.0");
    }
}
