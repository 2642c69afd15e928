// The palette's door, and what it looks through. Light: the palette itself comes when it is opened.

import { createSignal, onCleanup } from "solid-js";
import type { Source } from "./source";

const [isOpen, setOpen] = createSignal(false);
const [sources, setSources] = createSignal<readonly Source[]>([]);

export { isOpen as paletteOpen, sources };
export const openPalette = (): void => void setOpen(true);
export const closePalette = (): void => void setOpen(false);

/** Lets the palette look through a source too, as long as the component lives. */
export function useSource(source: Source): void {
  setSources((list) => [...list, source]);
  onCleanup(() => setSources((list) => list.filter((other) => other !== source)));
}

/** What was typed after a further key, while the palette is on its way; nothing when the key types nothing. */
export function typedWith(typed: string, key: string): string | undefined {
  if (key === "Backspace") return typed.slice(0, -1);
  return [...key].length === 1 ? typed + key : undefined;
}
