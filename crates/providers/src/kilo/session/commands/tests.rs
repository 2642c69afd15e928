//! Which messages are commands, and which of those are run.

use domain::ModelSelection;
use kilo_sdk::types::{Action, Rule};

use super::*;

fn prompt(text: &str) -> Prompt {
    Prompt {
        turn: TurnId::parse(&format!("trn_{:032x}", 1)).unwrap(),
        key: "msg_1".to_owned(),
        kind: InputKind::Message,
        text: text.to_owned(),
        attachments: Vec::new(),
        model: ModelSelection { model: "mock/m1".to_owned(), option: None },
        mode: Mode::Build,
    }
}

fn command(template: &str) -> Command {
    Command { name: "x".into(), template: Some(template.to_owned()), ..Command::default() }
}

fn agent(name: &str, mode: &str, allowed: &[&str]) -> Agent {
    let ask = Rule { permission: "*".into(), pattern: "*".into(), action: Action::Ask };
    let allow = |name: &&str| Rule {
        permission: (*name).to_owned(),
        pattern: "*".into(),
        action: Action::Allow,
    };
    let permission = std::iter::once(ask).chain(allowed.iter().map(allow)).collect();
    Agent { name: name.to_owned(), mode: mode.to_owned(), permission, ..Agent::default() }
}

#[test]
fn a_message_begins_with_a_command_or_it_does_not() {
    let of = |text: &str| {
        let prompt = prompt(text);
        typed(&prompt).map(|(name, rest)| (name.to_owned(), rest.to_owned()))
    };
    let call = |name: &str, rest: &str| Some((name.to_owned(), rest.to_owned()));
    assert_eq!(of("/greet"), call("greet", ""));
    assert_eq!(of("/git/commit  now\nplease \n"), call("git/commit", "now\nplease"));
    for text in ["", "greet", " /greet", "/", "/ greet", "see /greet"] {
        assert_eq!(of(text), None, "{text:?}");
    }
    let compaction = Prompt { kind: InputKind::Compact, ..prompt("/greet") };
    assert_eq!(typed(&compaction), None);
}

#[test]
fn shell_commands_are_seen_wherever_they_would_come_from() {
    for (template, arguments) in [
        ("Look: !`git diff` and say", ""),
        ("Say $ARGUMENTS", "it: !`rm x`"),
        ("Say !$ARGUMENTS", "`rm x`"),
        ("Say $1`rm x`", "wow!"),
        ("Say $1$2", "! `rm x`"),
    ] {
        assert!(runs_shell(&command(template), arguments), "{template} {arguments}");
    }
    for (template, arguments) in [
        ("Say `it` to $1! And $ARGUMENTS.", "the `code`, now!"),
        ("Costs 5$!", "fix `this`!"),
        ("", "```script\n[]\n```"),
    ] {
        assert!(!runs_shell(&command(template), arguments), "{template} {arguments}");
    }
    let of_server = Command { template: None, ..command("") };
    assert!(runs_shell(&of_server, ""), "what it says is not told");
    let skill =
        |trusted| Command { source: Some("skill".into()), trusted, ..command("Look: !`git diff`") };
    assert!(!runs_shell(&skill(Some(false)), ""), "Kilo leaves it out");
    assert!(runs_shell(&skill(Some(true)), "") && runs_shell(&skill(None), ""));
}

#[test]
fn what_acts_unasked_by_itself_needs_full_access() {
    let agents = [
        agent("careful", "primary", &["read", "bash", "edit"]),
        agent("wild", "primary", &["bash", "github_*"]),
        agent("helper", "subagent", &["edit"]),
        agent("plan", "primary", &[]),
    ];
    let as_agent = |name: &str| Command { agent: Some(name.into()), ..command("Say") };
    let refused =
        |command: &Command, access, mode| refusal(command, "", &agents, (access, mode)).is_some();
    let (ask, edit, full) = (Access::Supervised, Access::AutoEdit, Access::Full);
    let (build, plan) = (Mode::Build, Mode::Plan);
    for (command, access, mode, is) in [
        (command("Say"), ask, build, false),
        (command("Say !`ls`"), edit, build, true),
        (command("Say !`ls`"), full, build, false),
        (command("Say !`ls`"), full, plan, true),
        // The session's rules come after those of its agent.
        (as_agent("careful"), ask, build, false),
        (as_agent("careful"), ask, plan, true),
        (as_agent("wild"), ask, build, true),
        (as_agent("wild"), full, build, false),
        // A sub-agent has none of them.
        (as_agent("helper"), ask, build, true),
        (as_agent("helper"), edit, build, false),
        (Command { subtask: Some(true), ..as_agent("careful") }, edit, build, true),
        (as_agent("plan"), ask, plan, false),
        (as_agent("nobody"), full, build, true),
        (Command { name: "goal".into(), ..command("") }, full, build, true),
    ] {
        assert_eq!(refused(&command, access, mode), is, "{command:?} {access:?} {mode:?}");
    }
}

#[test]
fn what_a_command_runs_as_and_on_is_said_when_it_is_not_what_was_chosen() {
    let said = |agent: Option<&str>, model: Option<&str>| {
        let own = Command {
            agent: agent.map(Into::into),
            model: model.map(Into::into),
            ..command("Say")
        };
        remark(&own, &prompt("/x")).unwrap_or_default()
    };
    assert_eq!(said(Some("code"), Some("mock/m1")), "");
    assert!(said(Some("wild"), None).contains("`wild`"));
    let both = said(Some("wild"), Some("mock/m2"));
    assert!(both.contains("`wild`") && both.contains("`mock/m2`"), "{both}");
}
