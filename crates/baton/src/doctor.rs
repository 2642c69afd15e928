//! `baton doctor`.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use domain::{AgentEndReason, AgentReport, ProviderState, ProviderStatus, Timestamp, UsageLimit};
use protocol::{Diagnostics, ProviderList};

use crate::cli::{DEFAULT_PORT, Doctor};
use crate::link::Link;
use crate::models::{looked_at, model_list, upstream_line};
use crate::serve::listen;

/// Says what works, what does not, and what to do about it. Succeeds when a provider is ready.
pub(crate) async fn doctor(options: Doctor) -> Result<ExitCode> {
    println!(
        "Baton      {} on {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let link = Link::open(&options.data, "doctor").await?;
    let looked = look(&link).await;
    link.close().await;
    let ready = looked?;
    if !ready {
        println!("\nNo provider is ready; see above for what to do.");
    }
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn look(link: &Link) -> Result<bool> {
    println!("data       {}", link.data.path().display());
    if link.is_own() {
        match listen("127.0.0.1", DEFAULT_PORT).await {
            Ok(_) => println!("server     not running; port {DEFAULT_PORT} is free"),
            Err(error) => println!("server     not running; {error:#}"),
        }
    } else {
        let server: Diagnostics = link.client.get("/api/diagnostics").await?;
        let memory =
            server.memory_bytes.map_or(String::new(), |bytes| format!(", {} MB", bytes >> 20));
        println!(
            "server     {} (version {}, pid {}, up {} s{memory})",
            link.client.url(),
            server.version,
            server.pid,
            server.uptime_seconds
        );
    }
    let mut ready = false;
    for status in link.client.get::<ProviderList>("/api/providers").await?.providers {
        let status = looked_at(link, status).await?;
        ready |= status.state == ProviderState::Ready;
        print(&status);
        let list = model_list(&link.client, &status.id).await?;
        for upstream in &list.upstreams {
            println!("{:10}   from    {}", "", upstream_line(upstream));
        }
        for model in &list.models {
            if let Some(why) = &model.unverified {
                println!("{:10}   custom  {} is unverified: {why}", "", model.id);
            }
        }
        let path = format!("/api/providers/{}/processes", status.id);
        print_processes(&link.client.get::<AgentReport>(&path).await?);
    }
    Ok(ready)
}

fn print(status: &ProviderStatus) {
    let word = match status.state {
        ProviderState::Unknown => "not looked at",
        ProviderState::Disabled => "switched off",
        ProviderState::NotInstalled => "not installed",
        ProviderState::WrongProgram => "wrong program",
        ProviderState::TooOld => "too old",
        ProviderState::Broken => "broken",
        ProviderState::SignedOut => "signed out",
        ProviderState::Ready => "ready",
    };
    // Some messages begin with the word itself.
    let message = status.message.as_str();
    let same = message.to_lowercase().starts_with(word);
    let word = if same { String::new() } else { format!("{word}: ") };
    println!("{:10} {word}{message}", status.id.as_str());
    let known = |name: &str, value: Option<&String>| {
        if let Some(value) = value {
            println!("{:10}   {name} {value}", "");
        }
    };
    known("version", status.version.as_ref());
    known("program", status.binary.as_ref());
    if status.models > 0 {
        println!("{:10}   models  {}", "", status.models);
    }
    known("to do  ", status.fix.as_ref());
    for limit in &status.limits {
        known("limit  ", Some(&limit_line(limit, now())));
    }
    for problem in &status.problems {
        known("problem", Some(&problem.message));
    }
}

/// How much of what an account allows is used.
fn limit_line(limit: &UsageLimit, now: Timestamp) -> String {
    let UsageLimit { name, used_percent, resets_at } = limit;
    match resets_at.map(|at| at.saturating_sub(now) / 60_000) {
        Some(left) if left < 0 => format!("{name}: renewed since it was told"),
        Some(left) => {
            let (hours, minutes) = (left / 60, left % 60);
            format!("{name}: {used_percent} % used, renewed in {hours} h {minutes} min")
        }
        None => format!("{name}: {used_percent} % used"),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| Timestamp::try_from(since.as_millis()).unwrap_or(Timestamp::MAX))
}

/// What runs of a provider, and how the last one ended.
fn print_processes(report: &AgentReport) {
    for process in &report.processes {
        let pid = process.pid.map_or_else(|| process.url.clone(), |pid| format!("pid {pid}"));
        let memory =
            process.memory_bytes.map_or(String::new(), |bytes| format!(", {} MB", bytes >> 20));
        let cpu = process.cpu_percent.map_or(String::new(), |percent| format!(", {percent} % CPU"));
        let answers = if process.answering { "" } else { ", does not answer" };
        println!(
            "{:10}   process {pid}{memory}{cpu}, {} sessions, {} turns{answers}",
            "", process.sessions, process.turns
        );
    }
    if let Some(end) = report.ends.first() {
        let said = end.said.as_ref().map_or(String::new(), |said| format!(": {said}"));
        println!("{:10}   ended   {}{said}", "", words(end.why));
    }
}

fn words(why: AgentEndReason) -> &'static str {
    match why {
        AgentEndReason::SwitchedOff => "switched off",
        AgentEndReason::BatonEnded => "with Baton",
        AgentEndReason::SettingsChanged => "its settings changed",
        AgentEndReason::Unused => "no thread needed it",
        AgentEndReason::Restarted => "restarted by a person",
        AgentEndReason::NotAnswering => "it no longer answered",
        AgentEndReason::Memory => "it took too much memory",
        AgentEndReason::Processor => "it kept a processor busy for nothing",
        AgentEndReason::Died => "by itself",
        AgentEndReason::NotStarted => "did not start",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_with_its_renewal_and_not_after_it() {
        let limit = |resets_at| UsageLimit { name: "5 h".to_owned(), used_percent: 37, resets_at };
        assert_eq!(limit_line(&limit(None), 0), "5 h: 37 % used");
        let line = limit_line(&limit(Some(90 * 60_000)), 0);
        assert_eq!(line, "5 h: 37 % used, renewed in 1 h 30 min");
        assert_eq!(limit_line(&limit(Some(1)), 120_000), "5 h: renewed since it was told");
    }
}
