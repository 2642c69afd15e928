//! Tokens: those of a turn, counted from the totals of its threads, and how full the context is.

use std::collections::HashMap;

use codex_sdk::types::{TokenUsage, Tokens};
use domain::{AgentEvent, Context, TurnEvent, Usage};

use super::{Mapped, Mapper};

/// Sub-agents whose tokens are counted apart.
const MAX_METERED: usize = 1_000;

/// Counts the tokens of the running turn.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Of each thread what it had used when the turn began, and what it has used by now.
    threads: HashMap<String, (Usage, Usage)>,
}

impl Meter {
    /// Begins a turn.
    pub(super) fn begin(&mut self) {
        self.threads.clear();
    }

    /// Takes the total of a thread; gives what it used since the turn began.
    pub(super) fn take(&mut self, thread: &str, usage: &TokenUsage) -> Usage {
        let total = reckon(&usage.total);
        if !self.threads.contains_key(thread) {
            if self.threads.len() >= MAX_METERED {
                return Usage::default();
            }
            // The total before the first answer of the turn is not told.
            let before = minus(total, reckon(&usage.last));
            self.threads.insert(thread.to_owned(), (before, total));
        }
        let Some((before, now)) = self.threads.get_mut(thread) else { return Usage::default() };
        *now = total;
        minus(total, *before)
    }

    /// What all threads used since the turn began.
    pub(super) fn total(&self) -> Usage {
        let each = self.threads.values().map(|(before, now)| minus(*now, *before));
        each.fold(Usage::default(), |sum, one| sum.plus(&one))
    }
}

/// Tokens as Baton counts them: Codex counts the cached as read and reasoning as written.
fn reckon(tokens: &Tokens) -> Usage {
    let cached = tokens.cached_input_tokens + tokens.cache_write_input_tokens;
    Usage {
        input: tokens.input_tokens.saturating_sub(cached),
        output: tokens.output_tokens.saturating_sub(tokens.reasoning_output_tokens),
        reasoning: tokens.reasoning_output_tokens,
        cache_read: tokens.cached_input_tokens,
        cache_write: tokens.cache_write_input_tokens,
        cost: 0.0,
    }
}

fn minus(all: Usage, part: Usage) -> Usage {
    Usage {
        input: all.input.saturating_sub(part.input),
        output: all.output.saturating_sub(part.output),
        reasoning: all.reasoning.saturating_sub(part.reasoning),
        cache_read: all.cache_read.saturating_sub(part.cache_read),
        cache_write: all.cache_write.saturating_sub(part.cache_write),
        cost: 0.0,
    }
}

impl Mapper {
    /// Takes the usage of the root.
    pub(super) fn usage(&mut self, usage: &TokenUsage, out: &mut Mapped) {
        // The answer that it counts was read whole.
        if let Some(active) = &mut self.active {
            active.fresh.clear();
        }
        let root = self.root.clone();
        self.meter.take(&root, usage);
        self.tell(TurnEvent::Usage(self.meter.total()), out);
        let context = Context { used: usage.last.total_tokens, limit: usage.model_context_window };
        out.events.push(AgentEvent::Context(context));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_counted_from_the_total_before_its_first_answer() {
        let tokens = |input, cached, output, reasoning| Tokens {
            input_tokens: input,
            cached_input_tokens: cached,
            output_tokens: output,
            reasoning_output_tokens: reasoning,
            ..Tokens::default()
        };
        let told = |total, last| TokenUsage { total, last, model_context_window: None };
        let mut meter = Meter::default();
        meter.begin();
        meter.take("t", &told(tokens(1100, 500, 230, 110), tokens(100, 20, 30, 10)));
        meter.take("t", &told(tokens(1300, 600, 260, 120), tokens(200, 100, 30, 10)));
        meter.take("child", &told(tokens(7, 0, 1, 0), tokens(7, 0, 1, 0)));
        let total = meter.total();
        assert_eq!((total.input, total.cache_read), (187, 120));
        assert_eq!((total.output, total.reasoning), (41, 20));
    }
}
