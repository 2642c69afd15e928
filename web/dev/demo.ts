// What the development server shows: a thread for every state the page can be in.

import type { AgentReport, Extras, Item, ItemContent, Model, NativeSession, Project, ProviderStatus, Request, Thread, Turn, Upstream } from "../src/generated/wire.ts";
import { approval, noUsage, thread, turn } from "../src/sync/samples.ts";

const MIN = 60_000;
const now = Date.now();

export const answer = `The header may be a **date** as well as a number of seconds; the first version parsed only numbers. I now handle both and cap the wait at two minutes:

\`\`\`rust
fn retry_after(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?;
    text.parse().map(Duration::from_secs).ok()
        .or_else(|| httpdate::parse_http_date(text).ok()?.duration_since(now).ok())
        .map(|wait| wait.min(MAX_WAIT)) // never longer
}
\`\`\`

What is left:

1. the whole suite, with \`--include-ignored\`
2. a soak against the local stub
   - [x] written
   - [ ] run

| file | lines | why |
|---|---:|---|
| \`src/upload.rs\` | 38 | retries |
| \`tests/upload.rs\` | 8 | covers them |

> A single 503 no longer fails an upload. See [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110).
`;

const diff = `--- a/src/upload.rs
+++ b/src/upload.rs
@@ -126,6 +126,12 @@ impl Uploader {
     pub async fn send(&self, part: Part) -> Result<()> {
         let mut tries = 0;
         loop {
-            return self.send_once(&part).await;
+            match self.send_once(&part).await {
+                Err(e) if e.is_transient() && tries < self.max => {
+                    self.clock.sleep(backoff(tries, e.retry_after())).await;
+                    tries += 1;
+                }
+                other => return other,
+            }
         }
     }
`;

export function threadOf(over: Partial<Thread>): Thread {
  return thread({ project_id: "prj_harbor", workspace: "/home/you/harbor", model: { model: "anthropic/claude-sonnet", option: "high" }, ...over });
}

export function turnOf(of: Thread, over: Partial<Turn>): Turn {
  return turn({ thread_id: of.id, model: of.model, access: of.access, mode: of.mode, ...over });
}

export const models: Model[] = [
  ["anthropic/claude-sonnet", "Claude Sonnet", "Anthropic", 3, 15, 200_000, ["low", "medium", "high"], true],
  ["anthropic/claude-haiku", "Claude Haiku", "Anthropic", 0.8, 4, 200_000, [], false],
  ["kilo/anthropic/claude-opus", "Claude Opus", "Kilo Gateway", 15, 75, 200_000, ["low", "high"], false],
  ["kilo/moonshot/kimi", "Kimi", "Kilo Gateway", 0.6, 2.5, 262_000, [], false],
  ["kilo/z-ai/glm-air:free", "GLM Air (free)", "Kilo Gateway", 0, 0, 131_000, [], false],
  ["openai/gpt", "GPT", "OpenAI", 1.25, 10, 400_000, ["minimal", "low", "medium", "high"], false],
].map(([id, name, group, input, output, context, options, first]) => ({
  id: id as string, name: name as string, group: group as string, options: options as string[],
  abilities: { tools: true, reasoning: true, images: true, pdf: false },
  cost: { input: input as number, output: output as number }, context: context as number,
  free: input === 0, custom: false, default: first as boolean,
}));

const base: Omit<ProviderStatus, "id" | "name" | "state" | "message" | "fix" | "version" | "binary" | "models"> = {
  checking: false, running: true, checked_at: now - 2 * MIN, problems: [], limits: [],
  capabilities: { plan: true, steer: true, live_access: true, restart: true, attach: true },
  settings: { enabled: true, binary: null, custom_models: [], server: null },
};

export function world(empty: boolean) {
  const projects: Project[] = [
    { id: "prj_harbor", name: "harbor", path: "/home/you/harbor", created_at: 1, trust: "undecided", fingerprint: null },
    { id: "prj_notes", name: "field-notes", path: "/home/you/field-notes", created_at: 1, trust: "undecided", fingerprint: "startup" },
  ];
  const providers: ProviderStatus[] = [
    empty
      ? { ...base, id: "kilo", name: "Kilo", state: "not_installed", message: "No program named kilo was found on this machine.", fix: "npm install -g @kilocode/cli", version: null, binary: null, models: 0, running: false }
      : { ...base, id: "kilo", name: "Kilo", state: "ready", message: "Ready to work.", fix: null, version: "7.7.7", binary: "/usr/local/bin/kilo", models: models.length },
    { ...base, id: "codex", name: "Codex", state: "signed_out", message: "Codex is installed, but nobody is signed in.", fix: "codex login", version: "0.20.0", binary: "/usr/local/bin/codex", models: 0, running: false },
  ];
  return { projects: empty ? [] : projects, providers, conversations: empty ? [] : conversations() };
}

