import { expect, test } from "vitest";
import { ariaKeys, bindingWords, collide, conflicts, isStroke, isText, keyWords, reserved, strokeOf, type Pressed } from "./keymap";

const press = (key: string, code = "", held = ""): Pressed => ({
  key,
  code,
  ctrlKey: held.includes("c"),
  metaKey: held.includes("m"),
  altKey: held.includes("a"),
  shiftKey: held.includes("s"),
});

test("a stroke is what is pressed, on any layout", () => {
  const cases: [Pressed, boolean, string | undefined][] = [
    [press("k", "KeyK", "c"), false, "Mod+K"],
    [press("k", "KeyK", "m"), true, "Mod+K"],
    [press("k", "KeyK", "c"), true, "Ctrl+K"],
    [press("k", "KeyK", "m"), false, undefined],
    [press("O", "KeyO", "cs"), false, "Mod+Shift+O"],
    // Russian, and what Alt makes of a letter on a Mac.
    [press("л", "KeyK", "c"), false, "Mod+K"],
    [press("˜", "KeyN", "a"), true, "Alt+N"],
    [press("Dead", "KeyN", "a"), true, "Alt+N"],
    // A key that is elsewhere on this layout is the one its sign says.
    [press("a", "KeyQ", "c"), false, "Mod+A"],
    [press("?", "Slash", "s"), false, "?"],
    [press("/", "Digit7", "cs"), false, "Mod+/"],
    [press("¡", "Digit1", "a"), true, "Alt+1"],
    [press("1", "Digit1"), false, "1"],
    [press("ArrowDown", "ArrowDown", "as"), false, "Alt+Shift+ArrowDown"],
    [press("Escape", "Escape"), false, "Escape"],
    [press(" ", "Space"), false, "Space"],
    [press("Shift", "ShiftLeft", "s"), false, undefined],
    [press("Alt", "AltLeft", "a"), false, undefined],
  ];
  for (const [event, mac, expected] of cases) expect(strokeOf(event, mac), `${event.key} ${event.code}`).toBe(expected);
});

test("keys are told as they are called on the machine", () => {
  expect(keyWords("Mod+Shift+O", false)).toEqual(["Ctrl", "Shift", "O"]);
  expect(bindingWords("Mod+Shift+O", true)).toBe("⇧⌘O");
  expect(bindingWords("Escape Escape", false)).toBe("Esc Esc");
  expect(bindingWords("Mod++", false)).toBe("Ctrl++");
  expect(ariaKeys(["Mod+.", "Escape Escape"], false)).toBe("Control+.");
  expect(ariaKeys(["Mod+K"], true)).toBe("Meta+K");
  expect(ariaKeys([], true)).toBeUndefined();
});

test("text is what would be written", () => {
  expect(["?", "M", "Shift+A", "1…9", "Enter", "End"].filter(isText)).toHaveLength(6);
  expect(["Mod+K", "Alt+1", "Escape", "F2"].filter(isText)).toEqual([]);
});

test("bindings that cannot be told apart conflict", () => {
  expect(isStroke("Alt+1…9", "Alt+4")).toBe(true);
  expect(isStroke("1…9", "0")).toBe(false);
  expect(isStroke("Mod+1", "Mod+1…9")).toBe(false);
  expect(collide("Escape", "Escape Escape")).toBe(true);
  expect(collide("Mod+1", "Mod+1…9")).toBe(true);
  expect(collide("Mod+K", "Mod+Shift+K")).toBe(false);
  const keys = new Map([["one", ["Mod+K"]], ["two", ["Mod+J", "F2"]], ["none", []]]);
  expect(conflicts("F2", keys, "one")).toEqual(["two"]);
  expect(conflicts("Mod+K", keys, "one")).toEqual([]);
});

test("what browsers keep is said", () => {
  expect(["Mod+T", "Mod+Shift+N", "Tab", "Mod+3"].every(reserved)).toBe(true);
  expect(["Mod+K", "Alt+T", "Mod+Shift+O"].some(reserved)).toBe(false);
});
