// Asks for code in colours: a worker does it, or the page itself where there is none.

import type { Asked, Coloured } from "./highlight.worker";

/** A worker, as far as it is used here. */
export interface Helper {
  postMessage(message: Asked): void;
  onmessage: ((event: { data: Coloured }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  terminate(): void;
}

type Fallback = () => Promise<(code: string, lang: string) => string | undefined>;
type Done = (html: string | undefined) => void;

export interface Colours {
  /** Colours code unless it is cancelled by what is returned. `done` is told once, or never. */
  ask(code: string, lang: string, done: Done): () => void;
}

export function createColours(start: () => Helper, fallback: Fallback): Colours {
  const open = new Map<number, { code: string; lang: string; done: Done }>();
  let helper: Helper | undefined;
  let alone = false;
  let last = 0;

  const finish = (id: number, html: string | undefined) => {
    const entry = open.get(id);
    open.delete(id);
    entry?.done(html);
  };
  const byItself = async (id: number) => {
    try {
      const highlight = await fallback();
      const entry = open.get(id);
      if (entry) finish(id, highlight(entry.code, entry.lang));
    } catch {
      // Colours are a nicety: without them the code is still there.
      finish(id, undefined);
    }
  };
  /** The worker cannot be had: what waits for it is done here, and all that comes. */
  const giveUp = () => {
    alone = true;
    helper?.terminate();
    helper = undefined;
    for (const id of open.keys()) void byItself(id);
  };
  const ready = (): Helper | undefined => {
    if (helper || alone) return helper;
    try {
      helper = start();
      helper.onmessage = ({ data }) => finish(data.id, data.html);
      helper.onerror = giveUp;
    } catch {
      giveUp();
    }
    return helper;
  };

  return {
    ask(code, lang, done) {
      const id = ++last;
      const worker = ready();
      open.set(id, { code, lang, done });
      if (worker) worker.postMessage({ id, code, lang });
      else void byItself(id);
      return () => {
        if (open.delete(id)) helper?.postMessage({ id, cancel: true });
      };
    },
  };
}

export const colours = createColours(
  () => new Worker(new URL("./highlight.worker.ts", import.meta.url), { type: "module", name: "colours" }) as unknown as Helper,
  async () => (await import("./highlight")).highlight,
);
