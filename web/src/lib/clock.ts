// Shared ticking clocks: one timer for all that read one.

import { createRoot, createSignal, onCleanup, type Accessor } from "solid-js";

function ticking(every: number): Accessor<number> {
  return createRoot(() => {
    const [now, setNow] = createSignal(Date.now());
    const tick = () => document.visibilityState === "visible" && setNow(Date.now());
    const timer = setInterval(tick, every);
    document.addEventListener("visibilitychange", tick);
    onCleanup(() => clearInterval(timer));
    return now;
  });
}

let slow: Accessor<number> | undefined;
let quick: Accessor<number> | undefined;

/** The time, good enough for ages. */
export const minuteClock: Accessor<number> = () => (slow ??= ticking(20_000))();

/** The time, for what counts seconds. */
export const secondClock: Accessor<number> = () => (quick ??= ticking(1_000))();