function conversations() {
  return [troubled(), away(), retry(), question(), plan(), failed(), queued(), held(), long(), idle("thr_flaky", "Explain flaky login test", { unread: true, active_at: now - 12 * MIN }), idle("thr_bump", "Bump dependencies", { active_at: now - 130 * MIN }), idle("thr_dark", "Dark theme contrast pass", { project_id: "prj_notes", active_at: now - 26 * 60 * MIN, pinned: true })];
}

function conversation(of: Thread) {
  let position = 0;
  const c = { thread: of, turns: [] as Turn[], items: [] as Item[], requests: [] as Request[] };
  const put = (content: ItemContent, over: Partial<Item> = {}): Item => {
    position += 1;
    const item: Item = { id: `itm_${of.id}_${position}`, turn_id: c.turns.at(-1)!.id, parent: null, position, status: "done", content, started_at: now - 5 * MIN, ended_at: now - 5 * MIN, ...over };
    c.items.push(item);
    return item;
  };
  const begin = (text: string, over: Partial<Turn> = {}) => {
    const ordinal = c.turns.length + 1;
    const made = turnOf(of, { id: `trn_${of.id}_${ordinal}`, ordinal, input: { kind: "message", text: { head: text } }, created_at: now - 6 * MIN, started_at: now - 6 * MIN, ...over });
    c.turns.push(made);
    return made;
  };
  return { c, put, begin };
}

const took = (ms: number): Partial<Item> => ({ started_at: now - 5 * MIN, ended_at: now - 5 * MIN + ms });

function retry() {
  const { c, put, begin } = conversation(threadOf({ id: "thr_retry", title: "Retry uploads with backoff", status: "needs_you", open_requests: 2, queued: 1, active_at: now, context: { used: 76_000, limit: 200_000 }, usage: { ...noUsage, input: 40_000, output: 6_000, cache_read: 30_000, cost: 0.41 } }));
  begin("Uploads fail for good on a single 503. Retry with exponential backoff and jitter, honour `Retry-After`, and cover it with tests. See `@src/upload.rs`.");
  put({ kind: "reasoning" }, { body: { head: "where the client is built, and whether tests can control time\n\nThe uploader holds a clock already." }, ...took(6200) });
  for (const path of ["src/upload.rs", "src/client.rs", "src/clock.rs", "tests/upload.rs", "Cargo.toml"]) put({ kind: "read", path }, { body: { head: "fn main() {}" } });
  put({ kind: "search", query: "Retry-After", path: null, matches: 3 }, { body: { head: "src/upload.rs:12\nsrc/client.rs:88" } });
  put({ kind: "todo_list", todos: [{ text: "Read the uploader", status: "completed" }, { text: "Retry with backoff and jitter", status: "completed" }, { text: "Run the whole suite", status: "in_progress" }, { text: "Write the changelog", status: "pending" }] });
  put({ kind: "file_change", path: "src/upload.rs", change: "edited", additions: 38, deletions: 9 }, { body: { head: diff } });
  put({ kind: "command", command: "cargo test upload::", description: "Run the upload tests", cwd: null, exit_code: 101 }, { status: "failed", body: { head: "\u001b[1mtest\u001b[0m upload::honours_retry_after ... \u001b[31mFAILED\u001b[0m\n  left: 1s\n right: 120s   src/upload.rs:141" }, ...took(8200) });
  const agent = put({ kind: "sub_agent", agent: "explore", task: "looking for other callers of send_once", session: "ses_1", steps: 2, usage: { input: 8200, output: 410, reasoning: 0, cache_read: 0, cache_write: 0, cost: 0.02 }, waiting: false, phase: null }, { status: "running", ended_at: null, started_at: Date.now() - 14_000 });
  put({ kind: "search", query: "send_once", path: "src", matches: 4 }, { parent: agent.id });
  put({ kind: "read", path: "src/batch.rs" }, { parent: agent.id });
  put({ kind: "command", command: "rg -n 'send_once' --stats", description: null, cwd: null, exit_code: 0 }, { parent: agent.id, body: { head: "4 matches" } });
  put({ kind: "agent_message" }, { status: "running", ended_at: null, body: { head: `${answer}\nRunning the whole suite next, then a soak against the local stub` } });
  c.requests.push(
    { ...approval("req_1", 1), thread_id: c.thread.id, turn_id: c.turns[0]!.id, from: "explore", body: { ...(approval("x").body as object), command: "cargo test --workspace -- --include-ignored", details: [] } as never },
    { ...approval("req_2", 2), thread_id: c.thread.id, turn_id: c.turns[0]!.id, body: { kind: "approval", what: "edit", permission: "edit", title: "Edit src/upload.rs", command: null, diff, path: "src/upload.rs", url: null, details: [], choices: [{ decision: "once", covers: [], scope: "" }, { decision: "session", covers: ["src/*"], scope: "until this session ends" }, { decision: "always", covers: ["src/*"], scope: "in this project until Kilo is started anew, and in Kilo itself everywhere and for good: it is written to Kilo's own configuration" }, { decision: "reject", covers: [], scope: "and all else it asks now; the turn ends, unless you say why" }] } },
  );
  begin("then update CHANGELOG.md and open a PR", { state: "queued", started_at: null });
  return c;
}

