// Generated from the Rust types by `cargo xtask types`; a test fails when it is stale.

/**
 * How much the agent may do unasked.
 */
export type Access = "supervised" | "auto-edit" | "full";

/**
 * `POST /api/projects`: a directory to work in.
 */
export type AddProject = { 
/**
 * An absolute path, or one that begins with `~/`.
 */
path: string, 
/**
 * A name of one's own; else the directory's.
 */
name?: string, 
/**
 * Whether a directory that holds far more than a project, such as home or `/`, is meant.
 */
broad?: boolean, };

/**
 * A slash command of an agent.
 */
export type AgentCommand = { 
/**
 * Its name, without the slash; may hold slashes and colons.
 */
name: string, 
/**
 * What it does; empty when nobody wrote that down.
 */
description: string, 
/**
 * Where it comes from.
 */
source: CommandSource, 
/**
 * What is to be typed after its name, when the agent says so in words.
 */
hint: string | null, 
/**
 * Whether it makes use of what is typed after its name.
 */
takes_arguments: boolean, };

/**
 * How an agent process ended, or did not start.
 */
export type AgentEnd = { 
/**
 * When.
 */
at: number, 
/**
 * Whether it served the trusted projects; otherwise the others.
 */
trusted: boolean, 
/**
 * Its process id, if it got that far.
 */
pid: number | null, 
/**
 * Why.
 */
why: AgentEndReason, 
/**
 * The last it wrote, or what is known besides.
 */
said: string | null, 
/**
 * Turns that ran on it and ended with it.
 */
turns: number, };

/**
 * Why an agent process ended.
 */
export type AgentEndReason = "switched_off" | "baton_ended" | "settings_changed" | "unused" | "restarted" | "not_answering" | "memory" | "processor" | "died" | "not_started";

/**
 * An agent process that runs.
 */
export type AgentProcess = { 
/**
 * Whether it serves the trusted projects; otherwise the others.
 */
trusted: boolean, 
/**
 * Its process id; `None` for one that Baton did not start.
 */
pid: number | null, 
/**
 * Where it listens.
 */
url: string, 
/**
 * The version it told.
 */
version: string, 
/**
 * When it was ready, or connected to.
 */
since: number, 
/**
 * Whether it answered when it was last asked.
 */
answering: boolean, 
/**
 * The resident memory of it and all it started, in bytes, at the last sample.
 */
memory_bytes: number | null, 
/**
 * The processor time of it and all it started between the last two samples, in percent of one
 * processor.
 */
cpu_percent: number | null, 
/**
 * Sessions that are open on it.
 */
sessions: number, 
/**
 * Turns that run on it.
 */
turns: number, 
/**
 * Directories in which it keeps something running.
 */
directories: number, };

/**
 * A provider's agent processes, for whoever has to find out what is wrong.
 */
export type AgentReport = { 
/**
 * Those that run.
 */
processes: Array<AgentProcess>, 
/**
 * Those that ended or did not start since Baton did, the latest first; a bounded number.
 */
ends: Array<AgentEnd>, 
/**
 * How many were started since Baton was, the running ones included.
 */
starts: number, };

/**
 * What a person answers.
 */
export type Answer = { "kind": "approval", 
/**
 * The decision.
 */
decision: Decision, 
/**
 * What to tell the agent with a rejection.
 */
message: string | null, } | { "kind": "question", 
/**
 * One list of answers for each question.
 */
answers: Array<Array<string>>, } | { "kind": "dismiss" } | { "kind": "plan", 
/**
 * The decision.
 */
decision: PlanDecision, 
/**
 * What to change, when refining.
 */
message: string | null, };

/**
 * `POST /api/threads/{id}/requests/{request}/answer`.
 */
export type AnswerRequest = { 
/**
 * The answer.
 */
answer: Answer, };

/**
 * What `POST /api/threads/{id}/requests/{request}/answer` gives: the answer is on its way.
 */
export type AnswerTaken = { 
/**
 * The thread that builds the plan, when it was accepted in a new one.
 */
built_in: ThreadId | null, };

/**
 * A question whether something may be done.
 */
export type Approval = { 
/**
 * What kind of act it is.
 */
what: ApprovalKind, 
/**
 * The agent's own name for the permission, e.g. `bash`.
 */
permission: string, 
/**
 * What is asked, as a short line.
 */
title: string, 
/**
 * The whole command, when it is one.
 */
command: string | null, 
/**
 * The unified diff, when it is an edit.
 */
diff: string | null, 
/**
 * The path, when it is about one.
 */
path: string | null, 
/**
 * The address, when it is about one.
 */
url: string | null, 
/**
 * Whatever else the agent says about it, as `name: value` pairs.
 */
details: Array<[string, string]>, 
/**
 * What can be answered, in the order to offer it.
 */
choices: Array<Choice>, };

/**
 * What kind of act an approval is about.
 */
export type ApprovalKind = "command" | "edit" | "read" | "outside_workspace" | "web" | "sub_agent" | "mcp" | "loop" | "other";

/**
 * A file that goes with a message.
 */
export type Attachment = { 
/**
 * Its id, made of what is in it.
 */
id: AttachmentId, 
/**
 * What the person calls it; no path.
 */
name: string, 
/**
 * What it is, found by looking into it.
 */
kind: AttachmentKind, 
/**
 * How large it is, in bytes.
 */
bytes: number, };

/**
 * The id of a file that goes with messages, made of what is in it.
 */
export type AttachmentId = string;

/**
 * What a file is.
 */
export type AttachmentKind = "png" | "jpeg" | "gif" | "webp" | "pdf" | "text";

/**
 * A file that was uploaded with `POST /api/attachments`.
 */
export type AttachmentName = { 
/**
 * The file.
 */
id: AttachmentId, 
/**
 * What it is called in this message.
 */
name: string, };

/**
 * A conversation that goes back to before a message. Files stay as they are.
 */
export type Back = { 
/**
 * The turn whose message it is.
 */
turn: TurnId, 
/**
 * The provider's name for the message.
 */
key: string, 
/**
 * The turns that are put away, this one the first of them.
 */
turns: Span, };

/**
 * `POST /api/threads/{id}/back`: the wish that the conversation goes back to before a message.
 */
export type BackRequest = { 
/**
 * The turn of the message.
 */
turn: TurnId, };

/**
 * A text as it travels: whole when it is short, else its beginning and its end.
 *
 * The whole of a shortened body is fetched on demand. Its length in units is
 * `head + omitted + tail`; a piece that continues a shortened body goes to the end of `tail`.
 */
export type Body = { 
/**
 * The beginning, or everything when `omitted` is 0.
 */
head: string, 
/**
 * How many UTF-16 units between `head` and `tail` are left out.
 */
omitted?: number, 
/**
 * The end, when something is left out.
 */
tail?: string, };

