// What can be done with a thread, wherever it is listed.

import { api } from "../api/client";
import type { Baton } from "../app/baton";
import { attempt, toast } from "../app/toasts";
import type { Thread, ThreadPatch } from "../generated/wire";

export async function patchThread(baton: Baton, id: string, patch: ThreadPatch, what: string): Promise<boolean> {
  return attempt(what, async () => baton.absorb(await api.patchThread(id, patch)));
}

export async function archiveThread(baton: Baton, thread: Thread): Promise<void> {
  const done = await patchThread(baton, thread.id, { archived: true }, "The thread could not be archived");
  if (!done) return;
  toast(`“${thread.title || "New thread"}” is archived.`, {
    action: {
      label: "Undo",
      run: () => void patchThread(baton, thread.id, { archived: false }, "The thread could not be brought back"),
    },
  });
}
