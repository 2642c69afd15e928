import { Show } from "solid-js";
import { useBaton } from "../app/baton";
import type { ProjectId } from "../generated/wire";
import { Plain } from "../ui/Plain";

/** As many digits of a commit are told, as git does. */
const SHORT = 7;

/** What is checked out in a project's directory; nothing where there is no git. */
export function Branch(props: { project: ProjectId; before?: string; class?: string }) {
  const baton = useBaton();
  const head = () => baton.state.shell.heads[props.project];
  const words = () => {
    const now = head();
    return now?.kind === "branch" ? now.name : now?.commit.slice(0, SHORT);
  };
  return (
    <Show when={words()}>
      {props.before}
      <span class={props.class} data-head={head()?.kind} title={head()?.kind === "detached" ? `Commit ${words()}, on no branch` : `Branch ${words()}`}>
        <Plain text={words()} />
      </span>
    </Show>
  );
}
