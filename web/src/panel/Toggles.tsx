import { createMemo, For, Show } from "solid-js";
import { ariaKeysOf, keyHint, useAction } from "../app/actions";
import { useThread } from "../thread/context";
import { Icon } from "../ui/Icon";
import { togglePanel } from "./open";
import { openTab } from "./state";
import { tabs, type Tab } from "./tabs";

/** What opens the panel from the thread's header: by what there is to see in it, and as a whole. */
export function Toggles() {
  useAction("panel.toggle", () => togglePanel());
  for (const tab of tabs) useAction(tab.action, () => togglePanel(tab.id));
  return (
    <>
      {/* Once it is open, its own tabs say the same. */}
      <Show when={!openTab()}>
        <For each={tabs}>{(tab) => <Chip tab={tab} />}</For>
      </Show>
      <button
        type="button"
        class="icon-btn panel-toggle"
        aria-label="Panel"
        aria-expanded={openTab() !== undefined}
        aria-keyshortcuts={ariaKeysOf("panel.toggle")}
        title={`${openTab() ? "Hide" : "Show"} the panel${keyHint("panel.toggle")}`}
        onClick={() => togglePanel()}
      >
        <Icon name="panel" />
      </button>
    </>
  );
}

function Chip(props: { tab: Tab }) {
  const scope = useThread();
  const count = createMemo(() => props.tab.count(scope));
  return (
    <Show when={count()}>
      <button type="button" class="head-chip" aria-keyshortcuts={ariaKeysOf(props.tab.action)} title={`${props.tab.title}${keyHint(props.tab.action)}`} onClick={() => togglePanel(props.tab.id)}>
        {props.tab.title} <span class="faint">{count()}</span>
      </button>
    </Show>
  );
}
