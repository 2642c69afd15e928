// Keys as they are written, pressed, read and told. A binding is one stroke, `Mod+Shift+O`, or
// several after each other, `Escape Escape`. `Mod` is ⌘ on a Mac and Ctrl elsewhere. Pure.

export type Binding = string;

export interface Stroke {
  key: string;
  mod: boolean;
  /** Ctrl on a Mac, where it is not `Mod`. */
  ctrl: boolean;
  alt: boolean;
  shift: boolean;
}

/** What is read of a keyboard event. */
export interface Pressed {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** Stands for each of the keys 1 to 9. */
export const DIGITS = "1…9";

export const isMac = typeof navigator !== "undefined" && /mac|iphone|ipad/i.test(navigator.userAgent);

/** A stroke as it is pressed; nothing for a modifier alone. */
export function strokeOf(event: Pressed, mac = isMac): string | undefined {
  if (["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Unidentified", "Process"].includes(event.key) && !event.altKey) return undefined;
  const key = keyOf(event);
  if (!key) return undefined;
  const [mod, ctrl] = mac ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, false];
  // The system's own key on other machines is never Baton's.
  if (!mac && event.metaKey) return undefined;
  return write({ key, mod, ctrl, alt: event.altKey, shift: event.shiftKey });
}

function keyOf(event: Pressed): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
  if (/^[a-z0-9]$/i.test(event.key)) return event.key.toUpperCase();
  // Where the layout gives no Latin letter, or Alt makes a sign of it, the place on the board counts.
  const other = event.altKey || event.key.length > 1 || event.key > "~";
  if (letter && other) return letter;
  if (digit && (event.altKey || event.shiftKey) && event.altKey) return digit;
  if (event.key === " ") return "Space";
  return ["Shift", "Control", "Alt", "Meta", "Dead", "Unidentified"].includes(event.key) ? "" : event.key;
}

function write(stroke: Stroke): string {
  // A sign such as `?` has its Shift in it already.
  const sign = stroke.key.length === 1 && !/[A-Z0-9]/.test(stroke.key);
  return [stroke.ctrl && "Ctrl", stroke.mod && "Mod", stroke.alt && "Alt", stroke.shift && !sign && "Shift", stroke.key].filter(Boolean).join("+");
}

export function parseStroke(text: string): Stroke {
  const parts = text.split(/\+(?=.)/);
  const key = parts.pop()!;
  const has = (name: string) => parts.includes(name);
  return { key, mod: has("Mod"), ctrl: has("Ctrl"), alt: has("Alt"), shift: has("Shift") };
}

export const strokesOf = (binding: Binding): string[] => binding.split(" ").filter(Boolean);

/** Whether a pressed stroke is the one that is written. */
export function isStroke(written: string, pressed: string): boolean {
  if (!written.endsWith(DIGITS)) return written === pressed;
  return new RegExp(`^${written.slice(0, -DIGITS.length).replaceAll("+", "\\+")}[1-9]$`).test(pressed);
}

/** Whether it would be text where somebody writes. */
export function isText(stroke: string): boolean {
  const { mod, ctrl, alt, key } = parseStroke(stroke);
  return !mod && !ctrl && !alt && key !== "Escape" && !/^F\d+$/.test(key);
}

const names: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", Backspace: "⌫", Delete: "Del", PageUp: "Page up", PageDown: "Page down" };
const macNames: Record<string, string> = { ...names, Enter: "↩", Delete: "⌦" };

/** What stands on the keys of a stroke, one by one: `Ctrl`, `Shift`, `O`; on a Mac `⌘`, `⇧`, `O`. */
export function keyWords(stroke: string, mac = isMac): string[] {
  const { key, mod, ctrl, alt, shift } = parseStroke(stroke);
  const words = mac
    ? [ctrl && "⌃", alt && "⌥", shift && "⇧", mod && "⌘", macNames[key] ?? key]
    : [(mod || ctrl) && "Ctrl", alt && "Alt", shift && "Shift", names[key] ?? key];
  return words.filter((word) => word !== false);
}

/** A binding in one piece: `Ctrl+Shift+O`, `Esc Esc`, `⇧⌘O`. */
export function bindingWords(binding: Binding, mac = isMac): string {
  return strokesOf(binding)
    .map((stroke) => keyWords(stroke, mac).join(mac ? "" : "+"))
    .join(" ");
}

/** The same for `aria-keyshortcuts`, which knows single strokes only. */
export function ariaKeys(bindings: readonly Binding[], mac = isMac): string | undefined {
  const written = bindings
    .filter((binding) => strokesOf(binding).length === 1 && !binding.endsWith(DIGITS))
    .map((binding) => {
      const { key, mod, ctrl, alt, shift } = parseStroke(binding);
      return [mod && (mac ? "Meta" : "Control"), ctrl && "Control", alt && "Alt", shift && "Shift", key].filter(Boolean).join("+");
    });
  return written.length ? written.join(" ") : undefined;
}

/** Whether two bindings cannot both be told from what is pressed: one is the other or its beginning. */
export function collide(a: Binding, b: Binding): boolean {
  const [one, two] = [strokesOf(a), strokesOf(b)];
  const most = Math.min(one.length, two.length);
  return most > 0 && one.slice(0, most).every((stroke, i) => isStroke(stroke, two[i]!) || isStroke(two[i]!, stroke));
}

/** The other actions that answer to a binding. */
export function conflicts(binding: Binding, keys: ReadonlyMap<string, readonly Binding[]>, own: string): string[] {
  return [...keys].filter(([id, all]) => id !== own && all.some((other) => collide(binding, other))).map(([id]) => id);
}

/** Why a stroke may never reach Baton. */
export function reserved(stroke: string): string | undefined {
  const { key, mod, alt, shift } = parseStroke(stroke);
  if (mod && !alt && /^[NTWQ0-9]$/.test(key)) return "Most browsers keep this key for themselves.";
  if (mod && shift && /^[NTWPQ]$/.test(key)) return "Some browsers keep this key for themselves.";
  if (key === "Tab") return "This key moves the focus.";
  return undefined;
}
