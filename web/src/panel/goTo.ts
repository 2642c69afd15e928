import { navigate } from "../app/router";
import type { Item } from "../generated/wire";
import type { ThreadScope } from "../thread/context";
import { rowAt } from "./found";
import { closePanel } from "./open";
import { docks } from "./state";

/** Shows in the timeline where an item was said. A panel that lies over it makes way. */
export function goTo(scope: ThreadScope, item: Item): void {
  if (!docks()) closePanel();
  navigate({ page: "thread", id: scope.id, at: rowAt(scope.view(), item) });
}
