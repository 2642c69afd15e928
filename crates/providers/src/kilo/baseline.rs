//! The permission rules Baton puts under every Kilo session, and the access levels on top.
//!
//! Everything here was measured on Kilo 7.7.7: rules are a flat list and the last that matches
//! wins; a session's rules come after the configuration's; sub-agents inherit only what their
//! parent *denies*, so the configuration itself has to ask.

use domain::{Access, Mode};
use kilo_sdk::types::{Action, Agent, Config, Rule};
use serde_json::{Map, Value, json};

/// Acts that change something or reach outside. They are named one by one, although `*` asks,
/// because a scalar here replaces whatever the user's own configuration allows for them.
const ASKED: [&str; 7] =
    ["edit", "bash", "webfetch", "websearch", "codesearch", "external_directory", "doom_loop"];

/// Acts that only look, or only concern the conversation.
const ALLOWED: [&str; 9] = [
    "glob",
    "grep",
    "list",
    "semantic_search",
    "skill",
    "task",
    "todowrite",
    "todoread",
    "question",
];

/// Acts that break turns apart: they go on after the turn, start turns nobody asked for, or never
/// end (`suggest`).
const DENIED: [&str; 5] =
    ["suggest", "schedule_wakeup", "background_process", "notify_user", "send_file"];

/// Acts allowed by Kilo itself that change nothing a person would want to be asked about.
const HARMLESS: [&str; 5] = ["read", "external_directory", "plan_enter", "plan_exit", "open_plan"];

/// Where the plan agent writes its plans, in the workspace.
const PLANS: [&str; 4] = [".kilo/plans/*.md", "plans/*.md", ".plans/*.md", ".opencode/plans/*.md"];

/// Files that may hold secrets are asked for even to read them.
const READ: [(&str, &str); 4] =
    [("*", "allow"), ("*.env", "ask"), ("*.env.*", "ask"), ("*.env.example", "allow")];

/// The configuration injected over the user's own and the projects'.
///
/// An agent's own rules come after the general ones, and the user may have loosened them too, so
/// the rules are repeated for the agents that work: `code`, and the sub-agents `general` and
/// `explore`. The `plan` agent is left as it is: its own rules forbid more than ours ask.
///
/// Snapshots are off: they stall concurrent turns and ask a blocking question of their own, and
/// checkpoints are Baton's.
pub(super) fn config() -> Value {
    let rules = permission();
    let with = |more: Value| {
        let mut rules = Value::Object(rules.clone());
        merge(&mut rules, more);
        json!({ "permission": rules })
    };
    json!({
        "snapshot": false,
        "permission": rules,
        "agent": {
            // Only the plan agent may end a plan; `*` would offer that to the others as well.
            "code": with(json!({ "plan_exit": "deny" })),
            // A sub-agent is not bound by the session's rules on which others it may start.
            "general": with(json!({ "plan_exit": "deny", "task": "ask" })),
            // It only looks around; `*` would offer it to change files.
            "explore": with(json!({ "plan_exit": "deny", "task": "ask", "edit": "deny" })),
        },
    })
}

fn permission() -> Map<String, Value> {
    let mut permission = Map::from_iter([("*".to_owned(), json!("ask"))]);
    permission.insert("read".to_owned(), Value::from_iter(READ));
    permission.extend(ASKED.map(|name| (name.to_owned(), json!("ask"))));
    permission.extend(ALLOWED.map(|name| (name.to_owned(), json!("allow"))));
    permission.extend(DENIED.map(|name| (name.to_owned(), json!("deny"))));
    permission
}

/// Puts our configuration over the one the user's environment already injects, if it does.
pub(super) fn over(users: Option<&str>) -> Value {
    let users = users.and_then(|text| serde_json::from_str::<Value>(text).ok());
    match users {
        Some(mut merged) if merged.is_object() => {
            merge(&mut merged, config());
            merged
        }
        _ => config(),
    }
}

fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// Says what of the baseline is not in force, or `None` when all of it is.
///
/// Kilo 7.7.7 drops the whole injected configuration silently when one value in it has the wrong
/// type, so this is read back after every start.
pub(super) fn missing(config: &Config) -> Option<String> {
    let is = |name: &str, wanted: &str| {
        let found = config.permission.get(name);
        // What was a map of patterns in the user's configuration may have become one again.
        found.and_then(Value::as_str) == Some(wanted)
            || found.and_then(|v| v.get("*")).and_then(Value::as_str) == Some(wanted)
    };
    std::iter::once(("*", "ask"))
        .chain(ASKED.map(|name| (name, "ask")))
        .chain(DENIED.map(|name| (name, "deny")))
        .find(|(name, wanted)| !is(name, wanted))
        .map(|(name, wanted)| format!("permission `{name}` is not `{wanted}`"))
}

/// The rules a session needs for an access and a mode, appended to those it has: they decide what
/// is named here, and `loose` names what the agents and the session itself would let happen
/// unasked. What is not named asks by the configuration, and full access answers that by itself.
///
/// No rule is for `*`: that would offer `plan_exit` to the `code` agent, and a rule of a session
/// that denies it can never be undone, not even for a later plan turn (Kilo 7.7.7). Only a session
/// that has such a rule already, because everything was allowed in it elsewhere, gets one that asks.
pub(super) fn rules(access: Access, mode: Mode, loose: &Loose) -> Vec<Rule> {
    let full = access == Access::Full;
    let asked = if full { Action::Allow } else { Action::Ask };
    let mut rules = Vec::new();
    if loose.everything {
        rules.push(rule("*", "*", Action::Ask));
        rules.extend(ALLOWED.map(|name| rule(name, "*", Action::Allow)));
    }
    rules.extend(READ.map(|(pattern, action)| match action {
        "ask" => rule("read", pattern, asked.clone()),
        _ => rule("read", pattern, Action::Allow),
    }));
    rules.extend(ASKED.map(|name| rule(name, "*", asked.clone())));
    rules.extend(loose.rules.iter().map(|(name, pattern)| rule(name, pattern, asked.clone())));
    if mode == Mode::Plan {
        // No access answers anything for the plan agent.
        rules.extend(loose.plan.iter().map(|(name, pattern)| rule(name, pattern, Action::Ask)));
    }
    rules.extend(loose.agents.iter().map(|agent| rule("task", agent, asked.clone())));
    if access == Access::AutoEdit {
        rules.push(rule("edit", "*", Action::Allow));
    }
    if mode == Mode::Plan {
        // The agent may change nothing else, whatever the rules.
        rules.extend(PLANS.map(|pattern| rule("edit", pattern, Action::Allow)));
    }
    rules.extend(DENIED.map(|name| rule(name, "*", Action::Deny)));
    rules
}

/// The rule that allows a pattern until the session ends. A person's `*` is written `**`, which
/// matches the same and is told from a rule of an access.
pub(super) fn grant(permission: &str, pattern: &str) -> Rule {
    rule(permission, if pattern == "*" { "**" } else { pattern }, Action::Allow)
}

/// What people allowed for a session, found again in the rules it has.
pub(super) fn grants(rules: &[Rule], loose: &Loose) -> Vec<Rule> {
    // What a person allows has the name of an act; a pattern of names is looser than any answer.
    let of_access = |rule: &Rule| {
        (rule.pattern == "*")
            || rule.permission.contains(['*', '?'])
            || READ.iter().any(|(pattern, _)| rule.permission == "read" && rule.pattern == *pattern)
            || (rule.permission == "edit" && PLANS.contains(&rule.pattern.as_str()))
            || (rule.permission == "task" && loose.agents.contains(&rule.pattern))
            || loose.rules.iter().any(|(p, q)| *p == rule.permission && *q == rule.pattern)
    };
    let mut found: Vec<Rule> = Vec::new();
    for rule in rules.iter().filter(|r| r.action == Action::Allow && !of_access(r)) {
        if !found.contains(rule) {
            found.push(rule.clone());
        }
    }
    found
}

/// What the user's or the project's own rules would let happen unasked, over our configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loose {
    /// Acts of the agent that builds, or of the session, as permission and pattern.
    rules: Vec<(String, String)>,
    /// Acts of the agent that plans.
    plan: Vec<(String, String)>,
    /// Sub-agents that act unasked; starting one is asked.
    agents: Vec<String>,
    /// Whether the session has everything allowed that nothing else names.
    everything: bool,
}

