import { createEffect, createSignal, onMount, Show, type Component } from "solid-js";
import { Dynamic } from "solid-js/web";
import { explain } from "../api/client";
import { useAction } from "../app/actions";
import { toast } from "../app/toasts";
import { closePalette, openPalette, paletteOpen } from "./open";

/** Where the palette stands once it was asked for. */
export function PaletteSlot() {
  const [palette, setPalette] = createSignal<Component>();
  const load = async () => {
    if (palette()) return;
    const { Palette } = await import("./Palette");
    setPalette(() => Palette);
  };
  useAction("palette.open", openPalette);
  createEffect(() => {
    if (!paletteOpen()) return;
    load().catch((error: unknown) => {
      closePalette();
      toast(`The search could not be loaded: ${explain(error)}`, { tone: "bad" });
    });
  });
  // When nothing else is to be done, so that the first key press does not wait for it.
  onMount(() => (window.requestIdleCallback ?? setTimeout)(() => void load().catch(() => {})));
  return <Show when={paletteOpen() && palette()}>{(found) => <Dynamic component={found()} />}</Show>;
}