/**
 * `GET /api/bootstrap`: who serves, for the page's start.
 */
export type Bootstrap = { 
/**
 * Baton's version.
 */
version: string, 
/**
 * The name of this run of the server; cursors of another run are not continued.
 */
epoch: string, 
/**
 * The machine's name.
 */
host: string, 
/**
 * The home directory, where path completion begins.
 */
home: string, };

/**
 * One change of a thread: what is stored, sent and rendered.
 */
export type Change = { "change": "thread", 
/**
 * The row.
 */
thread: Thread, } | { "change": "turn", 
/**
 * The turn.
 */
turn: Turn, } | { "change": "item", 
/**
 * The item.
 */
item: Item, } | { "change": "item_removed", 
/**
 * Which.
 */
id: ItemId, } | { "change": "text", 
/**
 * Which item.
 */
item: ItemId, 
/**
 * Where the piece begins, in UTF-16 units.
 */
at: number, 
/**
 * The piece.
 */
text: string, } | { "change": "request", 
/**
 * The request.
 */
request: Request, };

/**
 * An answer that can be given to an approval.
 */
export type Choice = { 
/**
 * The decision it stands for.
 */
decision: Decision, 
/**
 * What it covers, e.g. the patterns allowed from now on; empty when just this once.
 */
covers: Array<string>, 
/**
 * For how long and where it holds, in a phrase.
 */
scope: string, };

/**
 * What a client says.
 */
export type ClientMessage = { "type": "subscribe", 
/**
 * The last change the client has.
 */
cursor?: Cursor, } & ({ "topic": "shell" } | { "topic": "thread", 
/**
 * Which.
 */
id: ThreadId, }) | { "type": "unsubscribe", } & ({ "topic": "shell" } | { "topic": "thread", 
/**
 * Which.
 */
id: ThreadId, }) | { "type": "ping" };

/**
 * Where a slash command comes from.
 */
export type CommandSource = "command" | "skill" | "mcp";

/**
 * `POST /api/threads/{id}/compact`: the wish that the agent shortens its context. The same id
 * again gives the same turn.
 */
export type CompactRequest = { 
/**
 * The turn's id, chosen by the client (UUIDv7).
 */
id: TurnId, };

/**
 * How full the model's context is.
 */
export type Context = { 
/**
 * Tokens in the context after the last step.
 */
used: number, 
/**
 * Tokens that fit, when known.
 */
limit: number | null, };

/**
 * `POST /api/sessions/continue`: a thread that goes on with a session. The same session again
 * gives the same thread.
 */
export type ContinueRequest = { 
/**
 * The thread's id, chosen by the client (UUIDv7); a thread that has the session already wins.
 */
id: ThreadId, 
/**
 * The project to work in.
 */
project_id: ProjectId, 
/**
 * The provider whose session it is.
 */
provider: ProviderId, 
/**
 * The provider's own id of the session.
 */
session: string, 
/**
 * How much the agent may do unasked.
 */
access: Access, 
/**
 * Whether to go on although somebody works in it.
 */
anyway?: boolean, };

/**
 * `POST /api/threads`: a new thread. Repeating it with the same id gives the same thread.
 */
export type CreateThread = { 
/**
 * The id, chosen by the client (UUIDv7).
 */
id: ThreadId, 
/**
 * The project to work in.
 */
project_id: ProjectId, 
/**
 * The provider that drives it.
 */
provider: ProviderId, 
/**
 * What it runs on.
 */
model?: ModelSelection, 
/**
 * How much the agent may do unasked.
 */
access: Access, 
/**
 * What its turns are for.
 */
mode: Mode, 
/**
 * A title; else the first message gives one.
 */
title?: string, };

/**
 * How far a client has followed a topic.
 */
export type Cursor = { 
/**
 * The run of the server that counted.
 */
epoch: string, 
/**
 * The number of the last change.
 */
seq: number, };

/**
 * `POST /api/projects/{id}/trust`: whether a project's own configuration is in force.
 */
export type DecideTrust = { 
/**
 * Whether it is.
 */
trusted: boolean, 
/**
 * What was shown; to be named in order to trust it.
 */
fingerprint?: string, };

/**
 * A decision on an approval.
 */
export type Decision = "once" | "session" | "always" | "reject";

/**
 * How a message reaches the agent.
 */
export type Delivery = "queue" | "steer";

/**
 * A browser that was paired.
 */
export type Device = { 
/**
 * Its id, to revoke it with.
 */
id: string, 
/**
 * What it said it is.
 */
name: string, 
/**
 * When it was paired.
 */
created_at: number, 
/**
 * When it was last used, give or take some minutes over a restart of the server; `None` when
 * it has not been since this is noted.
 */
used_at: number | null, 
/**
 * Whether it is the one that asks.
 */
current: boolean, };

/**
 * `GET /api/devices`: the browsers that were paired.
 */
export type DeviceList = { 
/**
 * The devices, last paired first.
 */
devices: Array<Device>, };

/**
 * `GET /api/diagnostics`: what to look at, and to send along, when something is wrong.
 */
export type Diagnostics = { 
/**
 * Baton's version.
 */
version: string, 
/**
 * The name of this run of the server.
 */
epoch: string, 
/**
 * The server's process id.
 */
pid: number, 
/**
 * The operating system and processor.
 */
system: string, 
/**
 * How long the server has been running, in seconds.
 */
uptime_seconds: number, 
/**
 * Where everything is stored.
 */
data_dir: string, 
/**
 * The server's own memory in bytes, without agent processes, when the system tells it.
 */
memory_bytes: number | null, 
/**
 * Sockets that are open now.
 */
sockets: number, 
/**
 * Every provider.
 */
providers: Array<ProviderStatus>, 
/**
 * The processes of each.
 */
processes: Array<ProviderProcesses>, 
/**
 * What went wrong since the server started, last first; at most 100 lines, without what may
 * be a secret.
 */
recent: Array<LoggedLine>, };

/**
 * `GET /api/directories?path=`: directories that continue a path.
 */
export type Directories = { 
/**
 * The directory that was listed.
 */
base: string, 
/**
 * At most 100, by name.
 */
entries: Array<DirectoryEntry>, };

/**
 * A directory that continues a path.
 */
export type DirectoryEntry = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its absolute path.
 */
path: string, 
/**
 * Whether it is the root of a git checkout.
 */
git: boolean, };

/**
 * The kinds of failure a turn can end in.
 */
export type ErrorCode = "unauthorized" | "payment" | "rate_limited" | "model_unavailable" | "context_overflow" | "content_filtered" | "provider_error" | "network" | "rejected" | "not_accepted" | "agent_unavailable" | "agent_died" | "silent" | "session_lost" | "session_busy" | "session_taken" | "internal";

/**
 * What an agent has in a directory besides itself.
 */
