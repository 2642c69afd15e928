import { Show } from "solid-js";
import type { CommandSource } from "../generated/wire";
import { Suggestions, SuggestionsFoot, SuggestionsNote } from "../ui/Suggestions";
import type { CommandListState } from "./commandSuggestions";

const sources: Record<CommandSource, string> = { command: "", skill: "skill", mcp: "MCP" };

/** The commands that `/` finds, beside the message's box. */
export function CommandList(props: { list: CommandListState; beside: () => HTMLElement }) {
  const list = () => props.list;
  const whole = () => list().commands() || !list().asks();
  const nothing = () => (
    <SuggestionsNote
      problem={list().problem()}
      onAgain={list().again}
      waits={!whole() && `Asking ${list().agent()} for its commands…`}
      none={`No command of ${list().agent()} is called so.`}
    />
  );
  return (
    <Suggestions
      list={props.list}
      beside={props.beside}
      label={`Commands of ${list().agent()} and Baton`}
      nothing={nothing()}
      row={(command) => (
        <>
          <b class="ellip">/{command.name}</b>
          <Show when={command.hint}>
            <span class="suggestion-hint ellip">{command.hint}</span>
          </Show>
          <span class="suggestion-text ellip" title={command.description}>
            {command.description}
          </span>
          <Show when={command.own ? "Baton" : sources[command.source]}>{(source) => <span class="tag">{source()}</span>}</Show>
        </>
      )}
      foot={
        // Baton's own are there at once; the agent's may still come.
        <Show when={whole()} fallback={nothing()}>
          <SuggestionsFoot>{list().unseen() > 0 && `${list().unseen()} more: type on to find them.`}</SuggestionsFoot>
        </Show>
      }
    />
  );
}