function question() {
  const { c, put, begin } = conversation(threadOf({ id: "thr_auth", title: "Which auth flow for the CLI?", status: "needs_you", open_requests: 1, active_at: now - 4 * MIN, project_id: "prj_notes" }));
  begin("Add sign-in to the CLI.");
  put({ kind: "agent_message" }, { body: { head: "Before I begin I need two decisions." } });
  c.requests.push({
    ...approval("req_q", 1), thread_id: c.thread.id, turn_id: c.turns[0]!.id,
    body: {
      kind: "question",
      questions: [
        { header: "Flow", text: "Which flow should the CLI use?", options: [{ label: "Device code", description: "Works over SSH; the user types a short code." }, { label: "Loopback redirect", description: "Quicker, needs a browser on the same machine." }], multiple: false, custom: true, secret: false },
        { header: "Storage", text: "Where may tokens be kept?", options: [{ label: "Keyring", description: "The system's secret store." }, { label: "File", description: "0600 in the config directory." }], multiple: true, custom: false, secret: false },
      ],
    },
    state: { state: "open", problem: "The agent did not answer within 10 s" },
  });
  return c;
}

function plan() {
  const { c, put, begin } = conversation(threadOf({ id: "thr_plan", title: "Plan the migration to SQLite", status: "needs_you", open_requests: 1, active_at: now - 9 * MIN, mode: "plan" }));
  begin("Plan how to move from flat files to SQLite.", { mode: "plan" });
  put({ kind: "agent_message" }, { body: { head: "Here is what I would do." } });
  c.requests.push({ ...approval("req_p", 1), thread_id: c.thread.id, turn_id: c.turns[0]!.id, body: { kind: "plan", built_in: null, path: ".kilo/plans/sqlite.md", markdown: "# Move to SQLite\n\n1. Add the schema and a writer thread\n2. Read old files once, write rows\n3. Keep the files for one release\n\n## Risks\n\n- A crash between 2 and 3: the import is **repeatable**.\n\n```sql\nCREATE TABLE thread (id TEXT PRIMARY KEY, title TEXT NOT NULL);\n```" } });
  return c;
}

function failed() {
  const { c, put, begin } = conversation(threadOf({ id: "thr_index", title: "Index attachments in FTS", status: "failed", project_id: "prj_notes", workspace: "/home/you/.baton/worktrees/search", active_at: now - 65 * MIN }));
  begin("Index attachments in the full-text search.", { state: "failed", ended_at: now - 5.5 * MIN, error: { code: "rate_limited", message: "429 Too Many Requests: your organisation has exceeded its token rate", hint: "Wait a minute, or choose another model.", retryable: true }, usage: { ...noUsage, input: 1200, output: 80 } });
  put({ kind: "tool", name: "codebase_map", title: null, input: '{"depth":2,"path":"src"}' }, { body: { head: "src/\n  index.rs", omitted: 42_000, tail: "  last.rs" } });
  put({ kind: "mcp_call", server: "github", tool: "list_issues", input: '{"state":"open"}' }, { status: "declined" });
  put({ kind: "web", target: "https://www.sqlite.org/fts5.html" }, { body: { head: "FTS5 is an SQLite virtual table module…" }, ...took(1800) });
  put({ kind: "compaction", automatic: true }, { body: { head: "The user wants attachments indexed." } });
  put({ kind: "notice", level: "warning" }, { body: { head: "The session was resumed; what the agent did while Baton was down is shown as far as it is known." } });
  put({ kind: "agent_message" }, { body: { head: "I found the place where rows are written." } });
  return c;
}

