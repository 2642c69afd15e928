import { createMemo, Show } from "solid-js";
import { Icon } from "../ui/Icon";
import { useThread } from "./context";
import { Fold } from "./Fold";
import { isOver } from "./status";
import { Todos } from "./Step";

/** The todo list of the turn that runs, once and live. */
export function TodoStrip() {
  const scope = useThread();
  const todos = createMemo(() => {
    const view = scope.view();
    const turn = view.turnOrder.find((id) => {
      const found = view.turns[id]!;
      return found.state !== "queued" && !isOver(found);
    });
    if (!turn) return undefined;
    const id = scope.list(turn).findLast((item) => scope.item(item)?.content.kind === "todo_list");
    const content = id ? scope.item(id)?.content : undefined;
    return content?.kind === "todo_list" && content.todos.length ? content.todos : undefined;
  });
  const done = () => todos()?.filter((todo) => todo.status === "completed").length ?? 0;
  const now = () => todos()?.find((todo) => todo.status === "in_progress") ?? todos()?.find((todo) => todo.status === "pending");
  return (
    <Show when={todos()}>
      {(list) => (
        <Fold
          class="todo-strip"
          line={
            <>
              <Icon name="list" size={14} />
              <span class="todo-count">
                {done()} of {list().length}
              </span>
              <span class="ellip grow">{now()?.text ?? "All done"}</span>
              <Icon name="chevronDown" size={12} />
            </>
          }
        >
          <Todos todos={list()} />
        </Fold>
      )}
    </Show>
  );
}
