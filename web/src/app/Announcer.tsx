import { createEffect, createSignal, on } from "solid-js";
import type { ThreadStatus } from "../generated/wire";
import { announced } from "./announce";
import { useBaton } from "./baton";
import { route } from "./router";

/** Says aloud what a person at work elsewhere on the page must know, and nothing more. */
export function Announcer() {
  const baton = useBaton();
  const [words, setWords] = createSignal("");
  const current = () => {
    const at = route();
    return at.page === "thread" ? baton.row(at.id) : undefined;
  };
  createEffect(
    on(
      () => [current()?.id, current()?.status, current()?.open_requests] as const,
      ([id, status, open], before) => {
        if (!id || !before || before[0] !== id || !status) return;
        const said = sentence(before[1], status, (open ?? 0) > (before[2] ?? 0));
        if (said) setWords(said);
      },
    ),
  );
  createEffect(on(announced, (said) => setWords(said), { defer: true }));
  return (
    <p class="visually-hidden" role="status" aria-live="polite">
      {words()}
    </p>
  );
}

function sentence(before: ThreadStatus | undefined, now: ThreadStatus, asked: boolean): string {
  if (now === "needs_you" && (before !== "needs_you" || asked)) return "The agent needs you.";
  if (now === "idle" && before && before !== "idle") return "The turn is done.";
  if (now === "failed" && before !== "failed") return "The turn failed.";
  return "";
}
