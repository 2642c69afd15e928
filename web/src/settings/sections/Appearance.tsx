import { For } from "solid-js";
import { setTheme, theme, type Theme } from "../theme";

const themes: { value: Theme; name: string }[] = [
  { value: "system", name: "System" },
  { value: "light", name: "Light" },
  { value: "dark", name: "Dark" },
];

export function Appearance() {
  return (
    <>
      <p class="muted">Kept on this device.</p>
      <div class="seg settings-seg" role="radiogroup" aria-label="Theme">
        <For each={themes}>
          {(entry) => (
            <button type="button" role="radio" aria-checked={theme() === entry.value} data-theme-choice={entry.value} onClick={() => setTheme(entry.value)}>
              {entry.name}
            </button>
          )}
        </For>
      </div>
    </>
  );
}