function queued() {
  const { c, put, begin } = conversation(threadOf({ id: "thr_port", title: "Port the scheduler to tokio", status: "working", active_at: now - MIN }));
  begin("Port the scheduler to tokio.", { phase: { kind: "retrying", attempt: 2, next_at: now + 3_600_000, message: "The model is overloaded" } });
  put({ kind: "command", command: "cargo build --workspace --all-targets", description: null, cwd: "crates/scheduler", exit_code: null }, { status: "running", ended_at: null, started_at: now - 9000, body: { head: "   Compiling mio v1.0.3\n   Compiling tokio v1.47.0\n" } });
  return c;
}

/** What goes wrong with an agent's process and its sessions. */
function troubled() {
  const { c, put, begin } = conversation(threadOf({ id: "thr_trouble", title: "A day on which much went wrong", session: "ses_gone", session_gone: true, project_id: "prj_notes", active_at: now - 2 * MIN }));
  const failed = (error: NonNullable<Turn["error"]>) => ({ state: "failed" as const, ended_at: now - 5.5 * MIN, error });
  begin("Look through the notes", failed({ code: "agent_died", message: "Kilo no longer answered and was ended", hint: "send the message again; Kilo is started anew", retryable: true }));
  put({ kind: "agent_message" }, { body: { head: "I began with the first of them" } });
  put({ kind: "notice", level: "warning" }, { body: { head: "Kilo took more than 4 GiB of memory and was started anew between two messages." } });
  begin("Go on", failed({ code: "silent", message: "the model said nothing for ten minutes", hint: "try again, or choose another model", retryable: true }));
  put({ kind: "notice", level: "info" }, { body: { head: "Nothing was heard from the model for a minute. It is waited for until ten are over." } });
  begin("And the rest?", failed({ code: "session_lost", message: "Kilo has no session ses_gone any more", hint: "in a new session Kilo knows nothing of what was said here", retryable: false }));
  begin("Then anew", { state: "completed", ended_at: now - 4 * MIN });
  put({ kind: "notice", level: "warning" }, { body: { head: "The earlier session was deleted, so this is a new one: Kilo knows nothing of what was said before." } });
  put({ kind: "error", code: "provider_error", message: "the upstream is overloaded", retryable: true }, { body: { head: "HTTP 529\nupstream: overloaded" } });
  put({ kind: "agent_message" }, { body: { head: "I am new here." } });
  return c;
}

/** A conversation that went back to before its second message. */
function away() {
  const { c, put, begin } = conversation(threadOf({ id: "thr_away", title: "Name the parts", session: "ses_1", active_at: now - 3 * MIN }));
  begin("Name the first part", { state: "completed", ended_at: now - 5 * MIN, prompt_key: "msg_1" });
  put({ kind: "agent_message" }, { body: { head: "It is the **store**." } });
  const second = begin("And the second?", { state: "completed", ended_at: now - 4 * MIN, prompt_key: "msg_2" });
  put({ kind: "read", path: "src/engine.rs" });
  put({ kind: "agent_message" }, { body: { head: answer } });
  c.thread.back = { turn: second.id, key: "msg_2", turns: { first: 2, last: 2 } } as Thread["back"];
  return c;
}

function held() {
  const { c, put, begin } = conversation(threadOf({ id: "thr_held", title: "Tidy the release notes", queue_held: true, queued: 1, unread: true, provider: "codex", active_at: now - 20 * MIN }));
  begin(`Tidy these notes:\n${Array.from({ length: 30 }, (_, i) => `- line ${i + 1}`).join("\n")}`, { state: "completed", ended_at: now - 21 * MIN });
  const columns = Array.from({ length: 12 }, (_, i) => `configuration_value_${i + 1}`);
  put({ kind: "agent_message" }, { body: { head: `| ${columns.join(" | ")} |\n|${columns.map(() => "---|").join("")}\n| ${columns.map((_, i) => `the value of ${i + 1}`).join(" | ")} |\n\n${Array.from({ length: 16 }, (_, i) => `${">".repeat(i + 1)} Quoted ${i + 1} deep, and still wide enough to be read\n${">".repeat(i + 1)}\n`).join("")}` } });
  put({ kind: "question", title: "Which version?" } as ItemContent, { status: "declined" });
  put({ kind: "command", command: "rm -r notes", description: null, cwd: null, exit_code: null }, { status: "declined" });
  begin("and publish them", { state: "queued", started_at: null });
  return c;
}

function long() {
  const { c, put, begin } = conversation(threadOf({ id: "thr_long", title: "A long story of many turns and a title that does not fit", active_at: now - 3 * 60 * MIN }));
  for (let i = 1; i <= 80; i++) {
    begin(`Step ${i}: tell me about part ${i}.`, { state: "completed", ended_at: now - 5 * MIN, usage: { ...noUsage, input: 900, output: 120, cost: 0.002 } });
    put({ kind: "read", path: `src/part_${i}.rs` });
    put({ kind: "agent_message" }, { body: { head: i % 7 ? `Part ${i} is simple. It has **${i}** lines.` : answer } });
  }
  return c;
}

