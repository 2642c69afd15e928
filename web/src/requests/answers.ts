// Answers on their way to the server. One that could not be sent is sent again when the connection
// is back, and of one that came too late it is said what happened instead.

import { createRoot, createSignal } from "solid-js";
import { api, ApiError, explain } from "../api/client";
import type { Answer, AnswerTaken, Request, RequestId, ThreadId } from "../generated/wire";
import { lateWords } from "./words";

export interface Given {
  thread: ThreadId;
  request: Request;
  answer: Answer;
  /** `waiting` is sent again by itself, `failed` when a person says so. */
  state: "sending" | "waiting" | "failed";
  problem?: string;
}

/** More than one person answers at a time; the oldest are forgotten. */
const MAX_KEPT = 50;

export type Answers = ReturnType<typeof createAnswers>;

export interface AnswersEvents {
  /** The server has the answer. */
  taken(thread: ThreadId, taken: AnswerTaken): void;
  /** How the agent of a thread is called. */
  agent(thread: ThreadId): string;
}

export function createAnswers(events: AnswersEvents, sender: Pick<typeof api, "answer"> = api) {
  const [given, setGiven] = createRoot(() => createSignal<readonly Given[]>([]));
  const [said, setSaid] = createRoot(() => createSignal<ReadonlyMap<ThreadId, string>>(new Map()));

  const of = (request: RequestId) => given().find((entry) => entry.request.id === request);
  const drop = (request: RequestId) => setGiven((list) => list.filter((entry) => entry.request.id !== request));
  const put = (entry: Given) => setGiven((list) => [...list.filter((e) => e.request.id !== entry.request.id), entry].slice(-MAX_KEPT));

  function say(thread: ThreadId, words: string | undefined): void {
    setSaid((all) => {
      const rest = [...all].filter(([id]) => id !== thread);
      return new Map(words ? [...rest, [thread, words] as const].slice(-MAX_KEPT) : rest);
    });
  }

  async function give(thread: ThreadId, request: Request, answer: Answer): Promise<void> {
    if (of(request.id)?.state === "sending") return;
    const entry: Given = { thread, request, answer, state: "sending" };
    put(entry);
    say(thread, undefined);
    try {
      const taken = await sender.answer(thread, request.id, answer);
      drop(request.id);
      events.taken(thread, taken);
    } catch (error) {
      if (!(error instanceof ApiError)) put({ ...entry, state: "failed", problem: explain(error) });
      else if (error.offline) put({ ...entry, state: "waiting", problem: explain(error) });
      else if (error.problem.code === "request_closed" || error.problem.code === "already_answering") {
        drop(request.id);
        say(thread, lateWords(error.problem.stands, answer, events.agent(thread)));
      } else put({ ...entry, state: "failed", problem: explain(error) });
    }
  }

  return {
    /** What a person answered here and the server has not taken yet. */
    of,
    give,
    /** Takes an answer back that was not sent. */
    takeBack: drop,
    /** What became of the last answer in a thread, when it came too late. */
    said: (thread: ThreadId) => said().get(thread),
    heard: (thread: ThreadId) => say(thread, undefined),
    /** The connection is back: what could not be sent is sent. */
    resume(): void {
      for (const entry of given()) if (entry.state === "waiting") void give(entry.thread, entry.request, entry.answer);
    },
  };
}