export type Extras = { 
/**
 * The slash commands, by name.
 */
commands: Array<AgentCommand>, 
/**
 * The MCP servers, by name.
 */
servers: Array<McpServer>, };

/**
 * What happened to a file.
 */
export type FileChangeKind = "created" | "edited" | "deleted";

/**
 * A file or directory of a workspace.
 */
export type FileMatch = { 
/**
 * Its path below the workspace, with `/` between the parts; a directory's ends with one.
 */
path: string, 
/**
 * Where the typed characters stand in it, in UTF-16 units.
 */
at: Array<number>, };

/**
 * `GET /api/projects/{id}/files`: the files that a few typed letters may mean.
 */
export type FileMatches = { 
/**
 * The best, best first.
 */
files: Array<FileMatch>, 
/**
 * How many fit.
 */
total: number, 
/**
 * Whether the directory has more files than are held, so that some are not found.
 */
cut: boolean, 
/**
 * Whether the directory is being looked through for the first time and has to be asked for
 * again in a moment.
 */
indexing: boolean, };

/**
 * `POST /api/threads/{id}/fork`: a thread of what was said up to and with a turn. The same id
 * again gives the same thread.
 */
export type ForkRequest = { 
/**
 * The new thread's id, chosen by the client (UUIDv7).
 */
id: ThreadId, 
/**
 * The last turn that the new thread has.
 */
turn: TurnId, };

/**
 * What is checked out in a directory under git.
 */
export type Head = { "kind": "branch", 
/**
 * Its short name, e.g. `main`.
 */
name: string, } | { "kind": "detached", 
/**
 * The first twelve digits of its hash.
 */
commit: string, };

/**
 * `GET /api/health`: whether the server answers; the only thing told without a credential.
 */
export type Health = { 
/**
 * Always true.
 */
ok: boolean, };

/**
 * What kind of act a turn begins with.
 */
export type InputKind = "message" | "compact";

/**
 * One entry in a turn.
 *
 * Every item has at most one long text, its `body`; what it is depends on the content: the prose
 * of a message, the output of a command, the diff of a file change.
 */
export type Item = { 
/**
 * The item's id.
 */
id: ItemId, 
/**
 * The turn it belongs to.
 */
turn_id: TurnId, 
/**
 * The sub-agent item it happened in.
 */
parent: ItemId | null, 
/**
 * Its place in the thread; ascending, with gaps.
 */
position: number, 
/**
 * Where it stands.
 */
status: ItemStatus, 
/**
 * What it is.
 */
content: ItemContent, 
/**
 * Its long text.
 */
body?: Body, 
/**
 * Why it failed or was declined, in the agent's words.
 */
error?: string, 
/**
 * When it began: when it was first seen, or when the last that was asked about it was allowed.
 */
started_at: number, 
/**
 * When it was done.
 */
ended_at: number | null, };

/**
 * What an item is. The comment of each variant says what the item's `body` holds.
 */
export type ItemContent = { "kind": "user_message" } | { "kind": "agent_message" } | { "kind": "reasoning" } | { "kind": "command", 
/**
 * The whole command line.
 */
command: string, 
/**
 * What the agent says it is for.
 */
description: string | null, 
/**
 * Where it ran, when not in the workspace.
 */
cwd: string | null, 
/**
 * Its exit code, once it ended by itself.
 */
exit_code: number | null, } | { "kind": "file_change", 
/**
 * The path, relative to the workspace where it lies inside.
 */
path: string, 
/**
 * What happened to it.
 */
change: FileChangeKind, 
/**
 * Lines added.
 */
additions: number, 
/**
 * Lines removed.
 */
deletions: number, } | { "kind": "read", 
/**
 * The path, relative to the workspace where it lies inside.
 */
path: string, } | { "kind": "search", 
/**
 * The pattern or question.
 */
query: string, 
/**
 * Where it searched, when not everywhere.
 */
path: string | null, 
/**
 * Number of matches, when the agent says it.
 */
matches: number | null, } | { "kind": "web", 
/**
 * The address or the query.
 */
target: string, } | { "kind": "mcp_call", 
/**
 * The server's name.
 */
server: string, 
/**
 * The tool's name.
 */
tool: string, 
/**
 * What it was given, as JSON text, shortened when very long.
 */
input: string, } | { "kind": "sub_agent", 
/**
 * The kind of sub-agent.
 */
agent: string, 
/**
 * Its task in short.
 */
task: string, 
/**
 * Its own native session.
 */
session: string | null, 
/**
 * Steps of its model that are done.
 */
steps: number, 
/**
 * What it used so far, without the sub-agents it started; it is part of the turn's usage.
 */
usage: Usage, 
/**
 * Whether it, or a sub-agent below it, waits for a person.
 */
waiting: boolean, 
/**
 * What keeps it from going on, when something does.
 */
phase: Phase | null, } | { "kind": "todo_list", 
/**
 * The entries in order.
 */
todos: Array<Todo>, } | { "kind": "plan", 
/**
 * The file the agent wrote it to.
 */
path: string | null, } | { "kind": "question", 
/**
 * What was asked, in short.
 */
title: string, } | { "kind": "compaction", 
/**
 * Whether the agent did it by itself.
 */
automatic: boolean, } | { "kind": "notice", 
/**
 * How much it matters.
 */
level: NoticeLevel, } | { "kind": "error", 
/**
 * What kind of failure it is.
 */
code: ErrorCode, 
/**
 * What happened.
 */
message: string, 
/**
 * Whether trying again may help.
 */
retryable: boolean, } | { "kind": "tool", 
/**
 * The tool's name.
 */
name: string, 
/**
 * What it is doing, when the agent says it.
 */
title: string | null, 
/**
 * What it was given, as JSON text, shortened when very long.
 */
input: string, };

/**
 * An item's id, derived from its thread and the agent's own name for it.
 */
export type ItemId = string;

/**
 * Where an item stands.
 */
export type ItemStatus = "running" | "waiting" | "done" | "failed" | "declined" | "not_run";

/**
 * How bad something is that was logged.
 */
export type LogLevel = "warn" | "error";

/**
 * A line of the log.
 */
export type LoggedLine = { 
/**
 * When it was written, the last time of several.
 */
at: number, 
/**
 * How bad it is.
 */
level: LogLevel, 
/**
 * What it says, with its facts as `name=value`.
 */
text: string, 
/**
 * How often it came in a row.
 */
times: number, };

/**
 * What is thought of a model.
 */
export type MarkedModel = { 
/**
 * The model: its provider, a space, its id.
 */
model: string, 
/**
 * What is thought of it; `None` for nothing.
 */
mark: ModelMark | null, };

/**
 * An MCP server, which gives an agent more tools.
 */