impl Loose {
    /// Finds it in the rules that are in force for each agent of a directory. One that is hidden is
    /// hidden from people: the model starts it all the same (Kilo 7.7.7, measured).
    pub(super) fn find(agents: &[Agent]) -> Self {
        let mut found = Self::default();
        for agent in agents {
            let unasked = unasked(&agent.permission);
            if agent.name == "code" {
                found.rules.extend(unasked);
            } else if agent.name == "plan" {
                // Its own rules for what is asked anyway are Kilo's, and forbid more than ours ask.
                found.plan.extend(unasked.into_iter().filter(|(name, _)| !is_named(name)));
            } else if agent.mode != "primary" && !unasked.is_empty() {
                found.agents.push(agent.name.clone());
            }
        }
        found
    }

    /// Adds what the rules of a session that was made elsewhere would let happen unasked, but for
    /// what a person allowed act by act.
    pub(super) fn with_session(mut self, rules: &[Rule]) -> Self {
        let granted = grants(rules, &self);
        for (name, pattern) in unasked(rules) {
            let act = (name, pattern);
            let allowed = rule(&act.0, &act.1, Action::Allow);
            if act.0 == "*" {
                self.everything = true;
            } else if !is_named(&act.0) && !granted.contains(&allowed) && !self.rules.contains(&act)
            {
                self.rules.push(act);
            }
        }
        self
    }
}

/// Whether the rules of every session decide an act, whatever came before.
fn is_named(permission: &str) -> bool {
    permission == "read" || ASKED.contains(&permission) || DENIED.contains(&permission)
}

/// Whether an agent that a command names acts unasked although the access asks. In the session
/// itself its rules come before those of the access; a sub-agent has nothing but its own.
pub(super) fn is_loose(agent: &Agent, is_sub: bool, access: Access) -> bool {
    let decided = |name: &str| allows(access, name) || (!is_sub && ASKED.contains(&name));
    unasked(&agent.permission).iter().any(|(name, _)| !decided(name))
}

/// Acts that these rules allow and that do more than look.
fn unasked(rules: &[Rule]) -> Vec<(String, String)> {
    // Looking at files outside the workspace changes nothing by itself.
    let harmless = |name: &str| {
        ALLOWED.contains(&name) || name.starts_with("board_") || HARMLESS.contains(&name)
    };
    let decided_later = |at: usize, rule: &Rule| {
        rules.iter().skip(at + 1).any(|later| {
            later.action != Action::Allow
                && glob(&later.permission, &rule.permission)
                && glob(&later.pattern, &rule.pattern)
        })
    };
    rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.action == Action::Allow && !harmless(&rule.permission))
        .filter(|(at, rule)| !decided_later(*at, rule))
        .map(|(_, rule)| (rule.permission.clone(), rule.pattern.clone()))
        .collect()
}

/// Whether an access lets an act happen that a sub-agent asks for. Sub-agents ask by the
/// configuration alone, so the answer their root's access implies is given for them.
pub(super) fn allows(access: Access, permission: &str) -> bool {
    match access {
        Access::Supervised => false,
        Access::AutoEdit => permission == "edit",
        Access::Full => true,
    }
}

/// Whether rules a person granted for the session cover everything a request is about.
pub(super) fn granted(rules: &[Rule], permission: &str, patterns: &[String]) -> bool {
    !patterns.is_empty()
        && patterns.iter().all(|wanted| {
            rules.iter().any(|rule| rule.permission == permission && glob(&rule.pattern, wanted))
        })
}

/// Whether a pattern with `*` and `?` matches the whole of a text, as Kilo's wildcards do. A
/// trailing ` *` also matches nothing, so that `git *` covers `git`.
fn glob(pattern: &str, text: &str) -> bool {
    fn matches(pattern: &[char], text: &[char]) -> bool {
        // Positions to come back to: after the last star, and where it began to match.
        let (mut p, mut t, mut back) = (0, 0, None);
        while t < text.len() {
            match pattern.get(p) {
                Some('*') => {
                    back = Some((p + 1, t));
                    p += 1;
                }
                Some(c) if *c == '?' || Some(c) == text.get(t) => {
                    p += 1;
                    t += 1;
                }
                _ => match back {
                    Some((after, from)) => {
                        p = after;
                        t = from + 1;
                        back = Some((after, from + 1));
                    }
                    None => return false,
                },
            }
        }
        pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
    }
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    matches(&chars(pattern), &chars(text))
        || pattern.strip_suffix(" *").is_some_and(|head| matches(&chars(head), &chars(text)))
}

