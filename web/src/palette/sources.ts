// What the palette finds: threads, projects, actions and settings of the page itself, and messages.

import { actions, keysOf } from "../app/actions";
import type { Baton } from "../app/baton";
import { navigate } from "../app/router";
import { settingsSections } from "../settings/sections";
import { rowMark, waitsForPerson } from "../thread/status";
import { messages } from "./messages";
import { fit } from "./rank";
import type { Row, Source } from "./source";

/** The rows that fit, with how well. */
function fitting(query: string, rows: readonly (Row & { beside?: string })[]): Row[] {
  if (!query.trim()) return [...rows];
  return rows.flatMap(({ beside, ...row }) => {
    const found = fit(query, row.title, beside);
    return found ? [{ ...row, ...found }] : [];
  });
}

export function ownSources(baton: Baton): Source[] {
  const { shell } = baton.state;
  const threads: Source = {
    id: "threads",
    search(query) {
      const all = Object.values(shell.threads)
        .filter((thread) => !thread.archived)
        .sort((a, b) => Number(waitsForPerson(b)) - Number(waitsForPerson(a)) || b.active_at - a.active_at);
      const rows = all.map((thread) => {
        const project = shell.projects[thread.project_id]?.name ?? "";
        return {
          id: `thread:${thread.id}`,
          title: thread.title || "New thread",
          detail: project,
          beside: project,
          group: "Threads",
          mark: rowMark(thread),
          run: () => navigate({ page: "thread", id: thread.id }),
        };
      });
      // A person who has not said anything yet sees the few that matter now.
      return fitting(query, query.trim() ? rows : rows.slice(0, 6));
    },
  };
  const projects: Source = {
    id: "projects",
    search(query) {
      const all = Object.values(shell.projects).sort((a, b) => a.name.localeCompare(b.name));
      return fitting(
        query,
        all.map((project) => ({
          id: `new:${project.id}`,
          title: `New thread in ${project.name}`,
          detail: project.path,
          beside: `${project.path} project`,
          group: "Projects",
          icon: "folder" as const,
          run: () => navigate({ page: "home", project: project.id }),
        })),
      );
    },
  };
  const doing: Source = {
    id: "actions",
    search(query) {
      return fitting(
        query,
        actions()
          .filter((action) => !action.unlisted)
          .map((action) => ({
            id: `do:${action.id}`,
            title: action.title,
            beside: action.words,
            group: action.group === "This thread" || action.group === "Message" ? "This thread" : "Actions",
            icon: action.icon,
            keys: keysOf(action.id),
            run: () => action.run(),
          })),
      );
    },
  };
  const settings: Source = {
    id: "settings",
    search(query) {
      return fitting(
        query,
        settingsSections.map((section) => ({
          id: `settings:${section.id}`,
          title: section.title,
          detail: "Settings",
          beside: `settings preferences ${section.words}`,
          group: "Settings",
          icon: "settings" as const,
          run: () => navigate({ page: "settings", section: section.id }),
        })),
      );
    },
  };
  return [threads, doing, projects, settings, messages(baton)];
}
