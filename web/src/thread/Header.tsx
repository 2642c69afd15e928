import { createSignal, Show, type JSX } from "solid-js";
import { useBaton } from "../app/baton";
import { hasKey, keyHint, useAction } from "../app/actions";
import { showSidebar } from "../app/drawer";
import { modelName } from "../composer/models";
import { Branch } from "../sidebar/Branch";
import { patchThread } from "../sidebar/actions";
import { ThreadMenu } from "../sidebar/ThreadMenu";
import { EditableTitle } from "../ui/EditableTitle";
import { Icon } from "../ui/Icon";
import { later } from "../ui/later";
import { Mark } from "../ui/Mark";
import { useThread } from "./context";
import { rowMark } from "./status";

const Toggles = later(async () => (await import("../panel/Toggles")).Toggles);

export function DrawerButton() {
  return (
    <button type="button" class="icon-btn drawer-button" aria-label="Threads" onClick={showSidebar}>
      <Icon name="menu" />
    </button>
  );
}

export function PlainHeader(props: { title: string; children?: JSX.Element }) {
  return (
    <header class="head">
      <DrawerButton />
      <Show when={props.title}>
        <h1 class="ellip">{props.title}</h1>
      </Show>
      <span class="grow" />
      {props.children}
    </header>
  );
}

export function Header() {
  const baton = useBaton();
  const scope = useThread();
  const [editing, setEditing] = createSignal(false);
  const thread = scope.thread;
  const project = () => baton.state.shell.projects[thread().project_id];
  const elsewhere = () => {
    const at = project()?.path;
    return at && at !== thread().workspace ? thread().workspace : undefined;
  };
  const rename = (title: string | null) => {
    setEditing(false);
    if (title) void patchThread(baton, scope.id, { title }, "The thread could not be renamed");
  };
  useAction("thread.rename", () => setEditing(true));
  return (
    <header class="head">
      <DrawerButton />
      <Show when={editing()}>
        <h1 class="visually-hidden">{thread().title || "New thread"}</h1>
      </Show>
      <EditableTitle value={thread().title} editing={editing()} label="Thread title" onDone={rename}>
        <Mark state={rowMark(thread())} />
        <h1 class="ellip">
          <button
            type="button"
            class="head-title ellip"
            title={`Double-click to rename${keyHint("thread.rename")}`}
            aria-label={`${thread().title || "New thread"}, rename`}
            onDblClick={() => setEditing(true)}
            onKeyDown={(event) => {
              if (!hasKey("thread.rename", event) && event.key !== "Enter") return;
              event.preventDefault();
              setEditing(true);
            }}
          >
            {thread().title || "New thread"}
          </button>
        </h1>
      </EditableTitle>
      <span class="head-place ellip" title={thread().workspace}>
        {project()?.name}
        <Show when={elsewhere()} fallback={<Branch before=" · " project={thread().project_id} />}>
          {(path) => ` · ${path().split("/").at(-1)}`}
        </Show>
      </span>
      <span class="head-model ellip" title={thread().model?.model}>
        {thread().model && modelName(thread().model, baton.models[thread().provider]?.list?.models)}
      </span>
      <span class="grow" />
      <Show when={thread().pinned}>
        <span class="faint" title="Pinned">
          <Icon name="pin" size={14} />
        </span>
      </Show>
      <Toggles />
      <ThreadMenu thread={thread()} onRename={() => setEditing(true)} />
    </header>
  );
}
