import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, untrack } from "solid-js";
import { api, ApiError, explain } from "../api/client";
import { attempt, toast } from "../app/toasts";
import type { ThreadId, Turn, TurnId } from "../generated/wire";
import { useThread } from "../thread/context";
import { Icon } from "../ui/Icon";
import { draftPlaces, loadDraft, saveDraft } from "./drafts";
import { putBack } from "./putBack";

/** Before the turn's id, where a change of its message is kept until it is saved. */
const PLACE = "queued.";

/** The agent has the message already: what was written meanwhile is not to be lost. */
function takenUp(thread: ThreadId, turn: TurnId, text: string): void {
  saveDraft(PLACE + turn, "");
  putBack(thread, text);
  toast("The message was taken up before it was changed. Your words are in the message field.");
}

/** Messages that wait for their turn, in order. */
export function Queue(props: { steers: boolean }) {
  const scope = useThread();
  const waiting = createMemo(() => scope.view().turnOrder.filter((id) => scope.view().turns[id]?.state === "queued"));
  const held = () => scope.thread().queue_held && waiting().length > 0;
  const release = () => void attempt("The queue could not go on", () => api.release(scope.id));
  let list!: HTMLElement;

  // A change that was begun here, of a message that was taken up while the thread was not on screen.
  // At once: the message field that comes next begins with what is put back.
  untrack(() => {
    for (const place of draftPlaces(PLACE)) {
      const id = place.slice(PLACE.length);
      const turn = scope.view().turns[id];
      if (turn && turn.state !== "queued") takenUp(scope.id, id, loadDraft(place));
    }
  });

  /** What had the focus when its message was moved. */
  let moved: { id: TurnId; control: string } | undefined;

  // A row that is put elsewhere loses the focus: it is given back once the order has changed.
  createEffect(
    on(waiting, () => {
      const of = moved;
      moved = undefined;
      if (!of) return;
      queueMicrotask(() => {
        const row = list.querySelector<HTMLElement>(`[data-turn="${of.id}"]`);
        (row?.querySelector<HTMLElement>(`[data-move="${of.control}"]:not(:disabled)`) ?? row)?.focus();
      });
    }, { defer: true }),
  );

  /** Moves a message by one place. */
  const move = async (id: TurnId, by: 1 | -1, control: "row" | "up" | "down") => {
    const order = waiting();
    const to = order.indexOf(id) + by;
    if (to < 0 || to >= order.length) return;
    const before = order[by < 0 ? to : to + 1];
    moved = { id, control };
    if (!(await attempt("The message could not be moved", () => api.moveTurn(scope.id, id, before)))) moved = undefined;
  };

  return (
    <Show when={waiting().length}>
      <section class="queue" ref={list} aria-label="Queued messages" data-held={held() ? "" : undefined}>
        <Show when={held()}>
          <div class="queue-held">
            <span class="grow">The last turn did not finish, so the queue waits for you.</span>
            <button type="button" class="btn small" onClick={release}>
              Send now
            </button>
          </div>
        </Show>
        <For each={waiting()}>
          {(id, i) => <Show when={scope.view().turns[id]}>{(turn) => <Waiting turn={turn()} place={i()} of={waiting().length} steers={props.steers} onMove={(by, control) => void move(id, by, control)} />}</Show>}
        </For>
      </section>
    </Show>
  );
}

interface WaitingProps {
  turn: Turn;
  place: number;
  of: number;
  /** Whether it can be sent into what runs. */
  steers: boolean;
  onMove: (by: 1 | -1, control: "row" | "up" | "down") => void;
}

