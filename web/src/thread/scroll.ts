// A scrolling list that stays at its end until somebody scrolls away, and keeps its place when
// something is put in above.

import { createSignal, type Accessor } from "solid-js";

/** A row on screen and how far below the top edge it stands. */
export interface Anchor {
  row: string;
  /** The turn it is in, in case the row is not drawn. */
  turn: string;
  offset: number;
}

export interface Place {
  pinned: boolean;
  anchor?: Anchor;
}

/** This near to the end counts as the end, in pixels. */
const NEAR_END = 32;

export interface Pin {
  pinned: Accessor<boolean>;
  toEnd(smooth?: boolean): void;
  place(): Place;
  restore(place: Place | undefined): void;
  /** Leaves the end, and stays where it is. */
  release(): void;
  /** Shows a row in the middle. */
  show(row: HTMLElement): void;
  /** Changes the content and keeps in place what is on screen. */
  hold(change: () => void): void;
  dispose(): void;
}

/** What lies below the content, when not all of it is there. */
export interface Below {
  /** Whether the content's end is the end. */
  isWhole(): boolean;
  onNear(): void;
  /** The end is wanted, which is not there. */
  onEnd(): void;
}

export function createPin(scroller: HTMLElement, content: HTMLElement, show: (key: string) => void, onNearTop: () => void, below: Below): Pin {
  const [pinned, setPinned] = createSignal(true);
  let lastTop = 0;
  let lastEnd = 0;

  const end = () => scroller.scrollHeight - scroller.clientHeight;
  const stick = () => {
    if (!pinned()) return;
    scroller.scrollTop = scroller.scrollHeight;
    lastTop = scroller.scrollTop;
    lastEnd = end();
  };
  const onScroll = () => {
    const top = scroller.scrollTop;
    // Less content, or more room for it: what is lower than it was has not been moved by anybody.
    const shrunk = end() < lastEnd;
    // Only moving counts: an event that merely echoes our own scrolling must not undo what a
    // wheel is about to do, and content that grew is no move away.
    if (end() - top <= NEAR_END && below.isWhole() && (top > lastTop || shrunk)) setPinned(true);
    else if (top < lastTop - 1 && !shrunk) setPinned(false);
    lastTop = top;
    lastEnd = end();
    if (top < 900) onNearTop();
    if (!below.isWhole() && end() - top < 900) below.onNear();
  };
  const onWheel = (event: WheelEvent) => {
    if (event.deltaY < 0 && end() > NEAR_END && !insideScrollable(event.target, scroller)) setPinned(false);
  };
  const seen = new ResizeObserver(stick);
  seen.observe(content);
  seen.observe(scroller);
  scroller.addEventListener("scroll", onScroll, { passive: true });
  scroller.addEventListener("wheel", onWheel, { passive: true });

  return {
    pinned,
    toEnd(smooth = false) {
      setPinned(true);
      if (!below.isWhole()) below.onEnd();
      // A long way is jumped, not driven.
      const near = end() - scroller.scrollTop < 2 * scroller.clientHeight;
      scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth && near ? "smooth" : "instant" });
    },
    place() {
      if (pinned()) return { pinned: true };
      const anchor = anchorOf(scroller, content);
      return { pinned: false, ...(anchor && { anchor }) };
    },
    restore(place) {
      if (!place || place.pinned || !place.anchor) {
        setPinned(true);
        stick();
        return;
      }
      const find = () => content.querySelector(`[data-row="${CSS.escape(place.anchor!.row)}"]`);
      show(place.anchor.turn);
      show(place.anchor.row);
      const row = find();
      if (!row) return;
      setPinned(false);
      // What lies between is measured when it is reached; a second look corrects the first.
      for (let i = 0; i < 2; i++) {
        const now = row.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
        scroller.scrollTop += now - place.anchor.offset;
      }
      lastTop = scroller.scrollTop;
      lastEnd = end();
    },
    release() {
      setPinned(false);
    },
    show(row) {
      setPinned(false);
      // What lies between is measured when it is reached; further looks correct the first.
      for (let i = 0; i < 4; i++) row.scrollIntoView({ block: row.clientHeight > scroller.clientHeight ? "start" : "center", behavior: "instant" });
      lastTop = scroller.scrollTop;
      lastEnd = end();
    },
    hold(change) {
      const anchor = pinned() ? undefined : anchorOf(scroller, content);
      change();
      if (pinned()) return stick();
      const row = anchor && content.querySelector(`[data-row="${CSS.escape(anchor.row)}"], [data-turn="${CSS.escape(anchor.row)}"]`);
      if (!row) return;
      const moved = row.getBoundingClientRect().top - scroller.getBoundingClientRect().top - anchor.offset;
      if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
      lastTop = scroller.scrollTop;
      lastEnd = end();
    },
    dispose() {
      seen.disconnect();
      scroller.removeEventListener("scroll", onScroll);
      scroller.removeEventListener("wheel", onWheel);
    },
  };
}

function anchorOf(scroller: HTMLElement, content: HTMLElement): Anchor | undefined {
  const top = scroller.getBoundingClientRect().top;
  for (const turn of content.querySelectorAll<HTMLElement>("[data-turn]")) {
    if (turn.getBoundingClientRect().bottom <= top) continue;
    const id = turn.dataset.turn ?? "";
    for (const row of turn.querySelectorAll<HTMLElement>("[data-row]")) {
      const rect = row.getBoundingClientRect();
      if (rect.bottom > top) return { row: row.dataset.row ?? "", turn: id, offset: rect.top - top };
    }
    // Its rows are not drawn, or it is its end that is on screen.
    return { row: id, turn: id, offset: turn.getBoundingClientRect().top - top };
  }
  return undefined;
}

/** Whether something in between scrolls by itself, e.g. the output of a command. */
function insideScrollable(target: EventTarget | null, outer: HTMLElement): boolean {
  for (let at = target as HTMLElement | null; at && at !== outer; at = at.parentElement) {
    if (at.scrollTop > 0) return true;
  }
  return false;
}
