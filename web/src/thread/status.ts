// Where threads and turns stand, in words and in one vocabulary of states.

import type { ErrorCode, Phase, Thread, Turn } from "../generated/wire";
import { duration, nth } from "../lib/format";

export type Mark = "needs" | "held" | "working" | "failed" | "unseen" | "idle";

type Row = Pick<Thread, "status" | "unread" | "queue_held" | "queued">;

/** Whether messages wait in its queue until a person lets them go on. */
export function isHeld(thread: Pick<Thread, "queue_held" | "queued">): boolean {
  return thread.queue_held && thread.queued > 0;
}

/** Whether nothing goes on until a person does something. */
export function waitsForPerson(thread: Pick<Thread, "status" | "queue_held" | "queued">): boolean {
  return thread.status === "needs_you" || (thread.status !== "working" && isHeld(thread));
}

export function markOf(thread: Row): Mark {
  switch (thread.status) {
    case "needs_you":
      return "needs";
    case "working":
      return "working";
    case "failed":
      return thread.unread ? "failed" : "idle";
    case "idle":
      return isHeld(thread) ? "held" : thread.unread ? "unseen" : "idle";
  }
}

/** The mark of a thread with the failures a person has seen, which stay failures. */
export function rowMark(thread: Row): Mark {
  return thread.status === "failed" ? "failed" : markOf(thread);
}

export const markWords: Record<Mark, string> = {
  needs: "Needs you",
  held: "Stopped, the queue waits for you",
  working: "Working",
  failed: "Failed",
  unseen: "Done, not looked at yet",
  idle: "Idle",
};

export function isOver(turn: Pick<Turn, "state">): boolean {
  return turn.state === "completed" || turn.state === "interrupted" || turn.state === "failed";
}

/** Whether a turn is part of the conversation: it began, or it failed before it could. */
export function isShown(turn: Pick<Turn, "state" | "started_at">): boolean {
  if (turn.state === "queued") return false;
  return !(turn.state === "interrupted" && turn.started_at === null);
}

/** Whether it is a message that was stopped before the agent took it; one that failed says why by its error. */
export function isUntaken(turn: Pick<Turn, "state" | "untaken" | "input">): boolean {
  return turn.state === "interrupted" && !!turn.untaken && turn.input.kind === "message";
}

/** What is known of such a message. What an agent was given it may keep, and read with what comes next. */
export function untakenWords(turn: Pick<Turn, "prompt_key">, agent: string): string {
  return turn.prompt_key === null
    ? `It was stopped before ${agent} was given this message.`
    : `${agent} had not taken this message up when it was stopped, and did nothing for it. It may still read it together with the next one.`;
}

/** What a turn that is not over is doing. */
export function phaseWords(turn: Pick<Turn, "state" | "phase" | "stopping">, agent: string, now: number): string {
  if (turn.stopping) return "Stopping…";
  if (!turn.phase) return turn.state === "preparing" ? "Preparing…" : "Working…";
  return wordsOf(turn.phase, agent, now);
}

function wordsOf(phase: Phase, agent: string, now: number): string {
  switch (phase.kind) {
    case "starting_agent":
      return `Starting ${agent}…`;
    case "opening_session":
      return "Opening the session…";
    case "sending":
      return `Sending to ${agent}…`;
    case "steering":
      return `Taken up at ${agent}'s next step`;
    case "retrying": {
      const wait = phase.next_at === null ? 0 : phase.next_at - now;
      const when = wait > 0 ? `in ${duration(Math.ceil(wait / 1000) * 1000).replace(".0 ", " ")}` : "now";
      return `Retrying ${when} (${nth(phase.attempt)} try)${phase.message ? `: ${phase.message}` : ""}`;
    }
    case "waiting_for_network":
      return `Waiting for the network…${phase.message ? ` ${phase.message}` : ""}`;
    case "silent":
      return `The model has said nothing for ${duration(Math.floor(Math.max(now - phase.since, 0) / 1000) * 1000).replace(/\.0 /, " ")}; it can be stopped`;
    case "compacting":
      return "Compacting the context…";
    case "reconnecting":
      return `Reconnecting to ${agent}…`;
  }
}

/** The kind of a failure as a heading. */
export const errorTitles: Record<ErrorCode, string> = {
  unauthorized: "Not signed in",
  payment: "No credit or no right to this model",
  rate_limited: "Too many requests",
  model_unavailable: "Model not available",
  context_overflow: "The conversation is too long for this model",
  content_filtered: "The answer was withheld",
  provider_error: "The model's provider failed",
  network: "The model's provider could not be reached",
  rejected: "The agent refused the message",
  not_accepted: "The message did not reach the agent",
  agent_unavailable: "The agent could not be started",
  agent_died: "The agent ended unexpectedly",
  silent: "The agent went silent",
  session_lost: "The session is gone",
  session_busy: "The session is at work elsewhere",
  session_taken: "The session is another thread's",
  internal: "Something in Baton failed",
};
