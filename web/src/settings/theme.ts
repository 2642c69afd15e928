// Light, dark, or as the system has it. `public/theme.js` applies it before the first paint.

import { createSignal } from "solid-js";

export type Theme = "system" | "light" | "dark";

const KEY = "baton.theme";

function read(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

const [theme, setSignal] = createSignal<Theme>(read());

export { theme };

export function setTheme(next: Theme): void {
  if (next === theme()) return;
  setSignal(next);
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // It holds until the page is closed.
  }
}
