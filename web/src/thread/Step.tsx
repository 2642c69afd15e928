import "./Step.css";
import { createMemo, For, Match, Show, Switch } from "solid-js";
import { api } from "../api/client";
import type { Item, ItemId, ItemStatus, Todo } from "../generated/wire";
import { secondClock } from "../lib/clock";
import { count, duration, exact, money, plural } from "../lib/format";
import { Markdown } from "../markdown/Markdown";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Plain } from "../ui/Plain";
import { ItemBody, Pre } from "./BodyText";
import { useThread } from "./context";
import { describe, describeRun, hasFailed, isUnrun, prettyJson } from "./describe";
import { DiffView } from "./DiffView";
import { Fold } from "./Fold";
import { cleanOutput } from "./output";
import { Rows } from "./Rows";
import { Stat } from "./Stat";

/** One tool on one line, which opens to everything about it. */
export function Step(props: { id: ItemId }) {
  const scope = useThread();
  const item = () => scope.item(props.id);
  return <Show when={item()}>{(found) => <StepView item={found()} />}</Show>;
}

function StepView(props: { item: Item }) {
  const scope = useThread();
  const line = createMemo(() => describe(props.item));
  const children = () => scope.list(props.item.id);
  const kind = () => props.item.content.kind;
  // A failed command shows why by itself, a running one what it says, as a terminal would.
  const openByItself = () =>
    (kind() === "command" && (props.item.status === "failed" || (props.item.status === "running" && !!props.item.body))) ||
    (kind() === "sub_agent" && props.item.status === "running");
  return (
    <Fold
      class="step"
      open={openByItself()}
      disabled={isBare(props.item)}
      line={
        <>
          <StepState item={props.item} />
          <span class="step-text" data-failed={hasFailed(props.item) ? "" : undefined}>
            <span class="step-verb">{line().verb}</span>{" "}
            <Show when={line().code} fallback={<bdi class="step-target">{line().target}</bdi>}>
              <code class="step-target"><Plain text={line().target} /></code>
            </Show>
          </span>
          <Stat additions={line().additions} deletions={line().deletions} />
          <span class="step-note">
            <StepNote item={props.item} note={line().note} problem={line().problem} steps={children().length} />
          </span>
        </>
      }
    >
      <StepBody item={props.item} />
      <Show when={children().length}>
        <div class="step-children">
          <Rows home={props.item.id} />
        </div>
      </Show>
    </Fold>
  );
}

/** Whether there is nothing to open. */
function isBare(item: Item): boolean {
  return item.content.kind === "compaction" && !item.body && !item.error;
}

export function StepState(props: { item: Item }) {
  const scope = useThread();
  const open = () => props.item.status === "running" || props.item.status === "waiting";
  const asked = () => open() && scope.isAsked(props.item.id);
  const skipped = () => props.item.status === "declined" && props.item.content.kind === "question";
  const shown = () => (hasFailed(props.item) ? "failed" : props.item.status);
  const label = () => (asked() ? "needs you" : skipped() ? "skipped" : stateWords[shown()]);
  return (
    <span class="step-icon" data-status={shown()} role="img" aria-label={label()} title={label()}>
      <Switch>
        <Match when={asked()}>
          <span class="mark" data-state="needs" />
        </Match>
        <Match when={open()}>
          <Spinner />
        </Match>
        <Match when={shown() === "failed"}>
          <Icon name="close" size={13} />
        </Match>
        <Match when={props.item.status === "declined" || props.item.status === "not_run"}>
          <span class="step-declined" />
        </Match>
        <Match when={props.item.status === "done"}>
          <Icon name={describe(props.item).icon} size={13} />
        </Match>
      </Switch>
    </span>
  );
}

const stateWords = { running: "running", waiting: "waiting", done: "done", failed: "failed", declined: "declined", not_run: "not run" } satisfies Record<ItemStatus, string>;

