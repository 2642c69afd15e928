//! What a provider is able to do: its state, its models, its settings.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{ProviderId, ProviderProblem, Timestamp};

/// What a turn runs on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
pub struct ModelSelection {
    /// The model's id as its provider names it; for Kilo `providerID/modelID`, to be split at the
    /// first slash only.
    pub model: String,
    /// The chosen option, e.g. a reasoning variant; `None` for the model's default.
    #[serde(default)]
    pub option: Option<String>,
}

/// A model that a provider offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct Model {
    /// Its id within the provider.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The upstream it comes from, to group by.
    pub group: String,
    /// Options to choose from, e.g. reasoning variants; empty when there are none.
    pub options: Vec<String>,
    /// What it can take and do.
    pub abilities: ModelAbilities,
    /// What it costs, when known.
    pub cost: Option<ModelCost>,
    /// Tokens that fit its context, when known.
    pub context: Option<u64>,
    /// Whether it costs nothing.
    pub free: bool,
    /// Whether a person added it by hand.
    pub custom: bool,
    /// Whether the provider would choose it.
    pub default: bool,
    /// Why it is not known to work, in a sentence; only of one that a person added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub unverified: Option<String>,
}

/// A source of models behind a provider, e.g. the company whose key is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct Upstream {
    /// Its id, with which its models' ids begin.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether its models can be used.
    pub state: UpstreamState,
    /// Number of its models that can be chosen.
    pub models: u32,
    /// Number of its models that cannot: they call no tools, write no text or are withdrawn.
    pub left_out: u32,
    /// The state in a sentence, without its name.
    pub message: String,
    /// The command that mends the state, to be run in a terminal.
    pub fix: Option<String>,
}

/// Whether the models of an upstream can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamState {
    /// They can.
    Connected,
    /// They can, but the list is not its newest.
    Stale,
    /// Nobody is signed in to it.
    SignedOut,
    /// The person's configuration switches it off.
    SwitchedOff,
    /// It is set up without a model.
    Empty,
    /// The provider does not know it.
    Unknown,
}

/// What a model can take and do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ModelAbilities {
    /// It can call tools.
    pub tools: bool,
    /// It reasons.
    pub reasoning: bool,
    /// It takes images.
    pub images: bool,
    /// It takes PDF files.
    pub pdf: bool,
}

/// What a model costs, in US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct ModelCost {
    /// For what it reads.
    pub input: f64,
    /// For what it writes.
    pub output: f64,
}

/// Everything known about a provider at the last look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, ToSchema)]
pub struct ProviderStatus {
    /// The provider.
    pub id: ProviderId,
    /// What people call it.
    pub name: String,
    /// Whether it can be used.
    pub state: ProviderState,
    /// The state in a sentence.
    pub message: String,
    /// The command that mends the state, to be run in a terminal.
    pub fix: Option<String>,
    /// What is wrong although it can be used; a bounded number.
    #[serde(default)]
    pub problems: Vec<ProviderProblem>,
    /// How much of what the account allows is used; empty when that is not known. A bounded number.
    #[serde(default)]
    pub limits: Vec<UsageLimit>,
    /// The program's version.
    pub version: Option<String>,
    /// The program found.
    pub binary: Option<String>,
    /// Number of models that can be used now.
    pub models: u32,
    /// Whether a check is under way.
    pub checking: bool,
    /// Whether its agent process runs.
    pub running: bool,
    /// When it was last looked at; `None` when never.
    pub checked_at: Option<Timestamp>,
    /// What it can do beyond the core.
    pub capabilities: ProviderCapabilities,
    /// Its settings.
    pub settings: ProviderSettings,
}

impl ProviderStatus {
    /// Makes the status of a provider that was not looked at yet and can do no more than the core.
    #[must_use]
    pub fn new(id: ProviderId, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            state: ProviderState::Unknown,
            message: "not looked at yet".to_owned(),
            fix: None,
            problems: Vec::new(),
            limits: Vec::new(),
            version: None,
            binary: None,
            models: 0,
            checking: false,
            running: false,
            checked_at: None,
            capabilities: ProviderCapabilities::default(),
            settings: ProviderSettings::default(),
        }
    }
}

/// How much of what an account allows within a time is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct UsageLimit {
    /// What people call it, such as `5 h`; before it what is limited, if that is not all.
    pub name: String,
    /// How much of it is used, in percent.
    pub used_percent: u32,
    /// When it is renewed, if that is known. What was used before that is of no matter after.
    #[ts(type = "number | null")]
    pub resets_at: Option<Timestamp>,
}

/// Whether a provider can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderState {
    /// Not looked at yet.
    Unknown,
    /// A person switched it off.
    Disabled,
    /// No program of its name is there.
    NotInstalled,
    /// The program of its name is another one.
    WrongProgram,
    /// The program is older than what Baton can drive.
    TooOld,
    /// The program is there but does not work.
    Broken,
    /// It works, but no model can be used until a person signs in.
    SignedOut,
    /// It can be used.
    Ready,
}

/// What a provider can do beyond the core; interfaces ask for these, never for its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ProviderCapabilities {
    /// It has a plan mode.
    pub plan: bool,
    /// A message can be put into a running turn.
    pub steer: bool,
    /// Access can be changed while a turn runs.
    pub live_access: bool,
    /// Its agent process can be started anew.
    #[serde(default)]
    pub restart: bool,
    /// A server that runs already can be used instead of one of Baton's own.
    #[serde(default)]
    pub attach: bool,
}

/// What a person sets for a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
pub struct ProviderSettings {
    /// Whether it is used at all.
    pub enabled: bool,
    /// The program to run; `None` to look for it.
    pub binary: Option<String>,
    /// Models offered although the provider does not list them.
    pub custom_models: Vec<String>,
    /// A server that runs already, to be used instead of one of Baton's own: its URL, or what the
    /// provider calls the one it knows of itself. Its password is no setting and is never told.
    #[serde(default)]
    pub server: Option<String>,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self { enabled: true, binary: None, custom_models: Vec::new(), server: None }
    }
}
