//! What one configuration file of Kilo would start or loosen, by the schema of 7.7.7.

use std::iter::once;

use domain::StartupKind;
use serde_json::Value;

/// How a variable of the environment begins; its name and `}` follow.
const VARIABLE: &str = "{env:";

/// Takes an act: its kind, name and detail, and all it depends on.
pub(super) type Take<'a> = &'a mut dyn FnMut(StartupKind, &str, &str, &Value);

/// Tells each act of a configuration.
pub(super) fn acts(config: &Value, take: Take<'_>) {
    servers(&config["mcp"], take);
    plugins(&config["plugin"], take);
    helpers("formatter", &config["formatter"], take);
    helpers("lsp", &config["lsp"], take);
    if let Some(shell) = config["shell"].as_str() {
        take(StartupKind::Command, "shell", shell, &config["shell"]);
    }
    for (name, command) in object(&config["command"]) {
        let template = command["template"].as_str().unwrap_or_default();
        if template.contains("!`") {
            let detail = shell_parts(template).join("; ");
            take(StartupKind::Prompt, &format!("/{name}"), &detail, command);
        }
    }
    for (name, provider) in object(&config["provider"]) {
        let address = ["/api", "/options/baseURL", "/npm"];
        let detail = address.iter().find_map(|at| provider.pointer(at)?.as_str());
        take(StartupKind::Models, name, detail.unwrap_or("settings of its own"), provider);
    }
    if config["share"].as_str() == Some("auto") {
        take(StartupKind::Remote, "share", "every conversation is published", &config["share"]);
    }
    remote(config, take);
    permissions(config, take);
}

/// The variables that a text takes from the environment, each once.
pub(super) fn variables(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for after in text.split(VARIABLE).skip(1) {
        let name = after.split('}').next().unwrap_or_default();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether any name in a configuration is put together from the environment.
pub(super) fn has_variable_names(value: &Value) -> bool {
    match value {
        Value::Object(entries) => {
            entries.iter().any(|(name, value)| name.contains(VARIABLE) || has_variable_names(value))
        }
        Value::Array(values) => values.iter().any(has_variable_names),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Tool servers (MCP). One that is switched off is not started.
fn servers(mcp: &Value, take: Take<'_>) {
    for (name, server) in object(mcp) {
        if server["enabled"] == Value::Bool(false) {
            continue;
        }
        if let Some(url) = server["url"].as_str() {
            take(StartupKind::Remote, name, url, server);
        } else if server["command"].is_array() {
            take(StartupKind::Command, name, &line(None, &server["command"]), server);
        } else {
            take(StartupKind::Command, name, "switches on a server of your own settings", server);
        }
    }
}

fn plugins(plugins: &Value, take: Take<'_>) {
    for plugin in plugins.as_array().into_iter().flatten() {
        let name = plugin.as_str().or_else(|| plugin[0].as_str()).unwrap_or("plugin");
        take(StartupKind::Code, name, "plugin", plugin);
    }
}

/// Formatters and language servers.
fn helpers(what: &str, helpers: &Value, take: Take<'_>) {
    if *helpers == Value::Bool(true) {
        take(StartupKind::Helper, what, "those Kilo knows, as the project brings them", helpers);
    }
    for (name, helper) in object(helpers) {
        if helper["disabled"] != Value::Bool(true) {
            take(StartupKind::Helper, name, &line(None, &helper["command"]), helper);
        }
    }
}

/// What is read from other machines.
fn remote(config: &Value, take: Take<'_>) {
    let addresses = config["instructions"].as_array().into_iter();
    let addresses = addresses.chain(config["skills"]["urls"].as_array()).flatten();
    for address in addresses {
        let text = address.as_str().unwrap_or_default();
        if text.contains("://") {
            take(StartupKind::Remote, "instructions", text, address);
        }
    }
}

/// What is allowed, at the top and for single agents.
fn permissions(config: &Value, take: Take<'_>) {
    let of =
        |kind: &'static str| object(&config[kind]).map(move |(name, agent)| (name.as_str(), agent));
    for (who, rules) in once(("all agents", config)).chain(of("agent")).chain(of("mode")) {
        let mut allowed = Vec::new();
        allows("", &rules["permission"], &mut allowed);
        for (tool, on) in object(&rules["tools"]) {
            if *on == Value::Bool(true) {
                allowed.push(tool.clone());
            }
        }
        if !allowed.is_empty() {
            let whole = serde_json::json!([rules["permission"], rules["tools"]]);
            take(StartupKind::Permission, who, &allowed.join(", "), &whole);
        }
    }
}

fn allows(path: &str, rules: &Value, allowed: &mut Vec<String>) {
    if rules.as_str() == Some("allow") {
        allowed.push(if path.is_empty() { "everything".to_owned() } else { path.to_owned() });
    }
    for (key, value) in object(rules) {
        let path = if path.is_empty() { key.clone() } else { format!("{path} {key}") };
        allows(&path, value, allowed);
    }
}

/// The entries of an object; none of anything else.
pub(super) fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A command line as a person would write it.
pub(super) fn line(program: Option<&str>, arguments: &Value) -> String {
    let arguments = arguments.as_array().into_iter().flatten().filter_map(Value::as_str);
    let words = program.into_iter().chain(arguments).map(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The commands in a template, which Kilo runs when it is used.
pub(super) fn shell_parts(template: &str) -> Vec<String> {
    let parts = template.split("!`").skip(1);
    parts.filter_map(|rest| rest.split_once('`')).map(|(command, _)| command.to_owned()).collect()
}