export type McpServer = { 
/**
 * What the configuration calls it.
 */
name: string, } & ({ "state": "connected" } | { "state": "disabled" } | { "state": "failed", 
/**
 * Why, in the agent's words; may be empty.
 */
message: string, } | { "state": "needs_sign_in", 
/**
 * The command for a terminal that does it.
 */
command: string, } | { "state": "other", 
/**
 * The agent's word for it.
 */
word: string, });

/**
 * What a turn is for.
 */
export type Mode = "build" | "plan";

/**
 * A model that a provider offers.
 */
export type Model = { 
/**
 * Its id within the provider.
 */
id: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * The upstream it comes from, to group by.
 */
group: string, 
/**
 * Options to choose from, e.g. reasoning variants; empty when there are none.
 */
options: Array<string>, 
/**
 * What it can take and do.
 */
abilities: ModelAbilities, 
/**
 * What it costs, when known.
 */
cost: ModelCost | null, 
/**
 * Tokens that fit its context, when known.
 */
context: number | null, 
/**
 * Whether it costs nothing.
 */
free: boolean, 
/**
 * Whether a person added it by hand.
 */
custom: boolean, 
/**
 * Whether the provider would choose it.
 */
default: boolean, 
/**
 * Why it is not known to work, in a sentence; only of one that a person added.
 */
unverified?: string, };

/**
 * What a model can take and do.
 */
export type ModelAbilities = { 
/**
 * It can call tools.
 */
tools: boolean, 
/**
 * It reasons.
 */
reasoning: boolean, 
/**
 * It takes images.
 */
images: boolean, 
/**
 * It takes PDF files.
 */
pdf: boolean, };

/**
 * What a model costs, in US dollars per million tokens.
 */
export type ModelCost = { 
/**
 * For what it reads.
 */
input: number, 
/**
 * For what it writes.
 */
output: number, };

/**
 * `GET /api/providers/{id}/models`.
 */
export type ModelList = { 
/**
 * The models that can be chosen.
 */
models: Array<Model>, 
/**
 * Whether this is the last good list because a newer one could not be had.
 */
stale: boolean, 
/**
 * Why there is no newer list, in a sentence.
 */
problem?: string, 
/**
 * Where the models come from, or could; what cannot be used says why.
 */
upstreams: Array<Upstream>, };

/**
 * What can be thought of a model.
 */
export type ModelMark = "favourite" | "hidden";

/**
 * What a turn runs on.
 */
export type ModelSelection = { 
/**
 * The model's id as its provider names it; for Kilo `providerID/modelID`, to be split at the
 * first slash only.
 */
model: string, 
/**
 * The chosen option, e.g. a reasoning variant; `None` for the model's default.
 */
option: string | null, };

/**
 * Models by what a person thinks of them. A model is named by its provider, a space and its id:
 * `kilo anthropic/claude-sonnet-4`.
 */
export type ModelTaste = { 
/**
 * The favourites, in the order they became it; at most 100.
 */
favourites: Array<string>, 
/**
 * Those that were chosen, the last one first; at most 12.
 */
recent: Array<string>, 
/**
 * Those that are left out of lists; at most 1000.
 */
hidden: Array<string>, };

/**
 * `POST /api/threads/{id}/turns/{turn}/move`: another place in the queue.
 */
export type MoveTurn = { 
/**
 * The waiting turn it comes before; absent for the last place.
 */
before?: TurnId, };

/**
 * A conversation that the agent has, in a project's directory.
 */
export type NativeSession = { 
/**
 * The provider's own id of it.
 */
id: string, 
/**
 * What the agent calls it; empty when it has no name yet.
 */
title: string, 
/**
 * The model it ran on last.
 */
model: string | null, 
/**
 * All tokens used in it so far.
 */
tokens: number, 
/**
 * What they cost, in US dollars as the agent reckons it.
 */
cost: number, 
/**
 * When it was begun.
 */
created_at: number, 
/**
 * When something last happened in it.
 */
updated_at: number, 
/**
 * Whether the agent works in it now, as far as Baton can know.
 */
busy: boolean, 
/**
 * The thread that goes on with it, if there is one.
 */
thread: ThreadId | null, };

/**
 * How much a notice matters.
 */
export type NoticeLevel = "info" | "warning";

/**
 * `POST /api/pair`: a one-time code for a cookie.
 */
export type PairRequest = { 
/**
 * The code from the link's fragment.
 */
code: string, };

/**
 * A link by which another device reaches the server.
 */
export type PairingAddress = { 
/**
 * The link.
 */
url: string, 
/**
 * Its QR code, row by row, `1` for dark; without the quiet zone of four around it.
 */
qr: Array<string>, };

/**
 * `POST /api/pair/new`: a new one-time code, to pair another device with.
 */
export type PairingLink = { 
/**
 * The code, as it may be typed by hand.
 */
code: string, 
/**
 * The link that carries it, for the address this server was started with.
 */
url: string, 
/**
 * The links that carry it from other devices; none when no address is known by which one
 * reaches the server.
 */
addresses: Array<PairingAddress>, 
/**
 * Whether the server listens on its own machine alone.
 */
only_here: boolean, 
/**
 * When the code expires.
 */
expires_at: number, };

/**
 * What a running turn is doing, when it is more than working.
 */
export type Phase = { "kind": "starting_agent" } | { "kind": "opening_session" } | { "kind": "sending" } | { "kind": "steering" } | { "kind": "retrying", 
/**
 * Which try comes next, from 1.
 */
attempt: number, 
/**
 * When it comes.
 */
next_at: number | null, 
/**
 * The provider's own words.
 */
message: string, } | { "kind": "waiting_for_network", 
/**
 * The agent's own words.
 */
message: string, } | { "kind": "silent", 
/**
 * When it was last heard of.
 */
since: number, } | { "kind": "compacting" } | { "kind": "reconnecting" };

/**
 * A decision on a plan.
 */
export type PlanDecision = "accept" | "accept_in_new_thread" | "refine" | "dismiss";

/**
 * A refusal or failure. Clients decide on `code`; people read `title` and `detail`.
 */
export type Problem = { 
/**
 * The HTTP status.
 */
status: number, 
/**
 * The stable code.
 */
code: ProblemCode, 
/**
 * What happened, in a sentence.
 */
title: string, 
/**
 * What to do about it, or more facts.
 */
detail?: string, 
/**
 * Where the request stands that an answer came too late for (`request_closed`,
 * `already_answering`).
 */
stands?: RequestState, };

/**
 * The stable codes of problems.
 */
