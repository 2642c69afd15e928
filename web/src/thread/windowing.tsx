// Draws only the rows near the screen. A row that is far away keeps its place: an empty box as high
// as it was. What a person has opened, focused or selected stays drawn.

import { batch, createContext, createSignal, onCleanup, untrack, useContext, type Accessor } from "solid-js";

/** Rows this far above and below the screen are drawn, in pixels. */
const MARGIN = 1_400;
/** Opened rows that stay drawn however far they are. */
const MAX_TOUCHED = 60;
/** Heights that are remembered of rows that are not there at all. */
const MAX_HEIGHTS = 20_000;

export interface Slot {
  /** Whether its content is to be drawn. */
  drawn: Accessor<boolean>;
  /** How high it is while it is not. */
  height: Accessor<string | undefined>;
  ref(element: HTMLElement): void;
}

export interface Windowing {
  /** A place for a row. `first` says whether it is drawn before it is known where it is. */
  slot(key: string, first: boolean, guess: number): Slot;
  /** Draws what is called so, a turn or a row of one, e.g. to scroll to it. */
  show(key: string): void;
  dispose(): void;
}

interface Known {
  key: string;
  element: HTMLElement;
  near: boolean;
  drawn: Accessor<boolean>;
  draw(drawn: boolean, height?: number): void;
}

/** How high rows were when they were last seen, by their keys, of all threads. */
const heights = new Map<string, number>();

export const WindowingContext = createContext<Windowing>();

/** A place for a row in the window around it; where there is none, it is always drawn. */
export function useSlot(key: string, first: boolean, guess: number): Slot {
  const windowing = useContext(WindowingContext);
  return windowing ? windowing.slot(key, first, guess) : { drawn: () => true, height: () => undefined, ref: () => {} };
}

/** `hold` changes what is drawn and keeps in place what is on screen. */
export function createWindowing(scroller: () => HTMLElement, hold: (change: () => void) => void): Windowing {
  const known = new Map<Element, Known>();
  const lingering = new Set<Known>();
  const touched: Element[] = [];
  let all = false;
  let observer: IntersectionObserver | undefined;

  const isKept = (slot: Known) => {
    if (all || touched.includes(slot.element) || slot.element.contains(document.activeElement)) return true;
    const selection = getSelection();
    return !!selection && !selection.isCollapsed && selection.containsNode(slot.element, true);
  };
  const remember = (key: string, height: number) => {
    heights.delete(key);
    heights.set(key, height);
    if (heights.size > MAX_HEIGHTS) heights.delete(heights.keys().next().value!);
  };
  const apply = (changes: (() => void)[]) => {
    if (changes.length) hold(() => batch(() => changes.forEach((change) => change())));
  };
  const seen = (entries: readonly IntersectionObserverEntry[]) => {
    const changes: (() => void)[] = [];
    for (const entry of entries) {
      const slot = known.get(entry.target);
      if (!slot) continue;
      slot.near = entry.isIntersecting;
      if (slot.near) {
        lingering.delete(slot);
        if (!slot.drawn()) changes.push(() => slot.draw(true));
      } else if (slot.drawn()) {
        // One that is not laid out at all says nothing about its height.
        const { height } = entry.boundingClientRect;
        if (isKept(slot)) lingering.add(slot);
        else if (scroller().clientHeight > 0) changes.push(() => slot.draw(false, height));
      }
    }
    apply(changes);
  };
  const lookAgain = () => {
    const changes: (() => void)[] = [];
    for (const slot of lingering) {
      if (isKept(slot)) continue;
      lingering.delete(slot);
      if (slot.near || !slot.drawn()) continue;
      const { height } = slot.element.getBoundingClientRect();
      changes.push(() => slot.draw(false, height));
    }
    apply(changes);
  };

  // The browser's own search and printing see only what is drawn.
  const showAll = () => {
    if (all) return;
    all = true;
    hold(() => {
      // Turns first: their rows are there only once they are drawn.
      for (let more = true; more; ) {
        const hidden = [...known.values()].filter((slot) => !slot.drawn());
        more = hidden.length > 0;
        batch(() => hidden.forEach((slot) => slot.draw(true)));
        for (const slot of hidden) if (!slot.near) lingering.add(slot);
      }
    });
  };
  const showSome = () => {
    if (!all) return;
    all = false;
    for (const slot of known.values()) if (!slot.near && slot.drawn()) lingering.add(slot);
    lookAgain();
  };
  const onKey = (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "f") showAll();
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && !(event.target instanceof HTMLElement && event.target.matches("input, textarea"))) showAll();
    else if (!["Control", "Meta", "Shift", "F3"].includes(event.key) && !event.ctrlKey && !event.metaKey) showSome();
  };
  const onSelection = () => {
    if (lingering.size && !all && getSelection()?.isCollapsed !== false) lookAgain();
  };
  // What somebody opened keeps its state: it and all around it stay.
  const onClick = (event: MouseEvent) => {
    for (let at = event.target as Element | null; at; at = at.parentElement) {
      if (!known.has(at)) continue;
      if (!touched.includes(at)) touched.push(at);
      if (touched.length > MAX_TOUCHED) touched.shift();
    }
  };
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("pointerdown", showSome, true);
  document.addEventListener("selectionchange", onSelection);
  document.addEventListener("click", onClick, true);
  window.addEventListener("beforeprint", showAll);
  window.addEventListener("afterprint", showSome);

  return {
    slot(key, first, guess) {
      const [drawn, setDrawn] = createSignal(untrack(() => first || all));
      const [height, setHeight] = createSignal<number | undefined>(untrack(drawn) ? undefined : (heights.get(key) ?? guess));
      let slot: Known | undefined;
      onCleanup(() => {
        if (!slot) return;
        // It is still there: when it comes back, it is known how high it was.
        const seen = slot.drawn() ? slot.element.getBoundingClientRect().height : 0;
        if (seen) remember(key, seen);
        observer?.unobserve(slot.element);
        known.delete(slot.element);
        lingering.delete(slot);
        const at = touched.indexOf(slot.element);
        if (at >= 0) touched.splice(at, 1);
      });
      return {
        drawn,
        height: () => (height() === undefined ? undefined : `${height()}px`),
        ref(element) {
          slot = {
            key,
            element,
            near: false,
            drawn: () => untrack(drawn),
            draw(next, measured) {
              if (!next && measured !== undefined) remember(key, measured);
              setHeight(next ? undefined : measured);
              setDrawn(next);
            },
          };
          known.set(element, slot);
          // Once all of it is there, the scroller included.
          queueMicrotask(() => {
            if (!known.has(element)) return;
            observer ??= new IntersectionObserver(seen, { root: scroller(), rootMargin: `${MARGIN}px 0px` });
            observer.observe(element);
          });
        },
      };
    },
    show(key) {
      for (const slot of known.values()) if (slot.key === key && !slot.drawn()) slot.draw(true);
    },
    dispose() {
      observer?.disconnect();
      document.removeEventListener("keydown", onKey, true);
      document.removeEventListener("pointerdown", showSome, true);
      document.removeEventListener("selectionchange", onSelection);
      document.removeEventListener("click", onClick, true);
      window.removeEventListener("beforeprint", showAll);
      window.removeEventListener("afterprint", showSome);
    },
  };
}