/** Durations shorter than this say nothing. */
const WORTH_SAYING_MS = 1_000;

export function StepNote(props: { item: Item; note?: string; problem?: string; steps: number }) {
  const scope = useThread();
  const lasted = () => {
    const { started_at, ended_at, status } = props.item;
    // What did nothing took no time; how long a person thought about it is not its own.
    if (isUnrun(status)) return "";
    const ms = (ended_at ?? (status === "running" ? Math.max(secondClock(), started_at) : started_at)) - started_at;
    return ms >= WORTH_SAYING_MS ? duration(status === "running" ? Math.floor(ms / 1000) * 1000 : ms).replace(/\.0 s$/, " s") : "";
  };
  const unallowed = () => {
    const turn = scope.view().turns[props.item.turn_id];
    return turn?.state === "interrupted" || turn?.stopping ? "stopped before it was allowed" : "the turn ended before it was allowed";
  };
  const parts = () =>
    [
      // A question that was skipped says so by its verb.
      props.item.status === "declined" && props.item.content.kind !== "question" ? "declined" : "",
      props.item.status === "not_run" && props.item.content.kind !== "question" ? unallowed() : "",
      props.note ?? "",
      ...subAgentNotes(props.item, props.steps),
      lasted(),
    ].filter(Boolean);
  return (
    <span title={isUnrun(props.item.status) ? undefined : `Began ${exact(props.item.started_at)}`}>
      <Show when={props.problem}>
        <span class="bad">{props.problem}</span>
        {parts().length ? " · " : ""}
      </Show>
      {parts().join(" · ")}
    </span>
  );
}

/** What a sub-agent is doing and what it used. */
function subAgentNotes(item: Item, entries: number): string[] {
  const content = item.content;
  if (content.kind !== "sub_agent") return [];
  const { usage, phase } = content;
  const tokens = usage.input + usage.output + usage.reasoning + usage.cache_read + usage.cache_write;
  const steps = content.steps || entries;
  return [
    content.waiting ? "waits for you" : "",
    phase?.kind === "retrying" ? `trying again: ${phase.message}` : "",
    phase?.kind === "waiting_for_network" ? "waits for the network" : "",
    steps ? plural(steps, "step") : "",
    tokens ? `${count(tokens)} tokens` : "",
    money(usage.cost),
  ];
}

