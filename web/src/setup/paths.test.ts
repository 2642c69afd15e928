import { expect, test } from "vitest";
import { completed, continuing, parentOf, trimmed } from "./paths";

const entry = (name: string) => ({ name, path: `/home/you/${name}`, git: false });
const entries = ["Code", "code-old", ".config", "docs"].map(entry);
const names = (typed: string) => continuing(entries, typed).map((e) => e.name);

test("the directory part is listed, the rest filters", () => {
  expect([parentOf("~/"), parentOf("~/co"), parentOf("/srv/x/"), parentOf("co")]).toEqual(["~/", "~/", "/srv/x/", "~/"]);
  expect(names("~/")).toEqual(["Code", "code-old", "docs"]);
  expect(names("~/co")).toEqual(["Code", "code-old"]);
  expect(names("~/.")).toEqual([".config"]);
});

test("taking an entry keeps what was typed before it", () => {
  expect(completed("~/co", entry("Code"))).toBe("~/Code/");
  expect([trimmed(" ~/Code/ "), trimmed("/"), trimmed("//")]).toEqual(["~/Code", "/", "/"]);
});
