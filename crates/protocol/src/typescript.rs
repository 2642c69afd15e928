//! TypeScript declarations of everything on the wire, in one file.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};

use ts_rs::{Config, TS, TypeVisitor};

use crate::{
    AddProject, AnswerRequest, AnswerTaken, BackRequest, Bootstrap, ClientMessage, CompactRequest,
    ContinueRequest, CreateThread, DecideTrust, DeviceList, Diagnostics, Directories, FileMatches,
    ForkRequest, Health, ModelList, MoveTurn, PairRequest, PairingLink, Problem, ProjectList,
    ProjectTrust, ProviderList, RestartProvider, SearchPage, SendMessage, ServerMessage,
    SessionCommand, SessionPage, SetProvider, TextWhole, ThreadList, WriteFile,
};

/// Writes the declarations of all wire types, sorted by name.
#[must_use]
pub fn typescript() -> String {
    let config = Config::new().with_large_int("number");
    let mut found =
        Declarations { config: &config, seen: HashSet::new(), by_name: BTreeMap::new() };
    found.visit::<ClientMessage>();
    found.visit::<ServerMessage>();
    found.visit::<Problem>();
    found.visit::<Health>();
    found.visit::<Bootstrap>();
    found.visit::<PairRequest>();
    found.visit::<PairingLink>();
    found.visit::<DeviceList>();
    found.visit::<AddProject>();
    found.visit::<ProjectList>();
    found.visit::<ProjectTrust>();
    found.visit::<DecideTrust>();
    found.visit::<domain::Extras>();
    found.visit::<FileMatches>();
    found.visit::<WriteFile>();
    found.visit::<SearchPage>();
    found.visit::<Diagnostics>();
    found.visit::<Directories>();
    found.visit::<CreateThread>();
    found.visit::<SendMessage>();
    found.visit::<domain::Attachment>();
    found.visit::<MoveTurn>();
    found.visit::<AnswerRequest>();
    found.visit::<AnswerTaken>();
    found.visit::<SessionPage>();
    found.visit::<ContinueRequest>();
    found.visit::<ForkRequest>();
    found.visit::<BackRequest>();
    found.visit::<CompactRequest>();
    found.visit::<SessionCommand>();
    found.visit::<ThreadList>();
    found.visit::<domain::Window>();
    found.visit::<TextWhole>();
    found.visit::<ProviderList>();
    found.visit::<RestartProvider>();
    found.visit::<domain::AgentReport>();
    found.visit::<ModelList>();
    found.visit::<SetProvider>();
    found.visit::<domain::SettingsPatch>();
    found.visit::<domain::ThreadPatch>();
    found.visit::<domain::TurnPatch>();
    let mut text = String::from(
        "// Generated from the Rust types by `cargo xtask types`; a test fails when it is stale.\n",
    );
    for declaration in found.by_name.values() {
        text.push('\n');
        text.push_str(declaration);
        text.push('\n');
    }
    text.push_str(&bounds());
    text
}

/// The bounds of the settings, by which a page tells beforehand what may be set.
fn bounds() -> String {
    let all = [
        ("changed_actions", domain::MAX_CHANGED_ACTIONS),
        ("action_keys", domain::MAX_ACTION_KEYS),
        ("key_bytes", domain::MAX_KEY_BYTES),
        ("favourites", domain::MAX_FAVOURITES),
        ("hidden", domain::MAX_HIDDEN),
        ("recent", domain::MAX_RECENT),
        ("model_name_bytes", domain::MAX_MODEL_NAME),
    ];
    let lines: String = all.iter().map(|(name, most)| format!("  {name}: {most},\n")).collect();
    format!(
        "\n/**\n * The most that the settings hold.\n */\nexport const SETTINGS_BOUNDS = {{\n{lines}}} as const;\n"
    )
}

struct Declarations<'a> {
    config: &'a Config,
    seen: HashSet<TypeId>,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
        // Only types of our own have a file to be written to; the rest is written inline.
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            let declaration = format!("{docs}export {}", T::decl(self.config));
            self.by_name.insert(T::ident(self.config), declaration);
        }
    }
}
