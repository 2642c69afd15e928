import "./Popover.css";
import { createSignal, onCleanup, Show, untrack, type JSX } from "solid-js";
import { ariaKeysOf, useAction } from "../app/actions";
import type { ActionId } from "../app/catalogue";

/**
 * Something that opens beside its button: in the top layer, closed by Escape, by a click outside
 * and by losing the page. Its content exists only while it is open.
 */
export function Popover(props: {
  /** The button's content. */
  button: JSX.Element;
  label: string;
  buttonClass?: string;
  class?: string;
  /** Where its start or end edge is aligned. */
  align?: "start" | "end";
  haspopup?: "menu" | "dialog" | "listbox";
  disabled?: boolean;
  title?: string;
  state?: string;
  onOpen?: () => void;
  /** The action that opens it. */
  action?: ActionId;
  children: (close: () => void) => JSX.Element;
}) {
  const [open, setOpen] = createSignal(false);
  let button!: HTMLButtonElement;
  let panel: HTMLDivElement | undefined;
  let from: HTMLElement | undefined;

  const close = () => {
    if (!open()) return;
    setOpen(false);
    // Back to where it was opened from: by a key that may be anywhere.
    const to = from?.isConnected ? from : button;
    to.focus({ preventScroll: true });
  };
  const place = () => panel && position(panel, button.getBoundingClientRect(), props.align ?? "start");
  const toggle = () => {
    if (open()) return close();
    from = undefined;
    props.onOpen?.();
    setOpen(true);
  };
  const action = untrack(() => props.action);
  if (action) {
    useAction(action, () => {
      const before = document.activeElement;
      toggle();
      if (open() && before instanceof HTMLElement && before !== document.body) from = before;
    }, () => !props.disabled);
  }
  const mount = (element: HTMLDivElement) => {
    panel = element;
    queueMicrotask(() => {
      if (!element.isConnected) return;
      element.showPopover();
      place();
      const first = element.querySelector<HTMLElement>("[autofocus]") ?? element.querySelector<HTMLElement>("[aria-checked=true], [aria-selected=true], input, button, [tabindex='0']");
      first?.focus({ preventScroll: true });
    });
    window.addEventListener("resize", place);
    const seen = new ResizeObserver(place);
    seen.observe(element);
    onCleanup(() => {
      panel = undefined;
      seen.disconnect();
      window.removeEventListener("resize", place);
    });
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        class={props.buttonClass}
        aria-label={props.label}
        aria-haspopup={props.haspopup ?? "dialog"}
        aria-expanded={open()}
        aria-keyshortcuts={action && ariaKeysOf(action)}
        title={props.title}
        data-state={props.state}
        disabled={props.disabled}
        // The popover closes itself before the click comes; it must not open again.
        onPointerDown={(event) => {
          if (open()) event.preventDefault();
        }}
        onClick={(event) => {
          event.preventDefault();
          event.stopPropagation();
          toggle();
        }}
      >
        {props.button}
      </button>
      <Show when={open()}>
        <div
          ref={mount}
          popover="manual"
          // A press beside its buttons keeps the focus in it.
          tabindex="-1"
          class={`popover ${props.class ?? ""}`}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Escape") {
              event.preventDefault();
              close();
            }
          }}
          onClick={(event) => event.stopPropagation()}
        >
          <Outside of={() => [button, panel]} onLeave={() => setOpen(false)} />
          {props.children(close)}
        </div>
      </Show>
    </>
  );
}

/** Watches for a press or focus anywhere else. */
function Outside(props: { of: () => (HTMLElement | undefined)[]; onLeave: () => void }) {
  const look = (event: Event) => {
    const inside = props.of().some((element) => element?.contains(event.target as Node));
    if (!inside) props.onLeave();
  };
  document.addEventListener("pointerdown", look, true);
  document.addEventListener("focusin", look, true);
  onCleanup(() => {
    document.removeEventListener("pointerdown", look, true);
    document.removeEventListener("focusin", look, true);
  });
  return null;
}

const GAP = 6;
const EDGE = 8;

/** Puts a panel of the top layer below what it belongs to, or above where there is more room. */
export function position(panel: HTMLElement, anchor: DOMRect, align: "start" | "end", most = Infinity): void {
  const { innerWidth, innerHeight } = window;
  const above = anchor.top - GAP - EDGE;
  const below = innerHeight - anchor.bottom - GAP - EDGE;
  const height = Math.min(panel.scrollHeight, most);
  const up = below < Math.min(height, 320) && above > below;
  panel.style.maxHeight = `${Math.min(most, Math.max(120, up ? above : below))}px`;
  const width = panel.offsetWidth;
  const wanted = align === "start" ? anchor.left : anchor.right - width;
  panel.style.left = `${Math.max(EDGE, Math.min(wanted, innerWidth - width - EDGE))}px`;
  panel.style.top = up ? "auto" : `${anchor.bottom + GAP}px`;
  panel.style.bottom = up ? `${innerHeight - anchor.top + GAP}px` : "auto";
}

export interface MenuEntry {
  label: string;
  run: () => void;
  keys?: string;
  danger?: boolean;
  icon?: JSX.Element;
  disabled?: boolean;
}

/** A list of actions for a popover, with the arrow keys. */
export function Menu(props: { entries: (MenuEntry | "line")[]; close: () => void }) {
  return (
    <div role="menu" class="menu" onKeyDown={(event) => moveFocus(event, event.currentTarget, "[role=menuitem]:not(:disabled)")}>
      {props.entries.map((entry) =>
        entry === "line" ? (
          <div role="separator" class="menu-line" />
        ) : (
          <button
            type="button"
            role="menuitem"
            class="menu-item"
            classList={{ danger: entry.danger }}
            disabled={entry.disabled}
            onClick={() => {
              props.close();
              entry.run();
            }}
          >
            {entry.icon}
            <span class="grow">{entry.label}</span>
            {entry.keys && <kbd>{entry.keys}</kbd>}
          </button>
        ),
      )}
    </div>
  );
}

/** Moves the focus among what matches with the arrow keys, Home and End. */
export function moveFocus(event: KeyboardEvent, within: HTMLElement, selector: string): void {
  const step = { ArrowDown: 1, ArrowUp: -1, Home: "first", End: "last" }[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  const all = [...within.querySelectorAll<HTMLElement>(selector)].filter((e) => e.offsetParent !== null || e.getClientRects().length > 0);
  if (all.length === 0) return;
  event.preventDefault();
  const at = all.indexOf(document.activeElement as HTMLElement);
  const next = step === "first" ? 0 : step === "last" ? all.length - 1 : at < 0 ? 0 : (at + (step as number) + all.length) % all.length;
  all[next]?.focus();
}
