import { createMemo, For, Match, Show, Switch, untrack } from "solid-js";
import type { Item, ItemId } from "../generated/wire";
import { duration } from "../lib/format";
import { Markdown } from "../markdown/Markdown";
import { SavePlan } from "../requests/SavePlan";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { Plain } from "../ui/Plain";
import { ItemBody } from "./BodyText";
import { useThread } from "./context";
import { Fold } from "./Fold";
import { rowsOf, type Row } from "./grouping";
import { planOf, wholeText } from "./plans";
import { errorTitles, isOver } from "./status";
import { RunStep, Step } from "./Step";
import { useSlot } from "./windowing";

/** So many rows at the end are drawn before it is known which are on screen. */
const FIRST_ROWS = 40;
/** How high rows are taken to be before they were drawn. */
const GUESSES = { step: 28, run: 28, reasoning: 32, prose: 110, hidden: 0 } satisfies Record<Row["kind"], number>;

/** What happened in a turn or a sub-agent. `near` says whether its end may be on screen. */
export function Rows(props: { home: string; near?: boolean }) {
  const scope = useThread();
  // While a turn runs its todo list stands above the composer; then it stays where it ended.
  const lastTodo = () => {
    const turn = scope.view().turns[props.home];
    if (turn && !isOver(turn)) return undefined;
    return scope.list(props.home).findLast((id) => scope.item(id)?.content.kind === "todo_list");
  };
  const rows = createMemo(() => rowsOf(scope.list(props.home), (id) => scope.item(id), lastTodo()));
  const byKey = createMemo(() => new Map(rows().map((row) => [row.key, row])));
  return (
    <For each={rows().map((row) => row.key)}>
      {(key, index) => (
        <Show when={byKey().get(key)}>{(row) => <RowView row={row()} first={untrack(() => (props.near ?? true) && rows().length - index() <= FIRST_ROWS)} />}</Show>
      )}
    </For>
  );
}

function RowView(props: { row: Row; first: boolean }) {
  const kind = createMemo(() => props.row.kind);
  const slot = untrack(() => useSlot(props.row.key, props.first, GUESSES[props.row.kind]));
  const isStep = () => kind() === "step" || kind() === "run";
  return (
    <div class="trow" classList={{ "step-row": isStep() }} data-row={props.row.key} data-kind={kind()} data-drawn={slot.drawn() ? "" : undefined} ref={slot.ref} style={{ height: slot.height() }}>
      <Switch>
        <Match when={!slot.drawn()}>{null}</Match>
        <Match when={kind() === "step"}>
          <Step id={props.row.key} />
        </Match>
        <Match when={kind() === "run"}>
          <RunStep ids={props.row.ids} />
        </Match>
        <Match when={kind() === "reasoning"}>
          <Reasoning id={props.row.key} />
        </Match>
        <Match when={kind() === "prose"}>
          <Prose id={props.row.key} />
        </Match>
      </Switch>
    </div>
  );
}

function Prose(props: { id: ItemId }) {
  const scope = useThread();
  const item = () => scope.item(props.id);
  return (
    <Show when={item()}>
      {(found) => (
        <Switch>
          <Match when={found().content.kind === "agent_message" || found().content.kind === "plan"}>
            <Message item={found()} />
          </Match>
          <Match when={found().content.kind === "user_message"}>
            <div class="you">
              <small>{found().parent ? "What it was asked" : "You, while it worked"}</small>
              <p class="you-text">{found().body?.head}</p>
            </div>
          </Match>
          <Match when={found().content.kind === "notice"}>
            <Notice item={found()} />
          </Match>
          <Match when={found().content.kind === "error"}>
            <ErrorRow item={found()} />
          </Match>
        </Switch>
      )}
    </Show>
  );
}

