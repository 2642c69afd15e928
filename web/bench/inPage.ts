// What looks at the page from within: put into it before its own script, by the benchmark alone.

export interface Visit {
  readable: number;
  styled: number;
}

export interface Typed {
  times: number[];
  presented: number | null;
}

export interface Frames {
  gaps: number[];
  long: number[];
  text: number;
}

declare global {
  interface Window {
    bench: {
      /** Waits until a thread's words are painted; milliseconds since the address was opened. */
      seen(thread: string): Promise<Visit>;
      /** Goes to a thread and waits until it is shown. */
      go(thread: string): Promise<void>;
      /** Milliseconds from the next click until another thread is painted. */
      switched(thread: string): Promise<number>;
      listen(): void;
      typed(): Typed;
      watch(): void;
      frames(): Frames;
    };
  }
}

/** Runs in the page: nothing from around it is there. */
export function inPage(): void {
  /** After the next frame was made: its callbacks, its styles, its layout and its paint. */
  const painted = () =>
    new Promise<number>((done) =>
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => done(performance.now());
        channel.port2.postMessage(null);
      }),
    );
  const until = async (condition: () => boolean): Promise<number> => {
    while (!condition()) await new Promise(requestAnimationFrame);
    return painted();
  };
  const timeline = (thread: string) => document.querySelector(`section.thread[data-thread="${thread}"][data-status="ready"] .timeline`);
  /** Words of the thread stand within the screen. */
  const isReadable = (thread: string) => {
    const scroller = timeline(thread)?.querySelector(".scroll");
    if (!scroller) return false;
    const { top, bottom } = scroller.getBoundingClientRect();
    return [...scroller.querySelectorAll(".trow[data-drawn], .you")].some((row) => {
      const at = row.getBoundingClientRect();
      return at.bottom > top && at.top < bottom && row.textContent!.trim() !== "";
    });
  };
  const isStyled = (thread: string) => !!timeline(thread)?.querySelector(".md-block") && !timeline(thread)!.querySelector(".md-plain");

  let times: number[] = [];
  let presented: number | null = null;
  const onKey = (event: KeyboardEvent) => {
    const at = event.timeStamp;
    void painted().then((now) => times.push(now - at));
  };
  const events = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.name === "keydown") presented = Math.max(presented ?? 0, entry.duration);
  });

  let watching = 0;
  let gaps: number[] = [];
  let long: number[] = [];
  const frames = new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration)));

  window.bench = {
    async seen(thread) {
      const readable = await until(() => isReadable(thread));
      return { readable, styled: await until(() => isStyled(thread)) };
    },
    async go(thread) {
      location.hash = `#/t/${thread}`;
      await until(() => !!timeline(thread));
    },
    switched(thread) {
      return new Promise((done) =>
        document.addEventListener("click", ({ timeStamp }) => void until(() => isReadable(thread)).then((now) => done(now - timeStamp)), { capture: true, once: true }),
      );
    },
    listen() {
      [times, presented] = [[], null];
      document.addEventListener("keydown", onKey, true);
      events.observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit);
    },
    typed() {
      document.removeEventListener("keydown", onKey, true);
      events.disconnect();
      return { times, presented };
    },
    watch() {
      [gaps, long] = [[], []];
      frames.observe({ type: "long-animation-frame" });
      let last = performance.now();
      const look = (now: number) => {
        gaps.push(now - last);
        last = now;
        watching = requestAnimationFrame(look);
      };
      watching = requestAnimationFrame(look);
    },
    frames() {
      cancelAnimationFrame(watching);
      frames.disconnect();
      const messages = document.querySelectorAll(".timeline .agent");
      return { gaps: gaps.slice(1), long, text: messages[messages.length - 1]?.textContent?.length ?? 0 };
    },
  };
}
