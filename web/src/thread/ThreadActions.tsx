import { createSignal, Show } from "solid-js";
import { api } from "../api/client";
import { useAction } from "../app/actions";
import { announce } from "../app/announce";
import { useBaton } from "../app/baton";
import { attempt, toast } from "../app/toasts";
import { newTurnId } from "../lib/ids";
import { archiveThread, patchThread } from "../sidebar/actions";
import { DeleteThread } from "../sidebar/ThreadMenu";
import { copyText } from "../ui/CopyButton";
import { answerOf } from "./answer";
import { useThread } from "./context";
import type { Pin } from "./scroll";

/** What can be done with the thread on screen. */
export function ThreadActions(props: { pin: Pin | undefined; stop: () => void; mayStop: boolean }) {
  const baton = useBaton();
  const scope = useThread();
  const { thread } = scope;
  const [deleting, setDeleting] = createSignal(false);
  const kept = () => !thread().archived;
  /** The last turn that said something. */
  const said = () =>
    scope.view().turnOrder.findLast((turn) => scope.list(turn).some((id) => scope.item(id)?.content.kind === "agent_message"));
  const copy = (what: string, text: () => string | Promise<string>) =>
    attempt(`${what} could not be copied`, async () => {
      await copyText(await text());
      toast(`${what} is copied.`);
    });

  useAction("thread.stop", props.stop, () => props.mayStop);
  useAction("thread.latest", () => props.pin?.toEnd(true), () => props.pin?.pinned() === false);
  useAction("thread.copyAnswer", () => void copy("The answer", () => answerOf(scope, said()!)), () => said() !== undefined);
  useAction("thread.copyId", () => void copy("The id", () => scope.id));
  useAction("thread.copySession", () => void copy("The session's id", () => thread().session!), () => thread().session !== null);
  useAction("thread.pin", () => {
    announce(thread().pinned ? "Unpinned" : "Pinned");
    void patchThread(baton, scope.id, { pinned: !thread().pinned }, "The thread could not be pinned");
  }, kept);
  useAction("thread.archive", () => void archiveThread(baton, thread()), kept);
  useAction("thread.unread", () => void patchThread(baton, scope.id, { unread: true }, "The thread could not be marked"), kept);
  useAction(
    "thread.compact",
    () => void attempt("The context could not be compacted", () => api.compact(scope.id, newTurnId())),
    () => kept() && thread().session !== null,
  );
  useAction("thread.delete", () => setDeleting(true));

  return (
    <Show when={deleting()}>
      <DeleteThread thread={thread()} onClose={() => setDeleting(false)} />
    </Show>
  );
}
