import "./Timeline.css";
import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, untrack } from "solid-js";
import { explain } from "../api/client";
import { useBaton } from "../app/baton";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { isTakenBack } from "./back";
import { useThread } from "./context";
import { createSeek } from "./seek";
import { Pending } from "./Pending";
import { createPin, type Pin, type Place } from "./scroll";
import { isShown } from "./status";
import { Words } from "../ui/Words";
import { TurnView } from "./TurnView";
import { createWindowing, WindowingContext } from "./windowing";

/** Where each thread was left, for as long as the page lives. */
const places = new Map<string, Place>();
const MAX_PLACES = 100;
/** So many turns at the end are drawn before it is known which are on screen. */
const FIRST_TURNS = 6;

export function Timeline(props: { onPin: (pin: Pin) => void }) {
  const baton = useBaton();
  const scope = useThread();
  const [pin, setPin] = createSignal<Pin>();
  const [problem, setProblem] = createSignal("");
  const [loading, setLoading] = createSignal(false);
  let scroller!: HTMLDivElement;
  let content!: HTMLDivElement;

  const windowing = createWindowing(() => scroller, (change) => (pin() ? pin()!.hold(change) : change()));
  onCleanup(() => windowing.dispose());

  // The turn that the last held item is in, when newer ones are not held.
  const lastHeld = createMemo(() => {
    const view = scope.view();
    if (view.newer === null) return Infinity;
    return Math.max(...view.turnOrder.filter((id) => view.lists[id]?.length).map((id) => view.turns[id]!.ordinal), 0);
  });
  const isBelow = (ordinal: number) => ordinal > lastHeld();

  const turns = createMemo(() => scope.view().turnOrder.filter((id) => {
    const turn = scope.view().turns[id]!;
    return isShown(turn) && !isTakenBack(scope.thread(), turn) && !isBelow(turn.ordinal);
  }));
  const pending = () => baton.outbox.of(scope.id).filter((entry) => !scope.view().turns[entry.message.id]);
  const older = () => scope.view().older !== null;

  const loadOlder = async () => {
    if (!older() || loading() || seek.busy() || problem()) return;
    setLoading(true);
    try {
      const before = pin()?.place();
      await baton.loadOlder(scope.id);
      if (before && !before.pinned) pin()?.restore(before);
    } catch (error) {
      setProblem(explain(error));
    } finally {
      setLoading(false);
    }
  };

  const seek = createSeek({
    id: scope.id,
    pin,
    content: () => content,
    draw: (name) => {
      const { items } = scope.view();
      windowing.show(items[name]?.turn_id ?? name);
      // It may lie within sub-agents that are closed.
      const within: string[] = [];
      for (let at = items[name]?.parent; at && items[at]; at = items[at]!.parent) within.unshift(at);
      for (const row of within) {
        windowing.show(row);
        content.querySelector<HTMLElement>(`[data-row="${CSS.escape(row)}"] > .fold > [aria-expanded="false"]`)?.click();
      }
      windowing.show(name);
    },
    older,
    loadOlder: () => baton.loadOlder(scope.id),
    newer: () => scope.view().newer !== null,
    loadNewer: () => baton.loadNewer(scope.id),
  });

  const loadNewer = async () => {
    try {
      await baton.loadNewer(scope.id);
    } catch {
      // Scrolling on asks again; the button below asks for the latest.
    }
  };

  onMount(() => {
    const made = createPin(scroller, content, windowing.show, () => void loadOlder(), { isWhole: () => scope.view().newer === null, onNear: () => void loadNewer(), onEnd: () => baton.toLatest(scope.id) });
    setPin(made);
    props.onPin(made);
    // Not within this effect: what it draws would be there only after it.
    const place = places.get(scope.id);
    queueMicrotask(() => scroller.isConnected && made.restore(place));
    seek.start();
    onCleanup(() => {
      places.delete(scope.id);
      places.set(scope.id, made.place());
      if (places.size > MAX_PLACES) places.delete(places.keys().next().value!);
      made.dispose();
    });
  });

  // A page too short to scroll loads the next one by itself.
  createEffect(
    on([older, () => scope.view().turnOrder.length], () => {
      queueMicrotask(() => {
        if (older() && scroller.isConnected && scroller.scrollHeight <= scroller.clientHeight + 200) void loadOlder();
      });
    }),
  );

  return (
    <div class="timeline">
      <div class="scroll" ref={scroller} tabindex="-1">
        <div class="column" ref={content}>
          <Show when={older()}>
            <div class="older">
              <Show
                when={!problem()}
                fallback={
                  <span class="bad" role="alert">
                    {problem()}{" "}
                    <button
                      type="button"
                      class="btn small"
                      onClick={() => {
                        setProblem("");
                        void loadOlder();
                      }}
                    >
                      Try again
                    </button>
                  </span>
                }
              >
                <Show
                  when={loading()}
                  fallback={
                    <button type="button" class="btn quiet small" onClick={() => void loadOlder()}>
                      Show older
                    </button>
                  }
                >
                  <Spinner /> Loading older…
                </Show>
              </Show>
            </div>
          </Show>
          <WindowingContext.Provider value={windowing}>
            <For each={turns()}>{(id, index) => <TurnView id={id} near={untrack(() => turns().length - index() <= FIRST_TURNS)} />}</For>
          </WindowingContext.Provider>
          <Show when={scope.view().newer !== null}>
            <div class="older">
              <Spinner /> Loading what comes next…
            </div>
          </Show>
          <For each={pending()}>{(entry) => <Pending entry={entry} />}</For>
        </div>
      </div>
      <Show when={seek.busy() || seek.problem()}>
        <div class="seek" role={seek.problem() ? "alert" : "status"}>
          <Show
            when={seek.problem()}
            fallback={
              <>
                <Spinner /> Going back to the message…
                <button type="button" class="btn quiet small" onClick={() => seek.stop()}>
                  Stop
                </button>
              </>
            }
          >
            <span class="bad">
              <Words text={seek.problem()} />
            </span>
            <button type="button" class="btn small" onClick={() => seek.again()}>
              Try again
            </button>
            <button type="button" class="btn quiet small" onClick={() => seek.stop()}>
              Close
            </button>
          </Show>
        </div>
      </Show>
      <Show when={pin() && !pin()!.pinned()}>
        <button type="button" class="jump" onClick={() => pin()?.toEnd(true)}>
          <Icon name="arrowDown" size={14} />
          Jump to latest
        </button>
      </Show>
    </div>
  );
}
