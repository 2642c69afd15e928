// Files that are to go with the message that is being written. They stay with its draft, also over
// a change of threads or a reload, for as long as the server keeps them.

import { createSignal, onCleanup, onMount } from "solid-js";
import { address, api, explain } from "../api/client";
import { toast } from "../app/toasts";
import type { Attachment, AttachmentKind, AttachmentName } from "../generated/wire";
import { loadDraft, loadFiles, saveDraft } from "./drafts";

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

const kept = (file: Attachment): Draft => ({ key: ++last, name: file.name, file, ...(isImage(file.kind) && { picture: attachmentUrl(file) }) });

export const attachmentUrl = (file: Attachment): string => address(`api/attachments/${encodeURIComponent(file.id)}`).href;

/** The files of the draft of a place. */
export function createAttachments(place: string) {
  const [drafts, setDrafts] = createSignal<readonly Draft[]>(loadFiles(place).map(kept));
  const forget = (draft: Draft) => draft.picture?.startsWith("blob:") && URL.revokeObjectURL(draft.picture);
  const ready = () => drafts().flatMap((d) => (d.file ? [{ ...d.file, name: d.name }] : []));
  const save = () => saveDraft(place, loadDraft(place), ready());
  let left = false;

  /** Takes out what the server dropped meanwhile: without a word the message would be refused. */
  async function check(draft: Draft): Promise<void> {
    if (!draft.file || (await api.hasAttachment(draft.file.id).catch(() => true)) || left) return;
    remove(draft.key);
    toast(`${draft.name} was attached too long ago and is no longer kept. Attach it again.`, { tone: "bad" });
  }
  onMount(() => drafts().forEach((draft) => void check(draft)));

  async function upload(key: number, file: File): Promise<void> {
    try {
      const taken = await api.upload(file);
      if (left) return saveDraft(place, loadDraft(place), [...loadFiles(place), { ...taken, name: file.name || taken.name }].slice(0, MAX_FILES));
      setDrafts((list) => list.map((d) => (d.key === key ? { ...d, file: taken } : d)));
      save();
    } catch (error) {
      remove(key);
      toast(`${file.name} could not be attached: ${explain(error)}`, { tone: "bad" });
    }
  }

  function remove(key: number): void {
    drafts().filter((d) => d.key === key).forEach(forget);
    setDrafts((list) => list.filter((d) => d.key !== key));
    save();
  }

  onCleanup(() => {
    left = true;
    drafts().forEach(forget);
  });

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
      save();
      return names;
    },
  };
}

export function isImage(kind: AttachmentKind): boolean {
  return kind === "png" || kind === "jpeg" || kind === "gif" || kind === "webp";
}
