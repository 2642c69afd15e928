import { expect, test, vi } from "vitest";
import type { AgentCommand } from "../generated/wire";
import { ownCommand, ownCommands, withOwn } from "./ownCommands";

const acts = { newThread: vi.fn(), mode: vi.fn(), openModels: vi.fn(), compact: vi.fn(), rename: vi.fn(), archive: vi.fn(), stop: vi.fn() };
const own = ownCommands(acts);
const theirs: AgentCommand = { name: "compact", description: "Theirs", source: "command", hint: null, takes_arguments: false };

test("only what can be done has a command", () => {
  expect(own.map((command) => command.name)).toEqual(["new", "plan", "build", "model", "compact", "rename", "archive", "stop"]);
  expect(ownCommands({ mode: acts.mode }).map((command) => command.name)).toEqual(["plan", "build"]);
  expect(ownCommands({})).toEqual([]);
});

test("an agent's command of the same name wins", () => {
  const all = withOwn([theirs], own);
  expect(all.filter((command) => command.name === "compact")).toEqual([theirs]);
  expect(all).toHaveLength(own.length);
});

test("a message is a command when it says nothing that the command does not take", () => {
  const is = (message: string) => {
    const found = ownCommand(message, own);
    return found && [found.command.name, found.text];
  };
  expect(is("/stop")).toEqual(["stop", ""]);
  expect(is(" /stop \n")).toEqual(["stop", ""]);
  expect(is("/rename A new title")).toEqual(["rename", "A new title"]);
  expect(is("/plan\nfirst\nsecond")).toEqual(["plan", "first\nsecond"]);
  for (const no of ["/stop it", "/stopping", "stop", "see /stop", "/", "/tmp/plan"]) expect(is(no), no).toBeUndefined();
});

test("what is written behind a mode is sent in it", () => {
  const plan = own.find((command) => command.name === "plan")!;
  expect(plan.run("do it")).toBe("do it");
  expect(acts.mode).toHaveBeenCalledWith("plan");
});
