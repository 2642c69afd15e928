//! The log: lines on standard error, and the last of what went wrong for the diagnostics.

use std::fmt::{Debug, Write as _};
use std::io::IsTerminal as _;

use protocol::LogLevel;
use server::RecentLog;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// Begins to log to standard error, as much as `BATON_LOG` says; gives what went wrong lately,
/// which is kept whatever it says.
pub(crate) fn start(serving: bool) -> RecentLog {
    let default = if serving { "info" } else { "error" };
    let filter = EnvFilter::try_from_env("BATON_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let recent = RecentLog::default();
    let keeping = Keeping(recent.clone());
    registry().with(lines.with_filter(filter)).with(keeping.with_filter(LevelFilter::WARN)).init();
    recent
}

/// Keeps what went wrong.
struct Keeping(RecentLog);

impl<S: Subscriber> Layer<S> for Keeping {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            _ => return,
        };
        let mut line = Line::default();
        event.record(&mut line);
        self.0.note(level, &(line.message + &line.facts));
    }
}

/// An event as one line: what it says, then its facts.
#[derive(Default)]
struct Line {
    message: String,
    facts: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.facts, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_kept_and_nothing_else() {
        let recent = RecentLog::default();
        let log = registry().with(Keeping(recent.clone()).with_filter(LevelFilter::WARN));
        tracing::subscriber::with_default(log, || {
            tracing::info!("all is well");
            tracing::warn!(pid = 7, error = %"no answer", "Kilo does not answer");
            tracing::error!("the disk is full");
        });
        let kept = format!("{recent:?}");
        assert!(kept.contains("Kilo does not answer pid=7 error=no answer"), "{kept}");
        assert!(kept.contains("the disk is full") && !kept.contains("all is well"), "{kept}");
    }
}