fn rule(permission: &str, pattern: &str, action: Action) -> Rule {
    Rule { permission: permission.to_owned(), pattern: pattern.to_owned(), action }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kilo's own rule: the last that matches wins.
    fn decide(rules: &[Rule], permission: &str, subject: &str) -> Action {
        let hit = |r: &&Rule| glob(&r.permission, permission) && glob(&r.pattern, subject);
        rules.iter().rev().find(hit).map_or(Action::Deny, |r| r.action.clone())
    }

    #[test]
    fn each_access_decides_each_act() {
        let check = |access, mode, permission, subject, wanted| {
            let loose = Loose {
                rules: vec![("github_*".to_owned(), "*".to_owned())],
                agents: vec!["wild".to_owned()],
                ..Loose::default()
            };
            // The configuration's rules come first, as Kilo has it.
            let mut all = vec![rule("*", "*", Action::Ask)];
            all.extend(ALLOWED.map(|name| rule(name, "*", Action::Allow)));
            all.push(rule("github_create_issue", "*", Action::Allow));
            all.extend(rules(access, mode, &loose));
            let found = decide(&all, permission, subject);
            assert_eq!(found, wanted, "{access:?} {mode:?} {permission} {subject}");
        };
        for (permission, subject, supervised, auto_edit, full) in [
            ("bash", "rm -rf x", Action::Ask, Action::Ask, Action::Allow),
            ("edit", "a.rs", Action::Ask, Action::Allow, Action::Allow),
            ("read", "a.rs", Action::Allow, Action::Allow, Action::Allow),
            ("read", ".env", Action::Ask, Action::Ask, Action::Allow),
            ("read", "x.env.example", Action::Allow, Action::Allow, Action::Allow),
            ("external_directory", "/etc/*", Action::Ask, Action::Ask, Action::Allow),
            ("github_create_issue", "*", Action::Ask, Action::Ask, Action::Allow),
            ("task", "general", Action::Allow, Action::Allow, Action::Allow),
            ("task", "wild", Action::Ask, Action::Ask, Action::Allow),
            ("suggest", "*", Action::Deny, Action::Deny, Action::Deny),
            ("schedule_wakeup", "*", Action::Deny, Action::Deny, Action::Deny),
        ] {
            check(Access::Supervised, Mode::Build, permission, subject, supervised);
            check(Access::AutoEdit, Mode::Build, permission, subject, auto_edit);
            check(Access::Full, Mode::Build, permission, subject, full);
        }
        check(Access::Supervised, Mode::Build, "edit", "plans/a.md", Action::Ask);
        check(Access::Supervised, Mode::Plan, "edit", "plans/a.md", Action::Allow);
        for (access, mode) in [(Access::Full, Mode::Build), (Access::Supervised, Mode::Plan)] {
            let rules = rules(access, mode, &Loose::default());
            assert!(!rules.iter().any(|r| r.permission == "*" || r.permission == "plan_exit"));
        }
    }

    #[test]
    fn the_users_injected_configuration_stays_under_ours() {
        let users = r#"{"model":"a/b","permission":{"bash":"allow","x_y":"allow"}}"#;
        let merged = over(Some(users));
        assert_eq!(merged["model"], "a/b");
        assert_eq!(merged["permission"]["bash"], "ask");
        assert_eq!(merged["permission"]["x_y"], "allow");
        assert_eq!(over(Some("not json")), config());
    }

    #[test]
    fn a_dropped_baseline_is_noticed() {
        let in_force = Config { permission: config()["permission"].clone(), ..Config::default() };
        assert_eq!(missing(&in_force), None);
        assert!(missing(&Config::default()).is_some());
        let mut loose = in_force;
        loose.permission["bash"] = json!("allow");
        assert_eq!(missing(&loose), Some("permission `bash` is not `ask`".to_owned()));
    }

    #[test]
    fn what_would_go_unasked_is_found() {
        let agent = |name: &str, mode: &str, permission: Vec<Rule>| Agent {
            name: name.to_owned(),
            mode: mode.to_owned(),
            permission,
            ..Agent::default()
        };
        let asks = vec![rule("bash", "*", Action::Allow), rule("*", "*", Action::Ask)];
        let acts = vec![rule("*", "*", Action::Ask), rule("bash", "git *", Action::Allow)];
        let looks = vec![rule("*", "*", Action::Ask), rule("grep", "*", Action::Allow)];
        let mcp = vec![rule("*", "*", Action::Ask), rule("github_*", "*", Action::Allow)];
        let agents = [
            agent("asks", "subagent", asks),
            agent("acts", "subagent", acts.clone()),
            Agent { hidden: true, ..agent("unseen", "subagent", acts.clone()) },
            agent("looks", "all", looks),
            agent("other", "primary", acts.clone()),
            agent("code", "primary", mcp.clone()),
            agent("plan", "primary", acts.into_iter().chain(mcp.into_iter().skip(1)).collect()),
        ];
        let found = Loose::find(&agents);
        assert_eq!(found.agents, ["acts", "unseen"]);
        let github = ("github_*".to_owned(), "*".to_owned());
        assert_eq!(found.rules, std::slice::from_ref(&github));
        assert_eq!(found.plan, [github]);
        let mut all = agents.last().unwrap().permission.clone();
        all.extend(rules(Access::Full, Mode::Plan, &found));
        assert_eq!(decide(&all, "github_create_issue", "*"), Action::Ask);
    }

    #[test]
    fn a_session_that_had_everything_allowed_is_asked_for_all_of_it() {
        let given = [grant("bash", "git *"), grant("edit", "*")];
        for (loose, act) in [
            (rule("*", "*", Action::Allow), "notes_add_note"),
            (rule("*", "**", Action::Allow), "notes_add_note"),
            (rule("notes_*", "*", Action::Allow), "notes_add_note"),
            (rule("notes_add_note", "*", Action::Allow), "notes_add_note"),
            (rule("?ash", "*", Action::Allow), "bash"),
        ] {
            let mut session = vec![loose.clone()];
            session.extend(given.clone());
            let found = Loose::default().with_session(&session);
            let granted = grants(&session, &found);
            assert_eq!(granted, given, "{loose:?}");
            let mut all = vec![rule("*", "*", Action::Ask)];
            all.extend(ALLOWED.map(|name| rule(name, "*", Action::Allow)));
            all.extend(session);
            all.extend(rules(Access::Supervised, Mode::Build, &found));
            all.extend(granted);
            assert_eq!(decide(&all, act, "x"), Action::Ask, "{loose:?}");
            assert_eq!(decide(&all, "bash", "git status"), Action::Allow, "{loose:?}");
            for looks in ["glob", "todowrite", "question"] {
                assert_eq!(decide(&all, looks, "x"), Action::Allow, "{loose:?} {looks}");
            }
        }
        // What Baton itself wrote for an access is nothing to be asked for.
        let session = rules(Access::Full, Mode::Plan, &Loose::default());
        assert_eq!(Loose::default().with_session(&session), Loose::default());
    }

    #[test]
    fn grants_are_found_again_among_the_rules_of_accesses() {
        let loose = Loose {
            rules: vec![("github_*".to_owned(), "*".to_owned())],
            agents: vec!["wild".to_owned()],
            ..Loose::default()
        };
        let given = [grant("bash", "git *"), grant("edit", "*")];
        let mut all = rules(Access::Full, Mode::Plan, &loose);
        all.extend(given.clone());
        all.extend(rules(Access::AutoEdit, Mode::Build, &loose));
        all.extend(given.clone());
        assert_eq!(grants(&all, &loose), given);
        assert!(granted(&given, "edit", &["src/a.rs".to_owned()]));
    }

    #[test]
    fn grants_cover_by_wildcard_and_only_wholly() {
        let grants = [rule("bash", "git *", Action::Allow)];
        let covers = |patterns: &[&str]| {
            let patterns: Vec<_> = patterns.iter().map(|p| (*p).to_owned()).collect();
            granted(&grants, "bash", &patterns)
        };
        assert!(covers(&["git status"]));
        assert!(covers(&["git"]));
        assert!(!covers(&["git status", "rm x"]));
        assert!(!covers(&["gitk"]));
        assert!(!covers(&[]));
        assert!(!granted(&grants, "edit", &["git x".to_owned()]));
    }
}
