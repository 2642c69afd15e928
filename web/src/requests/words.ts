// Requests in words: who asks for what, and what each choice means.

import type { Approval, ApprovalKind, Choice, Request } from "../generated/wire";

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
      return { label: "Reject", covers, scope: covers.length ? scope : "" };
  }
}

/** A choice as one sentence, for those who do not see it. */
export function choiceSentence(choice: Choice): string {
  const { label, covers } = choiceWords(choice);
  return [label, covers.join(", "), choice.scope].filter(Boolean).join(" ");
}

/** Whether the title says more than the heading above and what is shown below it. */
export function titleAdds(approval: Approval): boolean {
  const title = approval.title.trim();
  if (title === "" || asks[approval.what].endsWith(title.toLowerCase())) return false;
  return ![approval.command, approval.path, approval.url, approval.permission].some((shown) => shown?.trim() === title);
}

/** What the agent says it is for, apart from everything else it says about it. */
export function splitDetails(approval: Approval): { purpose: string; details: [string, string][] } {
  const isPurpose = ([name]: [string, string]) => name === "description";
  return {
    purpose: approval.details.find(isPurpose)?.[1] ?? "",
    details: approval.details.filter((detail) => !isPurpose(detail)),
  };
}

/** The answers of a form: the chosen options and own words of each question. */
export function answersOf(questions: readonly { multiple: boolean; custom: boolean }[], chosen: readonly (readonly string[])[], own: readonly string[]): string[][] {
  return questions.map((question, i) => {
    const words = question.custom ? (own[i] ?? "").trim() : "";
    if (!question.multiple) return words ? [words] : (chosen[i] ?? []).slice(0, 1);
    return [...(chosen[i] ?? []), ...(words ? [words] : [])];
  });
}
