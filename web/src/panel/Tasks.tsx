import { createMemo, Show } from "solid-js";
import type { Item } from "../generated/wire";
import { minuteClock } from "../lib/clock";
import { clock, exact } from "../lib/format";
import { Markdown } from "../markdown/Markdown";
import { ItemBody } from "../thread/BodyText";
import { useThread, type ThreadScope } from "../thread/context";
import { wholeText } from "../thread/plans";
import { Todos } from "../thread/Step";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { Plain } from "../ui/Plain";
import { Further } from "./Further";
import { lastOf } from "./found";
import { goTo } from "./goTo";

function todosOf(scope: ThreadScope) {
  const item = lastOf(scope.view(), "todo_list");
  return item?.content.kind === "todo_list" && item.content.todos.length ? { item, todos: item.content.todos } : undefined;
}

const doneOf = (todos: readonly { status: string }[]) => todos.filter((todo) => todo.status === "completed").length;

export function tasksCount(scope: ThreadScope): string | undefined {
  const list = todosOf(scope)?.todos;
  return list && `${doneOf(list)} of ${list.length}`;
}

/** The thread's todo list and its last plan, as they stand now. */
export function Tasks() {
  const scope = useThread();
  const list = createMemo(() => todosOf(scope));
  const plan = createMemo(() => {
    const item = lastOf(scope.view(), "plan");
    return item?.body ? item : undefined;
  });
  return (
    <Show
      when={list() || plan()}
      fallback={
        <div class="panel-empty">
          <Icon name="list" size={20} />
          <p>No tasks</p>
          <p class="muted">When {scope.agent()} makes a todo list or a plan in this thread, it stands here and is kept up to date.</p>
          <Further />
        </div>
      }
    >
      <Show when={list()}>
        {(found) => (
          <section class="panel-part" aria-label="Todo list">
            <Heading title="Todo list" item={found().item} />
            <Todos todos={found().todos} />
          </section>
        )}
      </Show>
      <Show when={plan()}>
        {(found) => (
          <section class="panel-part" aria-label="Plan">
            <Heading title="Plan" item={found()} copy={() => wholeText(scope.id, found())} />
            <Show when={pathOf(found())}>
              {(path) => (
                <p class="panel-path faint">
                  <code><Plain text={path()} /></code>
                </p>
              )}
            </Show>
            <ItemBody id={found().id} body={found().body}>
              {(part) => <Markdown text={part()} live={found().status === "running" && !scope.isAsked(found().id)} />}
            </ItemBody>
          </section>
        )}
      </Show>
    </Show>
  );
}

function Heading(props: { title: string; item: Item; copy?: () => string | Promise<string> }) {
  const scope = useThread();
  return (
    <header class="panel-heading">
      <h2>{props.title}</h2>
      <span class="faint" title={exact(props.item.started_at)}>
        {clock(props.item.started_at, minuteClock())}
      </span>
      <span class="grow" />
      <Show when={props.copy}>{(copy) => <CopyButton text={copy()} label={`Copy the ${props.title.toLowerCase()}`} />}</Show>
      <button type="button" class="btn quiet small" aria-label={`Show in thread: ${props.title.toLowerCase()}`} onClick={() => goTo(scope, props.item)}>
        Show in thread
      </button>
    </header>
  );
}

const pathOf = (item: Item) => (item.content.kind === "plan" ? item.content.path : null);
