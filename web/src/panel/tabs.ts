// The panel's tabs, in the order they stand in. A further one is an entry here, and its key one in
// `app/catalogue.ts`.

import type { Component } from "solid-js";
import type { ActionId } from "../app/catalogue";
import type { ThreadScope } from "../thread/context";
import type { IconName } from "../ui/Icon";
import { Agents, agentsCount } from "./Agents";
import { Tasks, tasksCount } from "./Tasks";

export interface Tab {
  /** What it is kept by on this device. */
  id: string;
  title: string;
  icon: IconName;
  /** What opens it by a key and from the palette. */
  action: ActionId;
  /** What there is in it now, in a word or two beside its title; nothing when there is nothing. */
  count: (scope: ThreadScope) => string | undefined;
  part: Component;
}

export const tabs: readonly Tab[] = [
  { id: "tasks", title: "Tasks", icon: "list", action: "panel.tasks", count: tasksCount, part: Tasks },
  { id: "agents", title: "Agents", icon: "agent", action: "panel.agents", count: agentsCount, part: Agents },
];