function Message(props: { item: Item }) {
  const scope = useThread();
  const isPlan = () => props.item.content.kind === "plan";
  const path = () => (props.item.content.kind === "plan" ? props.item.content.path : null);
  const live = () => props.item.status === "running";
  const whole = () => wholeText(scope.id, props.item);
  // While it is asked about it stands above the composer, and need not be read twice.
  const asked = () =>
    isPlan() &&
    scope.view().requestOrder.some((id) => {
      const request = scope.view().requests[id];
      return request?.body.kind === "plan" && request.body.markdown !== "" && planOf(scope.view(), request) === props.item.id;
    });
  return (
    <div class={isPlan() ? "plan" : "agent"}>
      <Show when={isPlan()}>
        <header>
          <Icon name="plan" /> Plan
          <Show when={path()}>
            <code class="faint ellip"><Plain text={path()} /></code>
          </Show>
          <Show when={!live() && !asked()}>
            <span class="plan-acts">
              <SavePlan text={whole} />
              <CopyButton text={whole} label="Copy the plan" />
            </span>
          </Show>
        </header>
      </Show>
      <Show when={!asked()} fallback={<p class="muted">It stands below, for you to decide.</p>}>
        <ItemBody id={props.item.id} body={props.item.body}>
          {(part) => <Markdown text={part()} live={live()} />}
        </ItemBody>
      </Show>
    </div>
  );
}

/** Reasoning on one line: while it runs its newest words, then how long it took and how it began. */
function Reasoning(props: { id: ItemId }) {
  const scope = useThread();
  const item = () => scope.item(props.id);
  return (
    <Show when={item()?.body && item()}>
      {(found) => {
        const live = () => found().status === "running";
        const text = () => found().body?.head ?? "";
        const lasted = () => (found().ended_at ?? found().started_at) - found().started_at;
        const peek = () => plainLine(live() ? lastLine(text() + (found().body?.tail ?? "")) : firstWords(text()));
        return (
          <Fold
            class="think"
            line={
              <>
                <Icon name="chevronRight" size={12} />
                <span class="ellip">
                  {live() ? "Thinking" : lasted() >= 1000 ? `Thought for ${duration(lasted())}` : "Thought"}
                  <Show when={peek()}>{` · ${peek()}`}</Show>
                </span>
              </>
            }
          >
            <ItemBody id={found().id} body={found().body}>
              {(part) => <Markdown text={part()} live={live()} class="quiet" />}
            </ItemBody>
          </Fold>
        );
      }}
    </Show>
  );
}

function Notice(props: { item: Item }) {
  const warning = () => props.item.content.kind === "notice" && props.item.content.level === "warning";
  return (
    <div class="notice" data-level={warning() ? "warning" : "info"}>
      <Icon name={warning() ? "warning" : "info"} size={14} />
      <span>{props.item.body?.head}</span>
    </div>
  );
}

function ErrorRow(props: { item: Item }) {
  const scope = useThread();
  const content = () => (props.item.content.kind === "error" ? props.item.content : undefined);
  // The turn's own error says the same at its end.
  const repeated = () => scope.view().turns[props.item.turn_id]?.error?.message === content()?.message;
  return (
    <Show when={!repeated() && content()}>
      {(error) => (
        <div class="notice" data-level="error">
          <Icon name="warning" size={14} />
          <span>
            <b>{errorTitles[error().code]}</b> {error().message}
            <Show when={props.item.body?.head}>
              <Fold class="details" line={<span class="link">Details</span>}>
                <pre class="error-details">{props.item.body?.head}</pre>
              </Fold>
            </Show>
          </span>
        </div>
      )}
    </Show>
  );
}

function firstWords(text: string): string {
  return text.trimStart().split("\n", 1)[0] ?? "";
}

function lastLine(text: string): string {
  return text.slice(-400).trimEnd().split("\n").at(-1) ?? "";
}

/** A line of markdown without its marks. */
function plainLine(text: string): string {
  return text.replace(/^[#>\-\s]+/, "").replace(/[*_`]+/g, "").slice(0, 200);
}