export type ProblemCode = "unauthorized" | "bad_pairing_code" | "forbidden_origin" | "bad_request" | "unsupported_media_type" | "too_large" | "method_not_allowed" | "too_many_tries" | "timed_out" | "not_found" | "unknown_project" | "unknown_thread" | "unknown_turn" | "unknown_item" | "unknown_device" | "unknown_provider" | "unknown_model" | "not_a_directory" | "path_outside" | "file_exists" | "not_written" | "broad_directory" | "trust_changed" | "untrustworthy" | "directory_silent" | "project_busy" | "provider_busy" | "empty_message" | "message_too_long" | "too_many_attachments" | "attachment_too_large" | "attachment_unsupported" | "unknown_attachment" | "model_cannot_read" | "no_model" | "thread_archived" | "queue_full" | "not_queued" | "request_closed" | "already_answering" | "wrong_answer" | "bad_title" | "id_taken" | "session_lost" | "session_busy" | "session_taken" | "not_a_message" | "no_session" | "messages_wait" | "never_sent" | "taken_back" | "went_back" | "too_often_back" | "turn_runs" | "not_offered" | "agent_refused" | "provider_unavailable" | "steer_unsupported" | "busy" | "too_many" | "storage_failed" | "shutting_down" | "internal";

/**
 * A directory on this machine that threads work in.
 */
export type Project = { 
/**
 * The project's id.
 */
id: ProjectId, 
/**
 * What people call it; at first the directory's name.
 */
name: string, 
/**
 * The absolute path with symbolic links resolved.
 */
path: string, 
/**
 * When it was added.
 */
created_at: number, 
/**
 * Whether its own configuration is in force.
 */
trust: Trust, 
/**
 * What its configuration would start or loosen, as it stood at the last look; `None` when it
 * would do nothing of the kind. A decision holds for this and nothing else.
 */
fingerprint: string | null, };

/**
 * What is checked out in a project's directory, as it was seen last. It is looked at again when one
 * of the project's turns has ended and when a person comes back to the page; it is not stored.
 */
export type ProjectHead = { 
/**
 * The project.
 */
project: ProjectId, 
/**
 * What it is; `None` without git, or when the directory does not answer.
 */
head: Head | null, };

/**
 * A project's id.
 */
export type ProjectId = string;

/**
 * `GET /api/projects`.
 */
export type ProjectList = { 
/**
 * Every project, by name.
 */
projects: Array<Project>, };

/**
 * `GET /api/projects/{id}/trust`: what a project's own configuration would do.
 */
export type ProjectTrust = { 
/**
 * The project, with what was decided.
 */
project: Project, 
/**
 * What its configuration would start or loosen, read now.
 */
startup: Startup, };

/**
 * What a provider can do beyond the core; interfaces ask for these, never for its name.
 */
export type ProviderCapabilities = { 
/**
 * It has a plan mode.
 */
plan: boolean, 
/**
 * A message can be put into a running turn.
 */
steer: boolean, 
/**
 * Access can be changed while a turn runs.
 */
live_access: boolean, 
/**
 * Its agent process can be started anew.
 */
restart: boolean, 
/**
 * A server that runs already can be used instead of one of Baton's own.
 */
attach: boolean, };

/**
 * The name of a provider, e.g. `kilo`: lower-case letters, digits and hyphens, at most 32.
 */
export type ProviderId = string;

/**
 * `GET /api/providers`.
 */
export type ProviderList = { 
/**
 * Every provider Baton knows.
 */
providers: Array<ProviderStatus>, };

/**
 * Something that is wrong with a provider although it can be used.
 */
export type ProviderProblem = { 
/**
 * What kind of thing.
 */
kind: ProviderProblemKind, 
/**
 * It in a sentence, with what to do.
 */
message: string, };

/**
 * What is wrong with a provider that can be used.
 */
export type ProviderProblemKind = "configuration" | "not_answering" | "memory" | "processor" | "unknown_events";

/**
 * The processes of a provider, in [`Diagnostics`].
 */
export type ProviderProcesses = { 
/**
 * The provider.
 */
id: ProviderId, 
/**
 * Its processes.
 */
report: AgentReport, };

/**
 * What a person sets for a provider.
 */
export type ProviderSettings = { 
/**
 * Whether it is used at all.
 */
enabled: boolean, 
/**
 * The program to run; `None` to look for it.
 */
binary: string | null, 
/**
 * Models offered although the provider does not list them.
 */
custom_models: Array<string>, 
/**
 * A server that runs already, to be used instead of one of Baton's own: its URL, or what the
 * provider calls the one it knows of itself. Its password is no setting and is never told.
 */
server: string | null, };

/**
 * Whether a provider can be used.
 */
export type ProviderState = "unknown" | "disabled" | "not_installed" | "wrong_program" | "too_old" | "broken" | "signed_out" | "ready";

/**
 * Everything known about a provider at the last look.
 */
export type ProviderStatus = { 
/**
 * The provider.
 */
id: ProviderId, 
/**
 * What people call it.
 */
name: string, 
/**
 * Whether it can be used.
 */
state: ProviderState, 
/**
 * The state in a sentence.
 */
message: string, 
/**
 * The command that mends the state, to be run in a terminal.
 */
fix: string | null, 
/**
 * What is wrong although it can be used; a bounded number.
 */
problems: Array<ProviderProblem>, 
/**
 * How much of what the account allows is used; empty when that is not known. A bounded number.
 */
limits: Array<UsageLimit>, 
/**
 * The program's version.
 */
version: string | null, 
/**
 * The program found.
 */
binary: string | null, 
/**
 * Number of models that can be used now.
 */
models: number, 
/**
 * Whether a check is under way.
 */
checking: boolean, 
/**
 * Whether its agent process runs.
 */
running: boolean, 
/**
 * When it was last looked at; `None` when never.
 */
checked_at: number | null, 
/**
 * What it can do beyond the core.
 */
capabilities: ProviderCapabilities, 
/**
 * Its settings.
 */
settings: ProviderSettings, };

/**
 * A question to the person.
 */
export type Question = { 
/**
 * A word or two to name it.
 */
header: string, 
/**
 * The question.
 */
text: string, 
/**
 * Answers to choose from.
 */
options: Array<QuestionOption>, 
/**
 * Whether several may be chosen.
 */
multiple: boolean, 
/**
 * Whether an answer of one's own may be written.
 */
custom: boolean, 
/**
 * Whether the answer is nobody else's to see: it is forgotten once the agent has it.
 */
secret: boolean, };

/**
 * An answer to choose.
 */
export type QuestionOption = { 
/**
 * The answer itself, which is what is sent.
 */
label: string, 
/**
 * What it means.
 */
description: string, };

/**
 * Something the agent waits for.
 */
export type Request = { 
/**
 * The request's id.
 */
id: RequestId, 
/**
 * The thread it belongs to.
 */
thread_id: ThreadId, 
/**
 * The turn that waits, and closes it when it ends.
 */
turn_id: TurnId, 
/**
 * The item it is about, when the agent says so.
 */
item_id: ItemId | null, 
/**
 * The provider's own name for it.
 */
key: string, 
/**
 * The sub-agent that asks; `None` for the thread's own agent.
 */
from: string | null, 
/**
 * What is asked.
 */
body: RequestBody, 
/**
 * Where it stands.
 */
state: RequestState, 
/**
 * When it was asked.
 */
created_at: number, 
/**
 * When it was closed.
 */
closed_at: number | null, };

