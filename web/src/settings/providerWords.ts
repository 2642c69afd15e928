// A provider's state in a word or two; the sentence is the server's.

import type { ProviderState, ProviderStatus } from "../generated/wire";

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

export type Tone = "good" | "attention" | "quiet";

export function toneOf(provider: Pick<ProviderStatus, "state">): Tone {
  switch (provider.state) {
    case "ready":
      return "good";
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
