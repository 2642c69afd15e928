// Colours code away from the page's own thread. One piece after the other, so that a piece that
// nobody waits for any more is dropped before it is begun.

import { highlight } from "./highlight";

/** What the page asks: to colour a piece of code, or to forget one. */
export type Asked = { id: number; code: string; lang: string } | { id: number; cancel: true };
/** What it is told. */
export interface Coloured {
  id: number;
  html: string | undefined;
}

const waiting = new Map<number, { code: string; lang: string }>();
const next = new MessageChannel();
next.port1.onmessage = () => {
  const [first] = waiting;
  if (!first) return;
  const [id, { code, lang }] = first;
  waiting.delete(id);
  let html: string | undefined;
  try {
    html = highlight(code, lang);
  } catch {
    // Without colours it is still there.
  }
  self.postMessage({ id, html } satisfies Coloured);
  if (waiting.size) next.port2.postMessage(0);
};

self.onmessage = ({ data }: MessageEvent<Asked>) => {
  if ("cancel" in data) {
    waiting.delete(data.id);
    return;
  }
  waiting.set(data.id, data);
  if (waiting.size === 1) next.port2.postMessage(0);
};
