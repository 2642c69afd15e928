// Files that are to go with the message that is being written.

import { createSignal, onCleanup } from "solid-js";
import { api, explain } from "../api/client";
import { toast } from "../app/toasts";
import type { Attachment, AttachmentKind, AttachmentName } from "../generated/wire";

/** As many as go with one message, and as large as one may be. */
export const MAX_FILES = 20;
export const MAX_BYTES = 10 * 1024 * 1024;

export interface Draft {
  key: number;
  name: string;
  /** Where a picture can be seen before it is uploaded. */
  picture?: string;
  /** Absent until it is uploaded. */
  file?: Attachment;
}

export type Drafts = ReturnType<typeof createAttachments>;

let last = 0;

export function createAttachments() {
  const [drafts, setDrafts] = createSignal<readonly Draft[]>([]);
  const forget = (draft: Draft) => draft.picture && URL.revokeObjectURL(draft.picture);

  async function upload(key: number, file: File): Promise<void> {
    try {
      const taken = await api.upload(file);
      setDrafts((list) => list.map((d) => (d.key === key ? { ...d, file: taken } : d)));
    } catch (error) {
      remove(key);
      toast(`${file.name} could not be attached: ${explain(error)}`, { tone: "bad" });
    }
  }

  function remove(key: number): void {
    drafts().filter((d) => d.key === key).forEach(forget);
    setDrafts((list) => list.filter((d) => d.key !== key));
  }

  onCleanup(() => drafts().forEach(forget));

  return {
    all: drafts,
    add(files: Iterable<File>): void {
      for (const file of files) {
        if (drafts().length >= MAX_FILES) {
          toast(`At most ${MAX_FILES} files go with a message.`, { tone: "bad" });
          return;
        }
        if (file.size > MAX_BYTES) {
          toast(`${file.name} has more than 10 MiB. Put it into the workspace and name its path in the message.`, { tone: "bad" });
          continue;
        }
        const key = ++last;
        const picture = file.type.startsWith("image/") ? URL.createObjectURL(file) : undefined;
        setDrafts((list) => [...list, { key, name: file.name || "pasted", picture }]);
        void upload(key, file);
      }
    },
    remove,
    /** Whether one is still on its way. */
    busy: () => drafts().some((d) => !d.file),
    /** Gives them to a message, and begins anew. */
    take(): AttachmentName[] {
      const names = drafts().flatMap((d) => (d.file ? [{ id: d.file.id, name: d.name }] : []));
      drafts().forEach(forget);
      setDrafts([]);
      return names;
    },
  };
}

export function isImage(kind: AttachmentKind): boolean {
  return kind === "png" || kind === "jpeg" || kind === "gif" || kind === "webp";
}
