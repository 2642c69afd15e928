// What an agent has in a project besides itself: commands, skills, MCP servers. Read when somebody
// asks, because asking starts the agent, and kept for a moment.

import { api } from "../api/client";
import type { Extras, Project, ProviderId } from "../generated/wire";

const KEPT_MS = 30_000;
/** Projects whose answers are kept; of more, the one asked first goes. */
const MAX_KEPT = 20;

const kept = new Map<string, { at: number; extras: Promise<Extras> }>();

/** Reads them, or gives what was read a moment ago. Another decision on the project's trust brings others. */
export function extrasOf(project: Project, provider: ProviderId, anew = false): Promise<Extras> {
  const key = JSON.stringify([project.id, provider, project.trust, project.fingerprint]);
  const known = kept.get(key);
  if (known && !anew && Date.now() - known.at < KEPT_MS) return known.extras;
  const extras = api.extras(project.id, provider);
  kept.delete(key);
  kept.set(key, { at: Date.now(), extras });
  // A failure is not kept.
  extras.catch(() => kept.get(key)?.extras === extras && kept.delete(key));
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(oldest);
  }
  return extras;
}
