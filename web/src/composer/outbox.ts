// Messages on their way to the server. One is kept on this device from the moment it is sent until
// the server has confirmed it by its id; the same id may be posted again without harm.

import { createRoot, createSignal } from "solid-js";
import { api, ApiError, explain } from "../api/client";
import type { Attachment, CreateThread, ProblemCode, SendMessage, Turn } from "../generated/wire";
import { recall, remember } from "../lib/storage";

export interface Outgoing {
  thread: string;
  message: SendMessage;
  /** The files that go with it, for when it is written anew. */
  files?: readonly Attachment[];
  /** The thread itself is to be made first. */
  create?: CreateThread;
  state: "sending" | "failed" | "sent";
  problem?: string;
  /** It is refused however often it is sent. */
  hopeless?: boolean;
  /** The project, when the message was to begin its thread: one that is hopeless begins none. */
  began?: string;
  at: number;
}

/** Refusals of the message itself: the same one meets them again. */
const hopeless: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "empty_message", "message_too_long", "too_large", "too_many_attachments", "unknown_attachment", "model_cannot_read", "no_model", "bad_request",
]);

const KEY = "outbox";
/** More than a person leaves behind; the oldest failed ones are dropped from this device. */
const MAX_KEPT = 50;

export type Outbox = ReturnType<typeof createOutbox>;

export interface OutboxEvents {
  /** The server has the message. */
  accepted(turn: Turn): void;
  /** The thread exists now. */
  created(thread: string): void;
}

type Sender = Pick<typeof api, "createThread" | "deleteThread" | "send">;

export function createOutbox(events: OutboxEvents, sender: Sender = api) {
  const [entries, setEntries] = createRoot(() => createSignal<readonly Outgoing[]>(load()));
  const busy = new Set<string>();

  function update(change: (entries: readonly Outgoing[]) => readonly Outgoing[]): void {
    const next = setEntries((list) => change(list).slice(-MAX_KEPT));
    const kept = next.filter((e) => e.state !== "sent");
    remember(KEY, kept.length ? kept : undefined);
  }

  const patch = (id: string, change: Partial<Outgoing>) =>
    update((list) => list.map((e) => (e.message.id === id ? { ...e, ...change } : e)));
  const drop = (id: string) => update((list) => list.filter((e) => e.message.id !== id));

  /** Sends what waits in a thread, one after the other, so that the order stays. */
  async function flush(thread: string): Promise<void> {
    if (busy.has(thread)) return;
    busy.add(thread);
    try {
      for (;;) {
        const next = entries().find((e) => e.thread === thread && e.state === "sending");
        if (!next || !(await post(next))) return;
      }
    } finally {
      busy.delete(thread);
    }
  }

  /** Returns whether to go on with the next message of the thread. */
  async function post(entry: Outgoing): Promise<boolean> {
    const { id } = entry.message;
    try {
      if (entry.create) {
        await sender.createThread(entry.create);
        patch(id, { create: undefined });
        events.created(entry.thread);
      }
      const turn = await sender.send(entry.thread, entry.message);
      patch(id, { state: "sent", problem: undefined });
      events.accepted(turn);
      return true;
    } catch (error) {
      const refused = error instanceof ApiError ? error : undefined;
      if (refused?.offline) {
        patch(id, { problem: explain(error) });
        return false;
      }
      const never = refused !== undefined && hopeless.has(refused.problem.code);
      patch(id, { state: "failed", problem: explain(error), ...(never && { hopeless: true }) });
      if (never && entry.began) await discardThread(entry);
      return true;
    }
  }

  /** Takes the empty thread away that a message was to begin which never will. */
  async function discardThread(entry: Outgoing): Promise<void> {
    if (entries().some((e) => e.thread === entry.thread && e.message.id !== entry.message.id)) return;
    // What is left of it when this fails can be deleted like any other.
    await sender.deleteThread(entry.thread).catch(() => {});
  }

  return {
    /** Everything of a thread that the server has not shown yet, oldest first. */
    of: (thread: string) => entries().filter((e) => e.thread === thread),
    /** Whether the thread is not known to the server yet. */
    isCreating: (thread: string) => entries().some((e) => e.thread === thread && e.create),
    send(thread: string, message: SendMessage, { create, files }: { create?: CreateThread; files?: readonly Attachment[] } = {}): void {
      update((list) => [...list, { thread, message, create, ...(files?.length && { files }), ...(create && { began: create.project_id }), state: "sending", at: Date.now() }]);
      void flush(thread);
    },
    retry(id: string): void {
      patch(id, { state: "sending", problem: undefined, hopeless: undefined });
      const entry = entries().find((e) => e.message.id === id);
      if (entry) void flush(entry.thread);
    },
    /** Takes a message back and returns it. */
    take(id: string): Outgoing | undefined {
      const entry = entries().find((e) => e.message.id === id);
      drop(id);
      return entry;
    },
    /** The message is shown by the server itself now. */
    confirmed: drop,
    /** The connection is back: what could not be sent is sent. */
    resume(): void {
      for (const thread of new Set(entries().map((e) => e.thread))) void flush(thread);
    },
  };
}

function load(): Outgoing[] {
  const kept = recall<Outgoing[]>(KEY);
  return Array.isArray(kept) ? kept.filter((e) => e?.message?.id && e.thread) : [];
}