function Waiting(props: WaitingProps) {
  const scope = useThread();
  const [busy, setBusy] = createSignal(false);
  /** Where the change that is being written is kept, so that leaving the thread does not lose it. */
  const place = PLACE + props.turn.id;
  const [edited, setEdited] = createSignal<string | undefined>(loadDraft(place) || undefined);
  let row!: HTMLDivElement;
  const act = async (what: string, work: () => Promise<unknown>) => {
    setBusy(true);
    await attempt(what, work);
    setBusy(false);
  };
  const remove = () => void act("The message could not be taken back", () => api.withdraw(scope.id, props.turn.id));
  const edit = () =>
    void act("The message could not be read", async () => {
      const { text } = props.turn.input;
      setEdited(text.omitted ? (await api.turnText(scope.id, props.turn.id)).text : text.head);
    });
  const close = () => {
    saveDraft(place, "");
    setEdited(undefined);
    // Back to where it can be edited again.
    row.querySelector<HTMLElement>(".queued-text")?.focus();
  };
  const tooLate = (text: string) => takenUp(scope.id, props.turn.id, text);
  const save = async (text: string) => {
    setBusy(true);
    try {
      await api.editTurn(scope.id, props.turn.id, { text });
      setBusy(false);
      close();
    } catch (error) {
      if (error instanceof ApiError && error.problem.code === "not_queued") {
        setEdited(undefined);
        tooLate(text);
      } else toast(`The message could not be changed: ${explain(error)}`, { tone: "bad" });
    } finally {
      setBusy(false);
    }
  };
  /** Alt and an arrow move the message; in its field they move the cursor. */
  const onKey = (event: KeyboardEvent) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || edited() !== undefined) return;
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    props.onMove(event.key === "ArrowUp" ? -1 : 1, "row");
  };

  const promote = () => void act("The message could not be sent now", () => api.promoteTurn(scope.id, props.turn.id));
  /** It goes in as soon as it can: when another one was taken, or what is asked is answered. */
  const steering = () => props.turn.delivery === "steer";

  const name = () => (props.of > 1 ? `Queued ${props.place + 1}` : "Queued");
  return (
    <div class="queued" ref={row} tabindex="-1" data-turn={props.turn.id} role="group" aria-label={`${name()} of ${props.of}`} onKeyDown={onKey}>
      <Show when={edited() === undefined} fallback={<Edit text={edited()!} place={place} busy={busy()} onSave={(text) => void save(text)} onCancel={close} onTaken={tooLate} waits={() => scope.view().turns[props.turn.id]?.state === "queued"} />}>
        <span class="queued-place" title={steering() ? "It is sent as soon as the agent can take it" : undefined}>
          {steering() ? "Next" : name()}
        </span>
        <button type="button" class="queued-text grow ellip" disabled={busy() || props.turn.input.kind === "compact"} title={props.turn.input.text.head.slice(0, 500)} aria-label={`Edit: ${props.turn.input.text.head.slice(0, 120)}`} onClick={edit}>
          {props.turn.input.kind === "compact" ? "Compact the context" : props.turn.input.text.head || props.turn.input.attachments?.map((file) => file.name).join(", ")}
        </button>
        <Show when={props.turn.input.attachments?.length}>
          {(many) => (
            <span class="queued-files" title={props.turn.input.attachments!.map((file) => file.name).join(", ")}>
              <Icon name="clip" size={14} /> {many()}
            </span>
          )}
        </Show>
        <Show when={props.steers && !steering() && props.turn.input.kind === "message"}>
          <button type="button" class="icon-btn" disabled={busy()} aria-label="Send now" title="Send now: taken at the agent's next step" onClick={promote}>
            <Icon name="send" size={14} />
          </button>
        </Show>
        <Show when={props.of > 1}>
          <button type="button" class="icon-btn" data-move="up" disabled={busy() || props.place === 0} aria-label="Move up" title="Move up (Alt+↑)" onClick={() => props.onMove(-1, "up")}>
            <Icon name="arrowUp" size={14} />
          </button>
          <button type="button" class="icon-btn" data-move="down" disabled={busy() || props.place === props.of - 1} aria-label="Move down" title="Move down (Alt+↓)" onClick={() => props.onMove(1, "down")}>
            <Icon name="arrowDown" size={14} />
          </button>
        </Show>
        <Show when={props.turn.input.kind === "message"}>
          <button type="button" class="icon-btn" disabled={busy()} aria-label="Edit" title="Edit" onClick={edit}>
            <Icon name="pencil" size={14} />
          </button>
        </Show>
        <button type="button" class="icon-btn" disabled={busy()} aria-label="Remove from the queue" title="Remove from the queue" onClick={remove}>
          <Icon name="close" size={14} />
        </button>
      </Show>
    </div>
  );
}

interface EditProps {
  text: string;
  /** Where it is kept while it is written. */
  place: string;
  busy: boolean;
  /** Whether the message still waits. */
  waits: () => boolean;
  onSave: (text: string) => void;
  onCancel: () => void;
  /** The message was taken up while it was being written anew. */
  onTaken: (text: string) => void;
}

function Edit(props: EditProps) {
  // Another device may change the message meanwhile; what is written here stays until it is saved.
  const [text, setText] = createSignal(props.text);
  const { place, waits, onTaken } = props;
  let area!: HTMLTextAreaElement;
  onMount(() => {
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  });
  onCleanup(() => {
    if (!props.busy && text().trim() && loadDraft(place) && !untrack(waits)) onTaken(text());
  });
  const write = (next: string) => {
    setText(next);
    saveDraft(place, next);
  };
  const save = () => text().trim() && !props.busy && props.onSave(text());
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      save();
    } else if (event.key === "Escape") {
      // It closes the field, and is no part of stopping the turn.
      event.preventDefault();
      event.stopPropagation();
      props.onCancel();
    }
  };
  return (
    <div class="queued-edit grow">
      <textarea ref={area} rows="2" aria-label="Queued message" value={text()} readOnly={props.busy} onInput={(event) => write(event.currentTarget.value)} onKeyDown={onKey} />
      <button type="button" class="btn small" disabled={props.busy || !text().trim()} onClick={save}>
        Save
      </button>
      <button type="button" class="btn quiet small" disabled={props.busy} onClick={props.onCancel}>
        Cancel
      </button>
    </div>
  );
}
