// What the parts of a thread's timeline have in common.

import { createContext, useContext, type Accessor } from "solid-js";
import type { Attachment, Item, ItemId, Thread } from "../generated/wire";
import type { ThreadView } from "../sync/state";

export interface ThreadScope {
  id: string;
  view: Accessor<ThreadView>;
  thread: Accessor<Thread>;
  item(id: ItemId): Item | undefined;
  /** What happened in a turn or a sub-agent. */
  list(home: string): readonly ItemId[];
  /** Whether a person is asked about an item. */
  isAsked(id: ItemId): boolean;
  /** The agent's name, e.g. `Kilo`. */
  agent: Accessor<string>;
  /** Sends a text as a new turn. */
  sendAgain(text: string, files: readonly Attachment[]): void;
}

export const ThreadContext = createContext<ThreadScope>();

export function useThread(): ThreadScope {
  const scope = useContext(ThreadContext);
  if (!scope) throw new Error("there is no thread around this component");
  return scope;
}
