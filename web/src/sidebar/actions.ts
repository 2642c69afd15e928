// What can be done with a thread, wherever it is listed.

import { api } from "../api/client";
import type { Baton } from "../app/baton";
import { attempt, toast } from "../app/toasts";
import type { Thread, ThreadPatch } from "../generated/wire";

export async function patchThread(baton: Baton, id: string, patch: ThreadPatch, what: string): Promise<boolean> {
  return attempt(what, async () => baton.absorb(await api.patchThread(id, patch)));
}

/**
 * Archives a thread, and offers to bring it back; whether it is archived. One that is at work is only
 * once a person has read that this stops it. `back` is called once it was brought back.
 */
export async function archiveThread(baton: Baton, thread: Thread, back?: () => void): Promise<boolean> {
  if (thread.status !== "working" && thread.status !== "needs_you") return archive(baton, thread, back);
  toast(`“${thread.title || "New thread"}” is at work, and archiving it stops that for good.`, {
    action: { label: "Archive", run: () => void archive(baton, thread, back) },
  });
  return false;
}

async function archive(baton: Baton, thread: Thread, back?: () => void): Promise<boolean> {
  const done = await patchThread(baton, thread.id, { archived: true }, "The thread could not be archived");
  if (!done) return false;
  toast(`“${thread.title || "New thread"}” is archived.`, {
    action: {
      label: "Undo",
      run: () => void bringBack(baton, thread).then((done) => done && back?.()),
    },
  });
  return true;
}

export async function bringBack(baton: Baton, thread: Thread): Promise<boolean> {
  return patchThread(baton, thread.id, { archived: false }, "The thread could not be brought back");
}
