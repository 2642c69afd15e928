// The state of an MCP server in plain words, and what mends it.

import type { McpServer } from "../generated/wire";
import type { Tone } from "../settings/providerWords";

export function mcpWords(server: McpServer): string {
  switch (server.state) {
    case "connected":
      return "Connected";
    case "disabled":
      return "Switched off";
    case "failed":
      return "Does not work";
    case "needs_sign_in":
      return "Signed out";
    case "other":
      return `In a state of its own: ${server.word}`;
  }
}

/** What a person can do about it; nothing where nothing is amiss. */
export function mcpFix(server: McpServer, agent: string): string | undefined {
  switch (server.state) {
    case "connected":
      return undefined;
    case "disabled":
      return "It is switched off in the configuration that names it.";
    case "failed":
      return `Mend its entry in the configuration or what it starts, then restart ${agent} in the settings.`;
    case "needs_sign_in":
      return `Sign in by this command in a terminal, then restart ${agent} in the settings.`;
    case "other":
      return `Baton does not know this state. Look with ${agent}'s own program.`;
  }
}

export function mcpTone(server: McpServer): Tone {
  switch (server.state) {
    case "connected":
      return "good";
    case "failed":
    case "needs_sign_in":
      return "attention";
    case "disabled":
    case "other":
      return "quiet";
  }
}
