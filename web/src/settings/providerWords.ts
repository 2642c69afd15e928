// A provider's state in a word or two; the sentence is the server's.

import type { AgentEndReason, ProviderState, ProviderStatus, UpstreamState, UsageLimit } from "../generated/wire";
import { clock } from "../lib/format";

export const stateWords: Record<ProviderState, string> = {
  unknown: "Not checked yet",
  disabled: "Switched off",
  not_installed: "Not installed",
  wrong_program: "Another program",
  too_old: "Too old",
  broken: "Does not work",
  signed_out: "Signed out",
  ready: "Ready",
};

export const upstreamWords: Record<UpstreamState, string> = {
  connected: "Connected",
  stale: "Connected, list not fresh",
  signed_out: "Signed out",
  switched_off: "Switched off",
  empty: "No models",
  unknown: "Not known",
};

export type Tone = "good" | "attention" | "quiet";

export const upstreamTones: Record<UpstreamState, Tone> = {
  connected: "good",
  stale: "attention",
  signed_out: "attention",
  switched_off: "quiet",
  empty: "attention",
  unknown: "attention",
};

/** How an agent process ended. */
export const endReasons: Record<AgentEndReason, string> = {
  switched_off: "Switched off",
  baton_ended: "Ended with Baton",
  settings_changed: "Replaced after a change of settings",
  unused: "Ended because no thread needed it",
  restarted: "Restarted by a person",
  not_answering: "Ended because it no longer answered",
  memory: "Ended because it took too much memory",
  processor: "Ended because it kept a processor busy for nothing",
  died: "Ended by itself",
  not_started: "Did not start",
};

/** How much of a limit is used. What was told of the time before its renewal is of no matter after. */
export function limitWords(limit: UsageLimit, now: number): string {
  if (limit.resets_at === null) return `${limit.used_percent} % used`;
  if (limit.resets_at <= now) return `renewed at ${clock(limit.resets_at, now)}`;
  return `${limit.used_percent} % used, renewed at ${clock(limit.resets_at, now)}`;
}

/** Whether little or nothing of a limit is left. */
export function isScarce(limit: UsageLimit, now: number): boolean {
  return limit.used_percent >= 90 && (limit.resets_at === null || limit.resets_at > now);
}

export function toneOf(provider: Pick<ProviderStatus, "state" | "problems">): Tone {
  switch (provider.state) {
    case "ready":
      // What this Baton does not know is told and is nobody's to mend.
      return provider.problems.some((problem) => problem.kind !== "unknown_events") ? "attention" : "good";
    case "unknown":
    case "disabled":
      return "quiet";
    case "not_installed":
    case "wrong_program":
    case "too_old":
    case "broken":
    case "signed_out":
      return "attention";
  }
}
