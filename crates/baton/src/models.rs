//! `baton models`.

use std::process::ExitCode;

use anyhow::Result;
use domain::{Model, ProviderId, ProviderState, ProviderStatus, Upstream, UpstreamState};
use protocol::{ModelList, ProviderList};
use serde::Serialize;

use crate::cli::Models;
use crate::client::Client;
use crate::link::Link;

/// Lists the models of every provider that is switched on.
pub(crate) async fn models(options: Models) -> Result<ExitCode> {
    let link = Link::open(&options.data, "models").await?;
    let listed = list(&link).await;
    link.close().await;
    let listed = listed?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&listed)?);
    } else {
        for provider in &listed {
            print_plain(provider);
        }
    }
    let any = listed.iter().any(|provider| !provider.models.is_empty());
    Ok(if any { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A provider's models.
#[derive(Serialize)]
struct Listed {
    provider: ProviderId,
    models: Vec<Model>,
    upstreams: Vec<Upstream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

async fn list(link: &Link) -> Result<Vec<Listed>> {
    let mut listed = Vec::new();
    for status in link.client.get::<ProviderList>("/api/providers").await?.providers {
        let status = looked_at(link, status).await?;
        if status.state == ProviderState::Disabled {
            continue;
        }
        let list = model_list(&link.client, &status.id).await?;
        let not_ready = status.state != ProviderState::Ready;
        let problem = list.problem.or_else(|| not_ready.then(|| status.message.clone()));
        let ModelList { models, upstreams, .. } = list;
        listed.push(Listed { provider: status.id, models, upstreams, problem });
    }
    Ok(listed)
}

/// The models of a provider, from its last good look.
pub(crate) async fn model_list(client: &Client, id: &ProviderId) -> Result<ModelList> {
    client.get(&format!("/api/providers/{id}/models")).await
}

/// A provider's status after a look at it, when none was taken yet.
pub(crate) async fn looked_at(link: &Link, status: ProviderStatus) -> Result<ProviderStatus> {
    let known = status.checked_at.is_some() && !status.checking;
    if status.state == ProviderState::Disabled || (known && !link.is_own()) {
        return Ok(status);
    }
    // On standard error, for it takes seconds.
    eprintln!("baton: looking at {}…", status.name);
    link.client.post(&format!("/api/providers/{}/refresh", status.id), &serde_json::json!({})).await
}

/// An upstream, its models, its state and the command that mends it, in a line.
pub(crate) fn upstream_line(upstream: &Upstream) -> String {
    let models = match upstream.state {
        UpstreamState::Connected | UpstreamState::Stale => {
            let left_out = match upstream.left_out {
                0 => String::new(),
                count => format!(" ({count} cannot be used)"),
            };
            format!("{} models{left_out}, ", upstream.models)
        }
        UpstreamState::SignedOut
        | UpstreamState::SwitchedOff
        | UpstreamState::Empty
        | UpstreamState::Unknown => String::new(),
    };
    let fix = upstream.fix.as_ref().map_or(String::new(), |fix| format!("; run `{fix}`"));
    format!("{}: {models}{}{fix}", upstream.id, upstream.message)
}

fn print_plain(listed: &Listed) {
    let width = listed.models.iter().map(|model| model.id.len()).max().unwrap_or_default();
    for model in &listed.models {
        let mut notes = Vec::new();
        if model.default {
            notes.push("default".to_owned());
        }
        if model.free {
            notes.push("free".to_owned());
        }
        if let Some(why) = &model.unverified {
            notes.push(format!("custom, unverified: {why}"));
        } else if model.custom {
            notes.push("custom".to_owned());
        }
        if !model.options.is_empty() {
            notes.push(format!("options: {}", model.options.join(", ")));
        }
        let notes =
            if notes.is_empty() { String::new() } else { format!("  ({})", notes.join("; ")) };
        println!("{:width$}  {}{notes}", model.id, model.name);
    }
    for upstream in listed.upstreams.iter().filter(|u| u.state != UpstreamState::Connected) {
        eprintln!("baton: {}: {}", listed.provider, upstream_line(upstream));
    }
    if let Some(problem) = &listed.problem {
        eprintln!("baton: {}: {problem}", listed.provider);
    }
}
