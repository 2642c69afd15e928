// Commands and queries by HTTP. Every failure is a `Problem`, also when there was no answer.

import type {
  AddProject, AgentReport, Answer, AnswerTaken, Attachment, Bootstrap, ContinueRequest, CreateThread, DecideTrust, DeviceList, Diagnostics, Directories, Extras, FileMatches, ForkRequest, ModelList, PairingLink,
  Problem, Project, ProjectTrust, ProviderStatus, SearchPage, SendMessage, SessionCommand, SessionPage, SetProvider, Settings, SettingsPatch, TextWhole, Thread, ThreadList, ThreadPatch, Turn, TurnPatch, Window, WriteFile,
} from "../generated/wire";

/** A refusal of the server, or the absence of an answer (`offline`). */
export class ApiError extends Error {
  constructor(
    readonly problem: Problem,
    /** Nobody answered: the same command may be sent again. */
    readonly offline = false,
  ) {
    super(problem.detail ? `${problem.title} ${problem.detail}` : problem.title);
  }
}

/** What went wrong, in words for a person. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) return sentence(error.problem.title, error.problem.detail);
  return error instanceof Error ? error.message : String(error);
}

export function sentence(title: string, detail?: string): string {
  const first = title.charAt(0).toUpperCase() + title.slice(1);
  const end = /[.!?…]$/.test(first) ? "" : ".";
  if (!detail) return first + end;
  return `${first}${end} ${detail.charAt(0).toUpperCase()}${detail.slice(1)}`;
}

/** An address of the server, relative to the page, so that it also works below a path prefix. */
export function address(path: string): URL {
  return new URL(path, document.baseURI.split("#")[0]);
}

