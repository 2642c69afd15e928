// The state of the list of commands that opens with `/` at the beginning of a message.

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { explain } from "../api/client";
import type { AgentCommand, Project, ProviderStatus } from "../generated/wire";
import { createSuggesting } from "../ui/suggesting";
import { MAX_SHOWN, searchCommands, typedCommand, unknownCommand, withCommand } from "./commands";
import { ownCommand, withOwn, type ListedCommand, type OwnCommand } from "./ownCommands";
import { extrasOf } from "./read";

/** Whose commands a message may begin with. */
export interface CommandsOf {
  project: Project;
  provider: ProviderStatus;
}

export interface CommandListOptions {
  /** Nothing while nobody can be asked. */
  of: () => CommandsOf | undefined;
  /** Baton's own, beside the agent's. */
  own: () => readonly OwnCommand[];
  text: () => string;
  area: () => HTMLTextAreaElement;
  /** Puts a text into the message and the caret into it. */
  put: (text: string, caret: number) => void;
  /** Does one of Baton's own. */
  run: (command: OwnCommand) => void;
}

export function createCommandList(options: CommandListOptions) {
  const [commands, setCommands] = createSignal<AgentCommand[]>();
  const [problem, setProblem] = createSignal("");

  const all = createMemo(() => withOwn(commands() ?? [], options.own()));
  const list = createSuggesting({
    text: options.text,
    area: options.area,
    typed: (text, caret) => (options.of() || options.own().length ? typedCommand(text, caret) : undefined),
    found: (): readonly ListedCommand[] => found(),
    choose: (command: ListedCommand) => choose(command),
    instead: (event): "passed" | undefined => {
      // A name that is complete is sent.
      if (event.key !== "Enter" || found()[list.at()]?.name !== list.sought()) return undefined;
      list.close();
      return "passed";
    },
  });
  const matching = createMemo(() => searchCommands(all(), list.sought() ?? ""));
  const found = createMemo(() => matching().slice(0, MAX_SHOWN));

  let asked = 0;
  onCleanup(() => asked++);
  let loading = Promise.resolve();
  const load = () => (loading = read());
  const read = async () => {
    const of = options.of();
    if (!of) return;
    const mine = ++asked;
    setProblem("");
    try {
      const { commands } = await extrasOf(of.project, of.provider.id);
      if (mine === asked) setCommands(commands);
    } catch (error) {
      if (mine === asked) setProblem(explain(error));
    }
  };
  createEffect(
    on(list.open, (now) => {
      if (!now) return;
      setCommands(undefined);
      void load();
    }),
  );

  const choose = (command: ListedCommand) => {
    list.close();
    if (command.own && !command.own.needsText) {
      const rest = options.text().replace(/^\/\S*\s?/, "");
      options.put(rest, 0);
      options.run(command.own);
      return;
    }
    const next = withCommand(options.text(), command);
    options.put(next.text, next.caret);
  };

  return {
    ...list,
    /** How many match and have no row. */
    unseen: () => matching().length - found().length,
    commands,
    problem,
    /** The command of Baton's that a message is; an agent's of that name wins, so it is asked first. */
    own: (message: string): ReturnType<typeof ownCommand> | Promise<void> => {
      const meant = ownCommand(message, options.own());
      if (!meant || !options.of()) return meant;
      if (commands()) return commands()!.some(({ name }) => name === meant.command.name) ? undefined : meant;
      if (problem()) return meant;
      return list.open() ? loading : load();
    },
    /** The name that a message begins with and no command has, as far as the commands are known. */
    unknown: (message: string) => {
      const known = options.of() && commands();
      return known ? unknownCommand(message, known) : undefined;
    },
    again: () => void load(),
    /** Whether an agent is asked. */
    asks: () => options.of() !== undefined,
    agent: () => options.of()?.provider.name ?? "The agent",
    typed: () => {
      list.typed();
      // A name that was pasted with more behind it opens no list, and is looked at before it is sent.
      if (!list.open() && !commands() && options.text().startsWith("/")) void load();
    },
  };
}

export type CommandListState = ReturnType<typeof createCommandList>;