/**
 * What is asked.
 */
export type RequestBody = { "kind": "approval" } & Approval | { "kind": "question", 
/**
 * The questions in order.
 */
questions: Array<Question>, } | { "kind": "plan", 
/**
 * The plan.
 */
markdown: string, 
/**
 * The file it was written to.
 */
path: string | null, 
/**
 * The thread that builds it, once it was accepted there. The agent here may still wait.
 */
built_in: ThreadId | null, };

/**
 * A request's id, derived from its thread and the agent's own name for it.
 */
export type RequestId = string;

/**
 * Where a request stands.
 */
export type RequestState = { "state": "open", 
/**
 * Why the last answer did not reach the agent, if there was one.
 */
problem: string | null, } | { "state": "checking", 
/**
 * What a person answered meanwhile: it is given once the agent is known to wait.
 */
answer: Answer | null, } | { "state": "answering", 
/**
 * The answer.
 */
answer: Answer, } | { "state": "resolved", 
/**
 * The answer, unless it was given elsewhere.
 */
answer: Answer | null, } | { "state": "withdrawn", 
/**
 * Why, in a phrase.
 */
reason: string, };

/**
 * `POST /api/providers/{id}/restart`.
 */
export type RestartProvider = { 
/**
 * Whether turns that run may end with it.
 */
force?: boolean, };

/**
 * A message that was found.
 */
export type SearchHit = { 
/**
 * The thread it is in.
 */
thread_id: ThreadId, 
/**
 * The project of the thread.
 */
project_id: ProjectId, 
/**
 * The thread's title.
 */
title: string, 
/**
 * Whether the thread is archived.
 */
archived: boolean, 
/**
 * The turn it is in.
 */
turn: TurnId, 
/**
 * The item it is; the message that began the turn when it is none.
 */
item: ItemId | null, 
/**
 * When it was said.
 */
at: number, 
/**
 * A part of it, in one line.
 */
pieces: Array<SearchPiece>, };

/**
 * `GET /api/search`: messages that have the words that were asked for.
 */
export type SearchPage = { 
/**
 * The messages, what was said last first.
 */
hits: Array<SearchHit>, 
/**
 * Where the next page begins, as `before`, when there may be more.
 */
before: number | null, 
/**
 * Whether all that is stored was looked at; after an update, what is old is read in for a
 * while and not found before.
 */
whole: boolean, };

/**
 * A piece of a text.
 */
export type SearchPiece = { 
/**
 * The piece.
 */
text: string, 
/**
 * Whether it is what was asked for.
 */
hit: boolean, };

/**
 * `POST /api/threads/{id}/turns`: a message. Repeating it with the same id gives the same turn.
 */
export type SendMessage = { 
/**
 * The turn's id, chosen by the client (UUIDv7).
 */
id: TurnId, 
/**
 * The message.
 */
text: string, 
/**
 * The files that go with it, which were uploaded before.
 */
attachments?: Array<AttachmentName>, 
/**
 * How it reaches the agent.
 */
delivery: Delivery, 
/**
 * What to run on, from now on.
 */
model?: ModelSelection, 
/**
 * How much the agent may do unasked, from now on.
 */
access?: Access, 
/**
 * What the turn is for, and those after it.
 */
mode?: Mode, };

/**
 * What the server says.
 */
export type ServerMessage = { "type": "welcome", 
/**
 * Baton's version; a page of another one reloads itself.
 */
version: string, 
/**
 * The name of this run of the server.
 */
epoch: string, } | { "type": "ok", 
/**
 * The topic.
 */
topic: Topic, 
/**
 * Where it stands.
 */
cursor: Cursor, } | { "type": "shell_gap", 
/**
 * Where the snapshot stands.
 */
cursor: Cursor, 
/**
 * The snapshot.
 */
snapshot: ShellSnapshot, } | { "type": "thread_gap", 
/**
 * The thread.
 */
id: ThreadId, 
/**
 * Where the snapshot stands.
 */
cursor: Cursor, 
/**
 * The newest part of the conversation.
 */
snapshot: Window, } | { "type": "shell_changes", 
/**
 * Where it stands after them.
 */
cursor: Cursor, 
/**
 * The changes.
 */
changes: Array<ShellChange>, } | { "type": "thread_changes", 
/**
 * The thread.
 */
id: ThreadId, 
/**
 * Where it stands after them.
 */
cursor: Cursor, 
/**
 * The changes.
 */
changes: Array<Change>, } | { "type": "gone", 
/**
 * The topic.
 */
topic: Topic, 
/**
 * Why.
 */
problem: Problem, } | { "type": "refused", 
/**
 * Why.
 */
problem: Problem, } | { "type": "pong" };

/**
 * `GET /api/threads/{id}/command`: how to open a thread's session elsewhere.
 */
export type SessionCommand = { 
/**
 * The command for a terminal; none while the thread has no session.
 */
command: string | null, };

/**
 * `GET /api/projects/{id}/sessions`: the conversations that the agent has in a project.
 */
export type SessionPage = { 
/**
 * The sessions, last used first.
 */
sessions: Array<NativeSession>, 
/**
 * Whether there are more.
 */
more: boolean, };

/**
 * `PATCH /api/providers/{id}`: settings; what is absent stays, an empty `binary` means "look".
 */
export type SetProvider = { 
/**
 * Whether it is used at all.
 */
enabled?: boolean, 
/**
 * The program to run.
 */
binary?: string, 
/**
 * Models offered although the provider does not list them.
 */
custom_models?: Array<string>, 
/**
 * A server that runs already, by its URL or the provider's word for it; empty for one of
 * Baton's own.
 */
server?: string, 
/**
 * Its password; stored, and never told again.
 */
server_password?: string, };

/**
 * What a person set for all of their devices.
 */
export type Settings = { 
/**
 * How often they were changed: of two, the one with more is the newer.
 */
revision: number, 
/**
 * The keys that were changed, by action; an empty list is no key. What an action or a key is
 * called is the page's affair.
 */
keys: { [key in string]: Array<string> }, 
/**
 * What Enter does with a message while the agent works.
 */
enter: Delivery, 
/**
 * What is thought of models.
 */
models: ModelTaste, };

/**
 * A change of the settings; what is absent stays.
 */
export type SettingsPatch = { 
/**
 * Keys by action; `null` for those it came with.
 */
keys?: { [key in string]: Array<string> | null }, 
/**
 * What Enter does with a message while the agent works.
 */
enter?: Delivery, 
/**
 * What is now thought of models; of two about the same one, the later counts.
 */
marks?: Array<MarkedModel>, 
/**
 * Models that were chosen, the last one last.
 */
used?: Array<string>, };