function idle(id: string, title: string, over: Partial<Thread>) {
  const { c, put, begin } = conversation(threadOf({ id, title, ...over }));
  begin(title, { state: "completed", ended_at: now - 4 * MIN, usage: { ...noUsage, input: 8000, output: 700, cost: 0.03 } });
  put({ kind: "agent_message" }, { body: { head: answer } });
  return c;
}

export const upstreams: Upstream[] = [
  { id: "kilo", name: "Kilo Gateway", state: "connected", models: 3, left_out: 2, message: "used without an account", fix: "kilo auth login -p kilo" },
  { id: "anthropic", name: "Anthropic", state: "stale", models: 2, left_out: 0, message: "its live list could not be read, so that the one Kilo came with is shown; check the connection, then check again", fix: null },
  { id: "groq", name: "Groq", state: "signed_out", models: 0, left_out: 0, message: "nobody is signed in", fix: "kilo auth login -p groq" },
  { id: "gorq", name: "gorq", state: "unknown", models: 0, left_out: 0, message: "Kilo does not know it; correct its name, or set it up in Kilo's configuration", fix: null },
];

export const report: AgentReport = {
  processes: [
    { pid: 4711, url: "http://127.0.0.1:41234", version: "7.7.7", since: now - 40 * MIN, trusted: true, answering: true, memory_bytes: 612_000_000, cpu_percent: 4, sessions: 3, turns: 1, directories: 2 },
    { pid: 4712, url: "http://127.0.0.1:41234", version: "7.7.7", since: now - 12 * MIN, trusted: false, answering: false, memory_bytes: 980_000_000, cpu_percent: 100, sessions: 1, turns: 1, directories: 1 },
  ],
  ends: [
    { at: now - 50 * MIN, trusted: true, pid: 4600, why: "not_answering", said: null, turns: 2 },
    { at: now - 200 * MIN, trusted: false, pid: 4200, why: "died", said: "fatal error: out of memory\n    at allocate (native)", turns: 0 },
    { at: now - 26 * 60 * MIN, trusted: true, pid: 4100, why: "memory", said: null, turns: 0 },
  ],
  starts: 4,
};

export const extras: Extras = {
  commands: [
    { name: "changelog", description: "Writes the changelog of what was committed since the last tag", source: "command", hint: "<version>", takes_arguments: true },
    { name: "init", description: "guided AGENTS.md setup", source: "command", hint: null, takes_arguments: true },
    { name: "issues:triage", description: "Sorts the open issues by what they need next", source: "mcp", hint: null, takes_arguments: false },
    { name: "release/notes/for-the-people-who-read-them", description: "", source: "command", hint: null, takes_arguments: false },
    { name: "review", description: "review changes [uncommitted|staged|unpushed|branch|commit|pr]", source: "command", hint: null, takes_arguments: true },
    { name: "rust-errors", description: "How errors are written in this code base, with many examples of how they should not be", source: "skill", hint: null, takes_arguments: true },
  ],
  servers: [
    { name: "docs", state: "connected" },
    { name: "github", state: "needs_sign_in", command: "cd /home/you/harbor && kilo mcp auth github" },
    { name: "issues", state: "failed", message: "ENOENT: no such file or directory, posix_spawn '/opt/issues/bin/a-program-with-a-long-name'" },
    { name: "notes", state: "disabled" },
    { name: "search", state: "other", word: "warming_up" },
  ],
};

export const sessions: NativeSession[] = ["Port the parser", "Why does the login test fail on the second try, and only on machines with two processors?", ""].map((title, i) => ({
  id: `ses_${i}`, title, model: i ? "anthropic/claude-sonnet" : null, tokens: i * 12_000, cost: i * 0.21, created_at: now - i * 90 * MIN, updated_at: now - i * 70 * MIN, busy: i === 1, thread: i === 0 ? "thr_bump" : null,
}));

export const startup = {
  acts: [
    { kind: "command" as const, name: "issues", detail: "npx -y issues-mcp --token {env:ISSUES_TOKEN}", file: "kilo.json", outside: false },
    { kind: "code" as const, name: "notify", detail: "plugin", file: ".kilo/plugin/notify.ts", outside: true },
    { kind: "permission" as const, name: "all agents", detail: "bash git *, edit", file: "kilo.json", outside: false },
  ],
  problems: [],
  fingerprint: "startup",
};
