import { createEffect, createSignal, onCleanup, onMount, Show, type Component } from "solid-js";
import { Dynamic } from "solid-js/web";
import { explain } from "../api/client";
import { useAction } from "../app/actions";
import { toast } from "../app/toasts";
import { closePalette, openPalette, paletteOpen, typedWith } from "./open";
import type { PaletteProps } from "./Palette";

/** Where the palette stands once it was asked for. */
export function PaletteSlot() {
  const [palette, setPalette] = createSignal<Component<PaletteProps>>();
  let typed = "";
  const load = async () => {
    if (palette()) return;
    const { Palette } = await import("./Palette");
    setPalette(() => Palette);
  };
  useAction("palette.open", openPalette);
  createEffect(() => {
    if (!paletteOpen()) typed = "";
    if (!paletteOpen() || palette()) return;
    // What is typed while it is on its way is meant for it.
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const next = typedWith(typed, event.key);
      // Those that type nothing stay with the browser, e.g. the one that loads the page anew.
      if (next === undefined && event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Escape") closePalette();
      typed = next ?? typed;
    };
    window.addEventListener("keydown", listen, { capture: true });
    onCleanup(() => window.removeEventListener("keydown", listen, { capture: true }));
    load().catch((error: unknown) => {
      closePalette();
      toast(`The search could not be loaded: ${explain(error)}`, { tone: "bad" });
    });
  });
  // When nothing else is to be done, so that the first key press does not wait for it.
  onMount(() => (window.requestIdleCallback ?? setTimeout)(() => void load().catch(() => {})));
  return <Show when={paletteOpen() && palette()}>{(found) => <Dynamic component={found()} query={typed} />}</Show>;
}