/** Longer than the server takes at most: it gives up first, and says so. */
const TIMEOUT_MS = 65_000;

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(address(`api/${path}`), {
      method,
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(method === "GET"
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) }),
    });
  } catch {
    throw new ApiError({ status: 0, code: "internal", title: "Baton does not answer", detail: "It is tried again when the connection is back." }, true);
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Uploads a file to go with a message. */
async function upload(file: File): Promise<Attachment> {
  let response: Response;
  try {
    response = await fetch(address(`api/attachments?name=${encodeURIComponent(file.name || "pasted")}`), {
      method: "POST",
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { "content-type": "application/octet-stream" },
      body: file,
    });
  } catch {
    throw new ApiError({ status: 0, code: "internal", title: "Baton does not answer", detail: "Attach it again when the connection is back." }, true);
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  return (await response.json()) as Attachment;
}

/** Whether the server still has a file; asking keeps it for another day. */
async function hasAttachment(id: string): Promise<boolean> {
  const response = await fetch(address(`api/attachments/${encodeURIComponent(id)}`), {
    method: "HEAD",
    credentials: "same-origin",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return response.status !== 404;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const problem = (await response.json()) as Problem;
    if (problem.code && problem.title) return problem;
  } catch {
    // Not one of Baton's: a proxy's, perhaps.
  }
  return { status: response.status, code: "internal", title: `The server answered ${response.status}` };
}

const e = encodeURIComponent;

export const api = {
  pair: (code: string) => call<void>("POST", "pair", { code }),
  devices: () => call<DeviceList>("GET", "devices"),
  revokeDevice: (id: string) => call<void>("DELETE", `devices/${e(id)}`),
  /** A new code, and the links to it: also by the address of this page, where others can open it. */
  pairingLink: () => call<PairingLink>("POST", `pair/new?from=${e(address("").href)}`),
  diagnostics: () => call<Diagnostics>("GET", "diagnostics"),
  changeSettings: (patch: SettingsPatch) => call<Settings>("PATCH", "settings", patch),
  bootstrap: () => call<Bootstrap>("GET", "bootstrap"),

  addProject: (project: AddProject) => call<Project>("POST", "projects", project),
  lookAtHeads: () => call<void>("POST", "projects/look"),
  removeProject: (id: string) => call<void>("DELETE", `projects/${e(id)}`),
  trust: (id: string) => call<ProjectTrust>("GET", `projects/${e(id)}/trust`),
  decideTrust: (id: string, decision: DecideTrust) => call<Project>("POST", `projects/${e(id)}/trust`, decision),
  extras: (project: string, provider: string) => call<Extras>("GET", `projects/${e(project)}/extras?provider=${e(provider)}`),
  files: (project: string, query: { q: string; thread?: string; limit: number }) =>
    call<FileMatches>("GET", `projects/${e(project)}/files?${new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)]))}`),
  directories: (path: string) => call<Directories>("GET", `directories?path=${e(path)}`),

  sessions: (project: string, query: { provider: string; search: string; offset: number; limit: number }) =>
    call<SessionPage>("GET", `projects/${e(project)}/sessions?${new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)]))}`),
  continueSession: (wanted: ContinueRequest) => call<Thread>("POST", "sessions/continue", wanted),
  fork: (thread: string, wanted: ForkRequest) => call<Thread>("POST", `threads/${e(thread)}/fork`, wanted),
  compact: (thread: string, id: string) => call<Turn>("POST", `threads/${e(thread)}/compact`, { id }),
  renewSession: (thread: string) => call<Thread>("POST", `threads/${e(thread)}/renew`),
  goBack: (thread: string, turn: string) => call<Thread>("POST", `threads/${e(thread)}/back`, { turn }),
  bringBack: (thread: string) => call<Thread>("DELETE", `threads/${e(thread)}/back`),
  sessionCommand: (thread: string) => call<SessionCommand>("GET", `threads/${e(thread)}/command`),

  search: (query: { q: string; project?: string; archived?: boolean; before?: number; limit?: number }) =>
    call<SearchPage>("GET", `search?${new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)]))}`),
  threads: (query: { archived?: boolean; project?: string; before?: number }) =>
    call<ThreadList>("GET", `threads?${new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)]))}`),
  createThread: (thread: CreateThread) => call<Thread>("POST", "threads", thread),
  patchThread: (id: string, patch: ThreadPatch) => call<Thread>("PATCH", `threads/${e(id)}`, patch),
  deleteThread: (id: string, session = false) => call<void>("DELETE", `threads/${e(id)}${session ? "?session=true" : ""}`),
  window: (id: string, before: number) => call<Window>("GET", `threads/${e(id)}/window?before=${before}`),

  send: (thread: string, message: SendMessage) => call<Turn>("POST", `threads/${e(thread)}/turns`, message),
  editTurn: (thread: string, turn: string, patch: TurnPatch) => call<Turn>("PATCH", `threads/${e(thread)}/turns/${e(turn)}`, patch),
  moveTurn: (thread: string, turn: string, before?: string) =>
    call<void>("POST", `threads/${e(thread)}/turns/${e(turn)}/move`, before === undefined ? {} : { before }),
  promoteTurn: (thread: string, turn: string) => call<void>("POST", `threads/${e(thread)}/turns/${e(turn)}/steer`),
  withdraw: (thread: string, turn: string) => call<void>("DELETE", `threads/${e(thread)}/turns/${e(turn)}`),
  stop: (thread: string) => call<void>("POST", `threads/${e(thread)}/stop`),
  release: (thread: string) => call<void>("POST", `threads/${e(thread)}/release`),
  answer: (thread: string, request: string, answer: Answer) =>
    call<AnswerTaken>("POST", `threads/${e(thread)}/requests/${e(request)}/answer`, { answer }),

  writeFile: (thread: string, file: WriteFile) => call<void>("POST", `threads/${e(thread)}/files`, file),
  upload,
  hasAttachment,

  itemBody: (thread: string, item: string) => call<TextWhole>("GET", `threads/${e(thread)}/items/${e(item)}/body`),
  turnText: (thread: string, turn: string) => call<TextWhole>("GET", `threads/${e(thread)}/turns/${e(turn)}/text`),

  setProvider: (id: string, settings: SetProvider) => call<ProviderStatus>("PATCH", `providers/${e(id)}`, settings),
  refreshProvider: (id: string) => call<ProviderStatus>("POST", `providers/${e(id)}/refresh`),
  restartProvider: (id: string, force: boolean) => call<ProviderStatus>("POST", `providers/${e(id)}/restart`, { force }),
  processes: (id: string) => call<AgentReport>("GET", `providers/${e(id)}/processes`),
  models: (id: string) => call<ModelList>("GET", `providers/${e(id)}/models`),
  warm: (id: string) => call<void>("POST", `providers/${e(id)}/warm`),
};

export type Api = typeof api;
