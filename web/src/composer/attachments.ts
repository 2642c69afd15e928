// Files that are to go with the message that is being written. They stay with its draft, also over
// a change of threads or a reload, for as long as the server keeps them.

import { createSignal, onCleanup, onMount } from "solid-js";
import { address, api, explain } from "../api/client";
import { toast } from "../app/toasts";
import type { Attachment, AttachmentKind, AttachmentName } from "../generated/wire";
import { plural } from "../lib/format";
import { loadDraft, loadFiles, saveDraft } from "./drafts";

/** As many as go with one message, and as large as one may be. */
export const MAX_FILES = 20;
export const MAX_BYTES = 10 * 1024 * 1024;
/** What is said of files that do not go; of more, the newest. */
const MAX_NOTES = 4;

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

/** As a message names them. */
export const named = (files: readonly Attachment[]): AttachmentName[] => files.map(({ id, name }) => ({ id, name }));

/** Which of some files go with a message that has so many already, and why the others do not. */
export function fitting<F extends Pick<File, "name" | "size">>(files: Iterable<F>, held: number): { take: F[]; refused: string[] } {
  const [take, refused]: [F[], string[]] = [[], []];
  let over = 0;
  for (const file of files) {
    if (file.size > MAX_BYTES) refused.push(`${file.name} has more than 10 MiB. Put it into the workspace and name its path in the message.`);
    else if (held + take.length >= MAX_FILES) over++;
    else take.push(file);
  }
  if (over) refused.push(`At most ${MAX_FILES} files go with a message: ${plural(over, "was", "were")} left out.`);
  return { take, refused };
}

/** The files of the draft of a place. */
export function createAttachments(place: string) {
  const [drafts, setDrafts] = createSignal<readonly Draft[]>(loadFiles(place).map(kept));
  const [notes, setNotes] = createSignal<readonly string[]>([]);
  /** Says with the message why a file does not go with it; elsewhere once its place was left. */
  const note = (text: string) => {
    if (left) toast(text, { tone: "bad" });
    else setNotes((list) => [...list.filter((known) => known !== text), text].slice(-MAX_NOTES));
  };
  const forget = (draft: Draft) => draft.picture?.startsWith("blob:") && URL.revokeObjectURL(draft.picture);
  const ready = () => drafts().flatMap((d) => (d.file ? [{ ...d.file, name: d.name }] : []));
  const save = () => saveDraft(place, loadDraft(place), ready());
  let left = false;

  /** Takes out what the server dropped meanwhile: without a word the message would be refused. */
  async function check(draft: Draft): Promise<void> {
    if (!draft.file || (await api.hasAttachment(draft.file.id).catch(() => true)) || left) return;
    remove(draft.key);
    note(`${draft.name} was attached too long ago and is no longer kept. Attach it again.`);
  }
  onMount(() => drafts().forEach((draft) => void check(draft)));

  async function upload(key: number, file: File): Promise<void> {
    try {
      const taken = await api.upload(file);
      if (left) return void saveDraft(place, loadDraft(place), [...loadFiles(place), { ...taken, name: file.name || taken.name }].slice(0, MAX_FILES));
      setDrafts((list) => list.map((d) => (d.key === key ? { ...d, file: taken } : d)));
      save();
    } catch (error) {
      remove(key);
      note(`${file.name} could not be attached: ${explain(error)}`);
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
    /** Why files do not go with the message, for as long as it is written. */
    notes,
    heard: () => setNotes([]),
    add(files: Iterable<File>): void {
      const { take, refused } = fitting(files, drafts().length);
      refused.forEach(note);
      for (const file of take) {
        const key = ++last;
        const picture = file.type.startsWith("image/") ? URL.createObjectURL(file) : undefined;
        setDrafts((list) => [...list, { key, name: file.name || "pasted", picture }]);
        void upload(key, file);
      }
    },
    remove,
    /** Whether one is still on its way. */
    busy: () => drafts().some((d) => !d.file),
    /** Takes files that the server keeps already. */
    put: (files: readonly Attachment[]) => setDrafts((list) => [...list, ...files.map(kept)]),
    /** Gives them to a message, and begins anew. */
    take(): Attachment[] {
      const taken = ready();
      drafts().forEach(forget);
      setDrafts([]);
      setNotes([]);
      save();
      return taken;
    },
  };
}

export function isImage(kind: AttachmentKind): boolean {
  return kind === "png" || kind === "jpeg" || kind === "gif" || kind === "webp";
}