/**
 * One change of the shell.
 */
export type ShellChange = { "change": "project", 
/**
 * The project.
 */
project: Project, } | { "change": "project_removed", 
/**
 * Which.
 */
id: ProjectId, } | { "change": "head", 
/**
 * What.
 */
head: ProjectHead, } | { "change": "thread", 
/**
 * Its row.
 */
thread: Thread, } | { "change": "thread_removed", 
/**
 * Which.
 */
id: ThreadId, } | { "change": "provider", 
/**
 * Its status.
 */
status: ProviderStatus, } | { "change": "settings", 
/**
 * All of them.
 */
settings: Settings, } | { "change": "storage", 
/**
 * Why it cannot, in a sentence.
 */
problem: string | null, } | { "change": "models_changed", 
/**
 * The provider.
 */
provider: ProviderId, };

/**
 * All rows of the sidebar at one moment.
 */
export type ShellSnapshot = { 
/**
 * Every project, by name.
 */
projects: Array<Project>, 
/**
 * What is checked out in them, where that is known by now.
 */
heads: Array<ProjectHead>, 
/**
 * Threads that are not archived: all that are pinned or at work and the last active of the
 * rest, at most 500.
 */
threads: Array<Thread>, 
/**
 * Whether older threads are left out.
 */
more_threads: boolean, 
/**
 * Every provider.
 */
providers: Array<ProviderStatus>, 
/**
 * What holds on all devices.
 */
settings: Settings, 
/**
 * Why Baton cannot write to its disk, in a sentence, while it cannot. Until it can again, what
 * people send is refused; what they stop is stopped.
 */
storage?: string, };

/**
 * Turns from one ordinal to another, both included.
 */
export type Span = { 
/**
 * The first one's ordinal.
 */
first: number, 
/**
 * The last one's ordinal.
 */
last: number, };

/**
 * What a directory's own configuration would start or loosen.
 */
export type Startup = { 
/**
 * Each act, in the order of the files.
 */
acts: Array<StartupAct>, 
/**
 * What could not be looked at; while there is any, the configuration cannot be trusted.
 */
problems: Array<StartupProblem>, 
/**
 * What all of it amounts to; `None` when there is nothing.
 */
fingerprint: string | null, };

/**
 * One thing a directory's own configuration would start or loosen.
 */
export type StartupAct = { 
/**
 * What kind of act it is.
 */
kind: StartupKind, 
/**
 * What the configuration calls it.
 */
name: string, 
/**
 * The command line, address or rule.
 */
detail: string, 
/**
 * The file that says so, relative to the directory if it is below it.
 */
file: string, 
/**
 * Whether that file really lies outside of the project, behind a symbolic link.
 */
outside: boolean, };

/**
 * What kind of act a configuration would do.
 */
export type StartupKind = "command" | "code" | "packages" | "helper" | "prompt" | "remote" | "models" | "permission";

/**
 * A file that could not be looked at.
 */
export type StartupProblem = { 
/**
 * The file.
 */
file: string, 
/**
 * Why not, in a sentence.
 */
message: string, };

/**
 * The whole of a text that is shortened elsewhere.
 *
 * `GET /api/threads/{id}/items/{item}/body` and `GET /api/threads/{id}/turns/{turn}/text`.
 */
export type TextWhole = { 
/**
 * The text.
 */
text: string, };

/**
 * One conversation with one provider in one workspace; the row the sidebar shows.
 */
export type Thread = { 
/**
 * The thread's id.
 */
id: ThreadId, 
/**
 * The project it works in.
 */
project_id: ProjectId, 
/**
 * What people call it.
 */
title: string, 
/**
 * Whether a person chose the title; then the agent's own titles no longer replace it.
 */
titled_by_person: boolean, 
/**
 * The provider that drives it; fixed for life.
 */
provider: ProviderId, 
/**
 * What the next turn runs on; `None` until one is chosen.
 */
model: ModelSelection | null, 
/**
 * How much the agent may do unasked from the next tool on.
 */
access: Access, 
/**
 * What the next turn is for.
 */
mode: Mode, 
/**
 * The absolute directory the agent works in.
 */
workspace: string, 
/**
 * The provider's own id of the conversation, what resume uses; opaque to all but the provider.
 */
session: string | null, 
/**
 * What the thread is doing, derived from its turns and requests.
 */
status: ThreadStatus, 
/**
 * Open requests.
 */
open_requests: number, 
/**
 * Accepted messages that wait for their turn.
 */
queued: number, 
/**
 * Whether the queue waits for a person, because a turn was stopped or failed before it.
 */
queue_held: boolean, 
/**
 * Whether a message was accepted after the running turn was told to stop, so that its end
 * does not hold the queue.
 */
sent_since_stop?: boolean, 
/**
 * A person chose to go on in a new session, which knows nothing of what was said; the thread
 * says so once it has one.
 */
renewed?: boolean, 
/**
 * The agent no longer has the session: only a new one lets the thread go on.
 */
session_gone?: boolean, 
/**
 * Where the conversation goes back to with the next message; until then it can be undone.
 */
back?: Back, 
/**
 * The turns that were taken back for good, in order and apart from each other: the agent does
 * not have them any more.
 */
taken_back?: Array<Span>, 
/**
 * Whether a turn ended that nobody has looked at.
 */
unread: boolean, 
/**
 * Whether it is kept at the top.
 */
pinned: boolean, 
/**
 * Whether it is put away; an archived thread accepts no messages.
 */
archived: boolean, 
/**
 * Tokens and money of all turns so far.
 */
usage: Usage, 
/**
 * How full the model's context was after the last step.
 */
context: Context | null, 
/**
 * When it was made.
 */
created_at: number, 
/**
 * When a message was last accepted or a turn last ended.
 */
active_at: number, 
/**
 * The number of the last change, counted by the thread's one writer.
 */
seq: number, };

/**
 * A thread's id. The client may choose it, so that a repeated create gives the same answer.
 */
export type ThreadId = string;

/**
 * `GET /api/threads`: threads that are not in the shell's snapshot, e.g. archived ones.
 */
export type ThreadList = { 
/**
 * The threads, last active first.
 */
threads: Array<Thread>, 
/**
 * Whether there are more.
 */
more: boolean, };

/**
 * Changes of a person to a thread; what is absent stays.
 */
export type ThreadPatch = { 
/**
 * A title of one's own.
 */
title?: string, 
/**
 * What the next turn runs on.
 */
model?: ModelSelection, 
/**
 * How much the agent may do unasked, from its next tool on.
 */
access?: Access, 
/**
 * What the next turn is for.
 */
mode?: Mode, 
/**
 * Whether it is kept at the top.
 */
pinned?: boolean, 
/**
 * Whether it is put away; this also stops what runs.
 */
archived?: boolean, 
/**
 * Whether its end was not looked at yet.
 */
unread?: boolean, };

