import "./Panel.css";
import { createEffect, createMemo, For, onCleanup, onMount, Show, untrack } from "solid-js";
import { Dynamic } from "solid-js/web";
import { hasKey, keyHint } from "../app/actions";
import { useThread } from "../thread/context";
import { Icon } from "../ui/Icon";
import { closePanel, openPanel, takeWanted, togglePanel, widen } from "./open";
import { docks, openTab, WIDTH, width } from "./state";
import { tabs } from "./tabs";

/** The panel beside the thread; where there is no room for it, a sheet over it. */
export function Panel() {
  return (
    <Show when={docks()} fallback={<Sheet />}>
      <aside class="panel" aria-label="Panel" onKeyDown={(event) => event.key === "Escape" && !event.defaultPrevented && leave(event)}>
        <Separator />
        <Tabs />
      </aside>
    </Show>
  );
}

function leave(event: KeyboardEvent): void {
  event.preventDefault();
  event.stopPropagation();
  closePanel();
}

function Sheet() {
  let dialog!: HTMLDialogElement;
  onMount(() => dialog.showModal());
  // One that is left by another way, e.g. to another thread, is not there on the next.
  onCleanup(() => untrack(openTab) && !untrack(docks) && closePanel());
  return (
    <dialog
      ref={dialog}
      class="panel-sheet"
      aria-label="Panel"
      onCancel={(event) => {
        event.preventDefault();
        closePanel();
      }}
      onClick={(event) => event.target === dialog && closePanel()}
      onKeyDown={(event) => {
        // Keys of the page are for what lies below, but for those of the panel itself.
        event.stopPropagation();
        const tab = tabs.find((tab) => hasKey(tab.action, event));
        if (!tab && !hasKey("panel.toggle", event)) return;
        event.preventDefault();
        togglePanel(tab?.id);
      }}
    >
      <Tabs />
    </dialog>
  );
}

/** So much wider or narrower by a key, in pixels. */
const STEP = 24;

/** What is drawn, or moved with the arrow keys, to make the panel wider or narrower. */
function Separator() {
  let from: { x: number; width: number } | undefined;
  const move = (event: PointerEvent) => from && widen(from.width + from.x - event.clientX, false);
  const done = () => {
    if (from) widen(width(), true);
    from = undefined;
  };
  const keys: Record<string, () => number> = {
    ArrowLeft: () => width() + STEP,
    ArrowRight: () => width() - STEP,
    Home: () => WIDTH.most,
    End: () => WIDTH.least,
  };
  return (
    <div
      class="panel-edge"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the panel"
      aria-valuenow={width()}
      aria-valuemin={WIDTH.least}
      aria-valuemax={WIDTH.most}
      tabindex="0"
      title="Draw to change the width; a double-click brings back the first one"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        // From what is seen, which may be less than what was wished.
        from = { x: event.clientX, width: event.currentTarget.parentElement!.offsetWidth };
      }}
      onPointerMove={move}
      onPointerUp={done}
      onPointerCancel={done}
      onDblClick={() => widen(WIDTH.first, true)}
      onKeyDown={(event) => {
        const wish = keys[event.key];
        if (!wish || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        widen(wish(), true);
      }}
    />
  );
}

function Tabs() {
  const scope = useThread();
  let list!: HTMLDivElement;
  const current = createMemo(() => tabs.find((tab) => tab.id === openTab()) ?? tabs[0]!);
  const asked = () => scope.view().requestOrder.some((id) => scope.view().requests[id]?.state.state === "open");
  const focusTab = () => list.querySelector<HTMLElement>("[aria-selected=true]")?.focus({ preventScroll: true });
  createEffect(() => {
    if (openTab() && takeWanted()) queueMicrotask(focusTab);
  });
  const walk = (event: KeyboardEvent) => {
    const at = tabs.indexOf(current());
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    openPanel(tabs[(next + tabs.length) % tabs.length]!.id);
  };
  return (
    <>
      <header class="panel-head">
        <div class="panel-tabs" role="tablist" aria-label="Panel" ref={list} onKeyDown={walk}>
          <For each={tabs}>
            {(tab) => (
              <button
                type="button"
                role="tab"
                class="panel-tab"
                id={`panel-tab-${tab.id}`}
                aria-selected={tab === current()}
                aria-controls="panel-view"
                tabindex={tab === current() ? 0 : -1}
                title={`${tab.title}${keyHint(tab.action)}`}
                onClick={() => openPanel(tab.id)}
              >
                {tab.title} <Show when={tab.count(scope)}>{(count) => <span class="panel-count">{count()}</span>}</Show>
              </button>
            )}
          </For>
        </div>
        <span class="grow" />
        <button type="button" class="icon-btn" aria-label="Close the panel" title="Close (Esc)" onClick={closePanel}>
          <Icon name="close" />
        </button>
      </header>
      {/* What is asked lies below the sheet; it is not to be missed. */}
      <Show when={!docks() && asked()}>
        <button type="button" class="panel-asked" onClick={closePanel}>
          <span class="mark" data-state="needs" aria-hidden="true" />
          <span class="grow">{scope.agent()} waits for your answer</span>
          <span class="link">Show</span>
        </button>
      </Show>
      <div class="panel-view" id="panel-view" role="tabpanel" aria-labelledby={`panel-tab-${current().id}`} tabindex="0">
        <Dynamic component={current().part} />
      </div>
    </>
  );
}