function StepBody(props: { item: Item }) {
  const scope = useThread();
  const item = () => props.item;
  const content = () => item().content;
  const of = <K extends Item["content"]["kind"]>(kind: K) => {
    const now = content();
    return now.kind === kind ? (now as Extract<Item["content"], { kind: K }>) : undefined;
  };
  const fetchBody = async () => (await api.itemBody(scope.id, item().id)).text;
  const copyOutput = () => (item().body?.omitted ? fetchBody() : cleanOutput(item().body?.head ?? ""));
  const output = (label: string) => (
    <Show when={item().body}>
      <ItemBody id={item().id} body={item().body}>
        {(part) => <Pre text={cleanOutput(part())} copy={copyOutput} label={label} follow={item().status === "running"} class="tall" />}
      </ItemBody>
    </Show>
  );
  return (
    <div class="step-body">
      <Switch fallback={output("Output")}>
        <Match when={of("command")}>
          {(command) => (
            <>
              <Show when={command().description}>
                <p class="muted">{command().description}</p>
              </Show>
              <Pre text={command().command} label="Command" class="command" exact />
              <Show when={command().cwd}>
                <p class="faint">
                  in <code><Plain text={command().cwd} /></code>
                </p>
              </Show>
              {output("Output")}
              <Show when={item().status === "done" && !item().body}>
                <p class="faint">It printed nothing.</p>
              </Show>
            </>
          )}
        </Match>
        <Match when={of("file_change")}>
          {(change) => (
            <Show when={item().body} fallback={<p class="faint"><Plain text={change().path} /></p>}>
              <ItemBody id={item().id} body={item().body}>
                {(part) => <DiffView text={part()} label={`Changes of ${change().path}`} />}
              </ItemBody>
            </Show>
          )}
        </Match>
        <Match when={of("search")}>
          {(search) => (
            <>
              <p class="faint">
                <code><Plain text={search().query} /></code>
                <Show when={search().path}>
                  {" in "}
                  <code><Plain text={search().path} /></code>
                </Show>
              </p>
              {output("Matches")}
            </>
          )}
        </Match>
        <Match when={of("web")}>
          {(web) => (
            <>
              <p class="faint">
                <code><Plain text={web().target} /></code>
              </p>
              {output("Page")}
            </>
          )}
        </Match>
        <Match when={of("mcp_call") ?? of("tool")}>
          {(call) => (
            <>
              <Show when={call().input && call().input !== "{}"}>
                <h4>Input</h4>
                <Pre text={prettyJson(call().input)} label="Input" class="tall" />
              </Show>
              <Show when={item().body}>
                <h4>Output</h4>
              </Show>
              {output("Output")}
            </>
          )}
        </Match>
        <Match when={of("todo_list")}>{(list) => <Todos todos={list().todos} />}</Match>
        <Match when={of("sub_agent") ?? of("compaction")}>
          <Show when={item().body}>
            <ItemBody id={item().id} body={item().body}>
              {(part) => <Markdown text={part()} live={item().status === "running"} class="quiet" />}
            </ItemBody>
          </Show>
        </Match>
        <Match when={of("question")}>
          <Show when={item().body} fallback={<p class="faint">Not answered.</p>}>
            <p class="answers">{item().body?.head}</p>
          </Show>
        </Match>
      </Switch>
      <Show when={item().error}>
        <p class="step-error" classList={{ quiet: isUnrun(item().status) }}>
          {item().error}
        </p>
      </Show>
    </div>
  );
}

/** A run of reads and searches on one line. */
export function RunStep(props: { ids: readonly ItemId[] }) {
  const scope = useThread();
  const items = createMemo(() => props.ids.flatMap((id) => scope.item(id) ?? []));
  const said = createMemo(() => describeRun(items()));
  const running = () => items().some((item) => item.status === "running");
  const failed = () => items().filter((item) => item.status === "failed").length;
  return (
    <Fold
      class="step"
      line={
        <>
          <span class="step-icon" data-status={running() ? "running" : "done"} role="img" aria-label={running() ? "running" : "done"}>
            <Show when={running()} fallback={<Icon name="read" size={13} />}>
              <Spinner />
            </Show>
          </span>
          <span class="step-text">
            <span class="step-verb">{said().verb}</span>{" "}
            <For each={said().targets}>
              {(target, i) => (
                <>
                  {i() > 0 ? ", " : ""}
                  <code class="step-target"><Plain text={target} /></code>
                </>
              )}
            </For>
          </span>
          <Show when={failed()}>
            <span class="step-note">
              <span class="bad">{failed()} failed</span>
            </span>
          </Show>
        </>
      }
    >
      <div class="step-children">
        <For each={props.ids}>
          {(id) => (
            <div class="trow step-row" data-kind="step">
              <Step id={id} />
            </div>
          )}
        </For>
      </div>
    </Fold>
  );
}

const todoWords = { pending: "to do", in_progress: "in progress", completed: "done", cancelled: "cancelled" } as const;

export function Todos(props: { todos: readonly Todo[] }) {
  return (
    <ul class="todos">
      <For each={props.todos}>
        {(todo) => (
          <li data-status={todo.status}>
            <span class="todo-box" role="img" aria-label={todoWords[todo.status]}>
              <Show when={todo.status === "completed"}>
                <Icon name="check" size={11} />
              </Show>
              <Show when={todo.status === "cancelled"}>
                <Icon name="close" size={10} />
              </Show>
            </span>
            <span>{todo.text}</span>
          </li>
        )}
      </For>
    </ul>
  );
}