/**
 * What a thread is doing.
 */
export type ThreadStatus = "idle" | "working" | "needs_you" | "failed";

/**
 * An entry of a todo list.
 */
export type Todo = { 
/**
 * What is to be done.
 */
text: string, 
/**
 * Where it stands.
 */
status: TodoStatus, };

/**
 * Where an entry of a todo list stands.
 */
export type TodoStatus = "pending" | "in_progress" | "completed" | "cancelled";

/**
 * What can be followed.
 */
export type Topic = { "topic": "shell" } | { "topic": "thread", 
/**
 * Which.
 */
id: ThreadId, };

/**
 * What a person decided about a project's own configuration.
 */
export type Trust = "undecided" | "trusted" | "untrusted";

/**
 * One accepted message and all the work it caused.
 */
export type Turn = { 
/**
 * The turn's id.
 */
id: TurnId, 
/**
 * The thread it belongs to.
 */
thread_id: ThreadId, 
/**
 * Its place in the thread, from 1. It changes only while the turn waits in the queue.
 */
ordinal: number, 
/**
 * What was asked.
 */
input: TurnInput, 
/**
 * Where it was asked.
 */
origin: TurnOrigin, 
/**
 * How the message reaches the agent.
 */
delivery: Delivery, 
/**
 * What it runs on.
 */
model: ModelSelection | null, 
/**
 * How much the agent could do unasked when it was sent.
 */
access: Access, 
/**
 * What it is for.
 */
mode: Mode, 
/**
 * Where it stands.
 */
state: TurnState, 
/**
 * What it is doing, while it is not terminal.
 */
phase: Phase | null, 
/**
 * Whether a person asked it to stop and the agent has not confirmed yet.
 */
stopping: boolean, 
/**
 * Why it failed.
 */
error: TurnError | null, 
/**
 * Whether it was stopped or failed before the agent was known to have taken the message.
 */
untaken?: boolean, 
/**
 * The provider's name for the message, written before the message is sent; with it an
 * unsure sending is looked up instead of repeated.
 */
prompt_key: string | null, 
/**
 * Tokens and money so far.
 */
usage: Usage, 
/**
 * When it was accepted.
 */
created_at: number, 
/**
 * When the agent began.
 */
started_at: number | null, 
/**
 * When it reached its terminal state.
 */
ended_at: number | null, };

/**
 * Why a turn failed.
 */
export type TurnError = { 
/**
 * What kind of failure it is.
 */
code: ErrorCode, 
/**
 * What happened, in a sentence; for a provider's errors its own words.
 */
message: string, 
/**
 * What to do about it, when that is known.
 */
hint: string | null, 
/**
 * Whether the same message may succeed when sent again.
 */
retryable: boolean, };

/**
 * A turn's id. The client may choose it, so that a repeated send gives the same answer.
 */
export type TurnId = string;

/**
 * What a person asked for in a turn.
 */
export type TurnInput = { 
/**
 * What kind of act it is.
 */
kind: InputKind, 
/**
 * The message; its whole is fetched on demand when it is long. Empty for what is no message.
 */
text: Body, 
/**
 * The files that go with it.
 */
attachments?: Array<Attachment>, };

/**
 * Where a turn was begun.
 */
export type TurnOrigin = "here" | "elsewhere" | "forked";

/**
 * Changes of a person to a waiting message; what is absent stays.
 */
export type TurnPatch = { 
/**
 * What is asked instead.
 */
text?: string, 
/**
 * What it runs on.
 */
model?: ModelSelection, 
/**
 * What it is for.
 */
mode?: Mode, };

/**
 * Where a turn stands. The last three are terminal and absorbing.
 */
export type TurnState = "queued" | "preparing" | "running" | "completed" | "interrupted" | "failed";

/**
 * A source of models behind a provider, e.g. the company whose key is used.
 */
export type Upstream = { 
/**
 * Its id, with which its models' ids begin.
 */
id: string, 
/**
 * What people call it.
 */
name: string, 
/**
 * Whether its models can be used.
 */
state: UpstreamState, 
/**
 * Number of its models that can be chosen.
 */
models: number, 
/**
 * Number of its models that cannot: they call no tools, write no text or are withdrawn.
 */
left_out: number, 
/**
 * The state in a sentence, without its name.
 */
message: string, 
/**
 * The command that mends the state, to be run in a terminal.
 */
fix: string | null, };

/**
 * Whether the models of an upstream can be used.
 */
export type UpstreamState = "connected" | "stale" | "signed_out" | "switched_off" | "empty" | "unknown";

/**
 * Tokens and money.
 */
export type Usage = { 
/**
 * Tokens read that were not cached.
 */
input: number, 
/**
 * Tokens written, without reasoning.
 */
output: number, 
/**
 * Tokens of reasoning.
 */
reasoning: number, 
/**
 * Tokens read from the provider's cache.
 */
cache_read: number, 
/**
 * Tokens written to the provider's cache.
 */
cache_write: number, 
/**
 * Cost in US dollars as the agent reckons it.
 */
cost: number, };

/**
 * How much of what an account allows within a time is used.
 */
export type UsageLimit = { 
/**
 * What people call it, such as `5 h`; before it what is limited, if that is not all.
 */
name: string, 
/**
 * How much of it is used, in percent.
 */
used_percent: number, 
/**
 * When it is renewed, if that is known. What was used before that is of no matter after.
 */
resets_at: number | null, };

/**
 * A bounded part of a thread's conversation, oldest first.
 */
export type Window = { 
/**
 * The thread's row.
 */
thread: Thread, 
/**
 * The turns that the items belong to, and every turn that is not terminal, by ordinal.
 */
turns: Array<Turn>, 
/**
 * The items, by position.
 */
items: Array<Item>, 
/**
 * Requests that are open.
 */
requests: Array<Request>, 
/**
 * The position to ask for the next older part with; `None` at the thread's beginning.
 */
older: number | null, };

/**
 * `POST /api/threads/{id}/files`: writes a text to a file of the thread's workspace.
 */
export type WriteFile = { 
/**
 * Where, below the workspace, with `/` between the parts. Directories on the way are made.
 */
path: string, 
/**
 * What is written; at most [`MAX_WRITTEN`] bytes.
 */
text: string, 
/**
 * Whether a file that is there is replaced.
 */
replace: boolean, };

/**
 * The most that the settings hold.
 */
export const SETTINGS_BOUNDS = {
  changed_actions: 200,
  action_keys: 8,
  key_bytes: 64,
  favourites: 100,
  hidden: 1000,
  recent: 12,
  model_name_bytes: 256,
} as const;
