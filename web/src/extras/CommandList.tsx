import { createEffect, createMemo, createSignal, createUniqueId, For, on, onCleanup, Show } from "solid-js";
import { explain } from "../api/client";
import type { AgentCommand, CommandSource, Project, ProviderStatus } from "../generated/wire";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Suggestions, SuggestionsFoot } from "../ui/Suggestions";
import { Words } from "../ui/Words";
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

const sources: Record<CommandSource, string> = { command: "", skill: "skill", mcp: "MCP" };

/** The state of the list of commands that opens with `/` at the beginning of a message. */
export function createCommandList(options: CommandListOptions) {
  const id = createUniqueId();
  const [caret, setCaret] = createSignal(0);
  const [wanted, setWanted] = createSignal(false);
  const [commands, setCommands] = createSignal<AgentCommand[]>();
  const [problem, setProblem] = createSignal("");
  const [at, setAt] = createSignal(0);

  const sought = createMemo(() => (options.of() || options.own().length ? typedCommand(options.text(), caret()) : undefined));
  const open = createMemo(() => wanted() && sought() !== undefined);
  const all = createMemo(() => withOwn(commands() ?? [], options.own()));
  const matching = createMemo(() => searchCommands(all(), sought() ?? ""));
  const found = createMemo(() => matching().slice(0, MAX_SHOWN));
  createEffect(on(sought, () => setAt(0)));

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
    on(open, (now) => {
      if (!now) return;
      setCommands(undefined);
      void load();
    }),
  );

  /** Escape closes it for as long as the same name is typed. */
  let dismissed = false;
  const close = () => setWanted(false);
  const choose = (command: ListedCommand) => {
    if (command.own && !command.own.needsText) {
      close();
      const rest = options.text().replace(/^\/\S*\s?/, "");
      options.put(rest, 0);
      options.run(command.own);
      return;
    }
    const next = withCommand(options.text(), command);
    close();
    options.put(next.text, next.caret);
  };

  return {
    id,
    open,
    found,
    count: () => found().length,
    /** How many match and have no row. */
    unseen: () => matching().length - found().length,
    at,
    setAt,
    commands,
    problem,
    choose,
    /** The command of Baton's that a message is; an agent's of that name wins, so it is asked first. */
    own: (message: string): ReturnType<typeof ownCommand> | Promise<void> => {
      const meant = ownCommand(message, options.own());
      if (!meant || !options.of()) return meant;
      if (commands()) return commands()!.some(({ name }) => name === meant.command.name) ? undefined : meant;
      if (problem()) return meant;
      return open() ? loading : load();
    },
    /** The name that a message begins with and no command has, as far as the commands are known. */
    unknown: (message: string) => {
      const known = options.of() && commands();
      return known ? unknownCommand(message, known) : undefined;
    },
    /** Closes it when the focus goes elsewhere than between the message and the list. */
    left: (event: FocusEvent) => {
      const to = event.relatedTarget as Element | null;
      if (to !== options.area() && !to?.closest(".suggestions")) close();
    },
    again: () => void load(),
    /** Whether an agent is asked. */
    asks: () => options.of() !== undefined,
    agent: () => options.of()?.provider.name ?? "The agent",
    optionId: (index: number) => `${id}-${index}`,
    /** Takes note of what was typed. */
    typed: () => {
      setCaret(options.area().selectionStart);
      if (sought() === undefined) dismissed = false;
      setWanted(sought() !== undefined && !dismissed);
      // A name that was pasted with more behind it opens no list, and is looked at before it is sent.
      if (!open() && !commands() && options.text().startsWith("/")) void load();
    },
    /** Takes note of where the caret went. */
    moved: () => setCaret(options.area().selectionStart),
    /** Whether a key was for the list. */
    key: (event: KeyboardEvent): boolean => {
      if (!open() || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
      const count = found().length;
      const command = found()[at()];
      if (event.key === "Escape") {
        dismissed = true;
        close();
      } else if (!command) return false;
      else if (event.key === "ArrowDown") setAt((at() + 1) % count);
      else if (event.key === "ArrowUp") setAt((at() + count - 1) % count);
      else if (event.key === "Tab") choose(command);
      else if (event.key === "Enter") {
        // A name that is complete is sent.
        if (command.name === sought()) {
          close();
          return false;
        }
        choose(command);
      } else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  };
}

export type CommandListState = ReturnType<typeof createCommandList>;

/** The rows, beside the message's box. */
export function CommandList(props: { list: CommandListState; beside: () => HTMLElement }) {
  const list = () => props.list;
  return (
    <Suggestions state={props.list} beside={props.beside}>
      <Show when={list().found().length} fallback={<Nothing list={list()} />}>
        <div role="listbox" id={list().id} aria-label={`Commands of ${list().agent()} and Baton`}>
          <For each={list().found()}>
            {(command, index) => (
              <div
                role="option"
                class="suggestion"
                id={list().optionId(index())}
                aria-selected={index() === list().at()}
                onPointerMove={() => list().setAt(index())}
                onClick={() => list().choose(command)}
              >
                <b class="ellip">/{command.name}</b>
                <Show when={command.hint}>
                  <span class="suggestion-hint ellip">{command.hint}</span>
                </Show>
                <span class="suggestion-text ellip" title={command.description}>
                  {command.description}
                </span>
                <Show when={command.own ? "Baton" : sources[command.source]}>{(source) => <span class="tag">{source()}</span>}</Show>
              </div>
            )}
          </For>
        </div>
        <Show when={list().commands() || !list().asks()} fallback={<Nothing list={list()} />}>
          <SuggestionsFoot>{list().unseen() > 0 && `${list().unseen()} more: type on to find them.`}</SuggestionsFoot>
        </Show>
      </Show>
    </Suggestions>
  );
}

function Nothing(props: { list: CommandListState }) {
  return (
    <Show
      when={props.list.problem()}
      fallback={
        <p class="suggestions-note" role="status">
          <Show
            when={props.list.commands() || !props.list.asks()}
            fallback={
              <>
                <Spinner /> Asking {props.list.agent()} for its commands…
              </>
            }
          >
            No command of {props.list.agent()} is called so.
          </Show>
        </p>
      }
    >
      <div class="suggestions-note" role="alert">
        <span class="bad"><Words text={props.list.problem()} /></span>
        <button type="button" class="btn small" onClick={() => props.list.again()}>
          <Icon name="refresh" size={14} />
          Try again
        </button>
      </div>
    </Show>
  );
}
