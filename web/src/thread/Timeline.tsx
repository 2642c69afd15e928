import "./Timeline.css";
import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show } from "solid-js";
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

/** Where each thread was left, for as long as the page lives. */
const places = new Map<string, Place>();
const MAX_PLACES = 100;

export function Timeline(props: { onPin: (pin: Pin) => void }) {
  const baton = useBaton();
  const scope = useThread();
  const [pin, setPin] = createSignal<Pin>();
  const [problem, setProblem] = createSignal("");
  const [loading, setLoading] = createSignal(false);
  let scroller!: HTMLDivElement;
  let content!: HTMLDivElement;

  const turns = createMemo(() => scope.view().turnOrder.filter((id) => {
    const turn = scope.view().turns[id]!;
    return isShown(turn) && !isTakenBack(scope.thread(), turn);
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
    older,
    load: () => baton.loadOlder(scope.id),
  });
  onMount(() => {
    const made = createPin(scroller, content, () => void loadOlder());
    setPin(made);
    props.onPin(made);
    made.restore(places.get(scope.id));
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
          <For each={turns()}>{(id) => <TurnView id={id} />}</For>
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
