// Going to a message that an address names: older pages are loaded until it is there.

import { createEffect, createSignal, on, onCleanup, type Accessor } from "solid-js";
import { explain } from "../api/client";
import { navigate, route } from "../app/router";
import type { Pin } from "./scroll";

/** Pages that are loaded for one message; behind them it is said that it is too far back. */
const MAX_PAGES = 100;
/** How long a message stays marked. */
const MARKED_MS = 2_500;

export interface SeekOptions {
  /** The thread. */
  id: string;
  pin: Accessor<Pin | undefined>;
  content: () => HTMLElement;
  /** Draws what is called so, if it is held: what is far from the screen is not drawn. */
  draw: (name: string) => void;
  /** Whether there are older pages. */
  older: () => boolean;
  /** Loads the next older page. */
  loadOlder: () => Promise<void>;
  /** Whether there are newer pages, since somebody reads far up. */
  newer: () => boolean;
  /** Loads the next newer page. */
  loadNewer: () => Promise<void>;
}

/** Goes to the message that the page's address names in this thread, and marks it. */
export function createSeek(options: SeekOptions) {
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal("");
  /** Another wish, or none, makes what is under way stop. */
  let wish = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let marked: HTMLElement | undefined;
  const unmark = () => {
    clearTimeout(timer);
    marked?.removeAttribute("data-found");
    marked = undefined;
  };
  const stop = () => {
    wish++;
    setBusy(false);
    setProblem("");
  };
  onCleanup(() => {
    stop();
    unmark();
  });

  const named = () => {
    const at = route();
    return at.page === "thread" && at.id === options.id ? at.at : undefined;
  };
  const rowOf = (name: string) => options.content().querySelector<HTMLElement>(`[data-row="${CSS.escape(name)}"]`);

  const arrive = (row: HTMLElement) => {
    unmark();
    // What was found may stand in the part of a long text that is not shown yet.
    row.querySelector<HTMLElement>("[data-show-all]")?.click();
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.setAttribute("data-found", "");
    options.pin()?.show(row);
    marked = row;
    timer = setTimeout(unmark, MARKED_MS);
  };

  const seek = async (name: string) => {
    const mine = ++wish;
    setProblem("");
    setBusy(true);
    // Lest the page forgets what is far from its end while it goes there.
    options.pin()?.release();
    try {
      let down = false;
      for (let pages = 0; ; pages++) {
        options.draw(name);
        const row = rowOf(name);
        if (row) {
          arrive(row);
          // The address is the thread's again: the same message can be gone to once more.
          navigate({ page: "thread", id: options.id }, true);
          break;
        }
        // First up to the beginning, then down again to the end.
        down ||= !options.older();
        if (down && !options.newer()) {
          setProblem("The message is no longer in this thread.");
          break;
        }
        if (pages === MAX_PAGES) {
          setProblem("The message is too far back to be shown.");
          break;
        }
        await (down ? options.loadNewer() : options.loadOlder());
        if (mine !== wish) return;
      }
    } catch (error) {
      if (mine === wish) setProblem(explain(error));
    } finally {
      if (mine === wish) setBusy(false);
    }
  };

  return {
    busy,
    problem,
    stop,
    again: () => {
      const name = named();
      if (name) void seek(name);
      else stop();
    },
    /** Begins to look at the address; the timeline is there. */
    start: () => {
      createEffect(
        on(named, (name) => {
          // Not within this effect: what is drawn for it would be there only after it.
          if (name) queueMicrotask(() => void seek(name));
        }),
      );
    },
  };
}
