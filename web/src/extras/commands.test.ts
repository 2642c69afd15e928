import { expect, test } from "vitest";
import type { AgentCommand } from "../generated/wire";
import { searchCommands, typedCommand, unknownCommand, withCommand } from "./commands";

const command = (name: string, description = ""): AgentCommand => ({ name, description, source: "command", hint: null, takes_arguments: true });
const commands = [command("deep/in"), command("init", "guided set-up"), command("review", "looks at changes"), command("spin")];
const names = (query: string) => searchCommands(commands, query).map((found) => found.name);

test("a name is sought at the very beginning of a message alone", () => {
  expect(typedCommand("/", 1)).toBe("");
  expect(typedCommand("/re", 3)).toBe("re");
  expect(typedCommand("/deep/in", 8)).toBe("deep/in");
  expect(typedCommand("/review", 3)).toBe("review");
  expect(typedCommand("/review all", 11)).toBeUndefined();
  expect(typedCommand(" /re", 4)).toBeUndefined();
  expect(typedCommand("see /re", 7)).toBeUndefined();
  expect(typedCommand("/re", 0)).toBeUndefined();
});

test("beginnings of names come first, then parts, then descriptions", () => {
  expect(names("")).toEqual(["deep/in", "init", "review", "spin"]);
  expect(names("IN")).toEqual(["init", "deep/in", "spin"]);
  expect(names("changes")).toEqual(["review"]);
  expect(names("zzz")).toEqual([]);
});

test("a chosen command replaces what was typed of its name and nothing else", () => {
  expect(withCommand("/re", commands[2]!)).toEqual({ text: "/review ", caret: 8 });
  expect(withCommand("/re all of it", commands[2]!)).toEqual({ text: "/review all of it", caret: 8 });
});

test("a message that begins like a command there is none of is told apart, with the nearest", () => {
  const unknown = (text: string) => {
    const found = unknownCommand(text, commands);
    return found && [found.name, found.near?.name];
  };
  expect(unknown("/nonsense please")).toEqual(["nonsense", undefined]);
  expect(unknown("/reveiw")).toEqual(["reveiw", "review"]);
  expect(unknown("/rev all of it")).toEqual(["rev", "review"]);
  expect(unknown("/Init")).toEqual(["Init", "init"]);
  for (const fine of ["/review", "/review all", "/deep/in", "/tmp/x y", "/tmp/", "/", "/ x", "//", "see /nonsense", " /nonsense"]) expect(unknown(fine), fine).toBeUndefined();
});
