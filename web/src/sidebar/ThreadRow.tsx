import { createSignal, Show } from "solid-js";
import { hasKey } from "../app/actions";
import { useBaton } from "../app/baton";
import { hrefOf, navigate, route } from "../app/router";
import type { Thread } from "../generated/wire";
import { minuteClock } from "../lib/clock";
import { age, exact } from "../lib/format";
import { markWords, rowMark } from "../thread/status";
import { EditableTitle } from "../ui/EditableTitle";
import { Icon } from "../ui/Icon";
import { Mark } from "../ui/Mark";
import { ProviderGlyph } from "../ui/ProviderGlyph";
import { patchThread } from "./actions";
import { ThreadMenu } from "./ThreadMenu";

export function ThreadRow(props: { thread: Thread; project?: string; onChosen: () => void }) {
  const baton = useBaton();
  const [editing, setEditing] = createSignal(false);
  let link!: HTMLAnchorElement;
  const here = () => {
    const at = route();
    return at.page === "thread" && at.id === props.thread.id;
  };
  /** The agent, where there is more than one to tell apart. */
  const provider = () => {
    const used = baton.state.shell.providers.filter((p) => p.state !== "disabled" && p.state !== "not_installed");
    return used.length > 1 ? baton.state.shell.providers.find((p) => p.id === props.thread.provider) : undefined;
  };
  const mark = () => rowMark(props.thread);
  const quiet = () => mark() === "idle" && !here();
  const rename = (title: string | null) => {
    setEditing(false);
    link?.focus();
    if (title) void patchThread(baton, props.thread.id, { title }, "The thread could not be renamed");
  };
  return (
    <li class="row" classList={{ on: here(), quiet: quiet() }} data-thread={props.thread.id} data-mark={mark()}>
      <EditableTitle value={props.thread.title} editing={editing()} label="Thread title" onDone={rename}>
        <a
          ref={link}
          class="row-link"
          href={hrefOf({ page: "thread", id: props.thread.id })}
          aria-current={here() ? "page" : undefined}
          title={`${props.thread.title || "New thread"}\n${props.project ? `${props.project} · ` : ""}${provider() ? `${provider()!.name} · ` : ""}${markWords[mark()]} · ${exact(props.thread.active_at)}`}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
            event.preventDefault();
            navigate({ page: "thread", id: props.thread.id });
            props.onChosen();
          }}
          onDblClick={() => setEditing(true)}
          onKeyDown={(event) => {
            if (!hasKey("thread.rename", event)) return;
            event.preventDefault();
            setEditing(true);
          }}
        >
          <Mark state={mark()} />
          <span class="row-title grow ellip"><bdi>{props.thread.title || "New thread"}</bdi></span>
          <Show when={props.thread.pinned}>
            <span class="row-pin" title="Pinned">
              <Icon name="pin" size={12} />
            </span>
          </Show>
          <Show when={provider()}>
            {(agent) => (
              <span class="row-via" title={agent().name}>
                <ProviderGlyph provider={agent()} />
              </span>
            )}
          </Show>
          <span class="row-age">{age(props.thread.active_at, minuteClock())}</span>
        </a>
        <ThreadMenu thread={props.thread} onRename={() => setEditing(true)} class="row-menu" />
      </EditableTitle>
    </li>
  );
}
