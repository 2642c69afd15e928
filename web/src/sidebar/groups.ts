// What the sidebar lists, in which order.

import type { Project, Thread } from "../generated/wire";
import { waitsForPerson } from "../thread/status";

export interface Group {
  project: Project;
  threads: Thread[];
  /** How many of its threads stand on top instead. */
  elsewhere: number;
}

export interface Listing {
  needsYou: Thread[];
  groups: Group[];
}

/** Threads that wait for a person stand on top, oldest first; the rest with their project. */
export function listing(projects: readonly Project[], threads: readonly Thread[], filter = ""): Listing {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const names = new Map(projects.map((project) => [project.id, project.name.toLowerCase()]));
  const matches = (thread: Thread) => {
    const title = thread.title.toLowerCase();
    const project = names.get(thread.project_id) ?? "";
    return words.every((word) => title.includes(word) || project.includes(word));
  };
  const shown = threads.filter((thread) => !thread.archived && matches(thread));
  const needsYou = shown.filter(waitsForPerson).sort((a, b) => a.active_at - b.active_at);
  const groups = [...projects]
    .sort((a, b) => a.name.localeCompare(b.name) || a.created_at - b.created_at)
    .map((project) => ({
      project,
      elsewhere: needsYou.filter((thread) => thread.project_id === project.id).length,
      threads: shown
        .filter((thread) => thread.project_id === project.id && !waitsForPerson(thread))
        .sort(byRelevance),
    }));
  return { needsYou, groups: words.length ? groups.filter((group) => group.threads.length) : groups };
}

/** Pinned first, then the last active; new threads decide ties by their id, which holds the time. */
function byRelevance(a: Thread, b: Thread): number {
  return Number(b.pinned) - Number(a.pinned) || b.active_at - a.active_at || (a.id < b.id ? 1 : -1);
}
