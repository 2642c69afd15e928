// Requests in words: who asks for what, and what each choice means.

import type { Answer, Approval, ApprovalKind, Choice, Request, RequestState } from "../generated/wire";

const asks: Record<ApprovalKind, string> = {
  command: "to run a command",
  edit: "to change files",
  read: "to read",
  outside_workspace: "to reach outside the workspace",
  web: "to use the network",
  sub_agent: "to start a sub-agent",
  mcp: "to use an MCP tool",
  loop: "whether to go on: it repeats itself",
  other: "for permission",
};

/** The heading of a request: `Kilo asks to run a command`. */
export function headingOf(request: Pick<Request, "body">, agent: string): string {
  switch (request.body.kind) {
    case "approval":
      return `${agent} asks ${asks[request.body.what]}`;
    case "question":
      return request.body.questions.length > 1 ? `${agent} has ${request.body.questions.length} questions` : `${agent} has a question`;
    case "plan":
      return `${agent} proposes a plan`;
  }
}

export interface ChoiceWords {
  label: string;
  /** What it covers, as the agent writes it. */
  covers: string[];
  /** How long and where it holds. */
  scope: string;
}

/** A choice with its true scope: nothing is allowed that is not named here. */
export function choiceWords(choice: Choice): ChoiceWords {
  const { covers, scope } = choice;
  switch (choice.decision) {
    case "once":
      return { label: "Allow once", covers, scope: covers.length ? scope : "" };
    case "session":
      return { label: covers.length ? "Allow" : "Allow for this session", covers, scope };
    case "always":
      return { label: covers.length ? "Always allow" : "Always allow this", covers, scope };
    case "reject":
      return { label: "Reject", covers, scope };
  }
}

/** A choice as one sentence, for those who do not see it. */
export function choiceSentence(choice: Choice): string {
  const { label, covers } = choiceWords(choice);
  return [label, covers.join(", "), choice.scope].filter(Boolean).join(" ");
}

/** What was answered, as one who did not answer is told. */
export function answerWords(answer: Answer): string {
  switch (answer.kind) {
    case "approval":
      return { once: "allowed once", session: "allowed for this session", always: "always allowed", reject: "rejected" }[answer.decision];
    case "question": {
      const said = answer.answers.flat();
      return said.length ? said.join(", ") : "left open";
    }
    case "dismiss":
      return "skipped";
    case "plan":
      return { accept: "accepted", accept_in_new_thread: "built in a new thread", refine: "to be refined", dismiss: "dismissed" }[answer.decision];
  }
}

/** What to say of an answer that came too late; nothing when it was answered the same. */
export function lateWords(stands: RequestState | undefined, mine: Answer, agent: string): string | undefined {
  switch (stands?.state) {
    case "answering":
    case "checking":
    case "resolved":
      if (!stands.answer) return `Already answered in ${agent} itself.`;
      return sameAnswer(stands.answer, mine) ? undefined : `Already answered on another device: ${answerWords(stands.answer)}.`;
    case "withdrawn":
      return `Your answer was not delivered: ${stands.reason}.`;
    case "open":
    case undefined:
      return `Your answer was not delivered: ${agent} no longer waits for it.`;
  }
}

function sameAnswer(a: Answer, b: Answer): boolean {
  const said = (answer: Answer) => ("message" in answer ? (answer.message ?? "") : "");
  return a.kind === b.kind && said(a) === said(b) && answerWords(a) === answerWords(b);
}

/** Whether the title says more than the heading above and what is shown below it. */
export function titleAdds(approval: Approval): boolean {
  const title = approval.title.trim();
  if (title === "" || repeatsHeading(approval, title)) return false;
  return ![approval.command, approval.path, approval.url, approval.permission].some((shown) => shown?.trim() === title);
}

/** What the agent says it is for, apart from what else it says that is not shown already. */
export function splitDetails(approval: Approval): { purpose: string; details: [string, string][] } {
  const isPurpose = ([name]: [string, string]) => name === "description";
  const purpose = approval.details.find(isPurpose)?.[1] ?? "";
  const shown = new Set([approval.command, approval.path, approval.url].map((value) => value?.trim()));
  const details = approval.details.filter((detail) => {
    const value = detail[1].trim();
    if (isPurpose(detail) || value === "" || shown.has(value) || onlyNames(approval, detail)) return false;
    shown.add(value);
    return true;
  });
  const said = repeatsHeading(approval, purpose) || (titleAdds(approval) && purpose.trim() === approval.title.trim());
  return { purpose: said ? "" : purpose, details };
}

function repeatsHeading(approval: Approval, text: string): boolean {
  const said = text.trim().toLowerCase();
  return said !== "" && (asks[approval.what].endsWith(said) || said === commonTitles[approval.what]);
}

/** Titles that say what the heading says, in other words. */
const commonTitles: Partial<Record<ApprovalKind, string>> = {
  read: "read a file",
  loop: "go on although it repeats itself",
};

/** Details that only name again, as patterns, what the command or the path shows in full. */
const namings = new Set(["directories", "directory", "patterns", "pattern", "applies to"]);

function onlyNames(approval: Approval, [name, value]: [string, string]): boolean {
  if (!namings.has(name)) return false;
  const parts = listOf(value).map((part) => part.trim().replace(/\/(\*\*?)?$/, ""));
  return parts.every((part) => {
    if (part === "") return true;
    if (approval.command?.includes(part)) return true;
    const path = approval.path;
    return !!path && (path === part || path.startsWith(`${part}/`));
  });
}

/** The entries of a detail: a list in JSON, or one a line. */
function listOf(value: string): string[] {
  try {
    const list: unknown = JSON.parse(value);
    if (Array.isArray(list)) return list.map(String);
  } catch {
    // It is plain text.
  }
  return value.split("\n");
}

/** The answers of a form: the chosen options and own words of each question. */
export function answersOf(questions: readonly { multiple: boolean; custom: boolean }[], chosen: readonly (readonly string[])[], own: readonly string[]): string[][] {
  return questions.map((question, i) => {
    const words = question.custom ? (own[i] ?? "").trim() : "";
    if (!question.multiple) return words ? [words] : (chosen[i] ?? []).slice(0, 1);
    return [...(chosen[i] ?? []), ...(words ? [words] : [])];
  });
}
