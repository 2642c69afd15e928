import "./ThreadPage.css";
import { createEffect, createMemo, createSignal, Match, on, onCleanup, Show, Switch, untrack } from "solid-js";
import { api, sentence } from "../api/client";
import { begunAction } from "../app/actions";
import { useBaton } from "../app/baton";
import { hrefOf, navigate } from "../app/router";
import { attempt } from "../app/toasts";
import { named } from "../composer/attachments";
import { Composer } from "../composer/Composer";
import { enter, queueKey, steerKey } from "../composer/enter";
import { saveDraft } from "../composer/drafts";
import { rememberChoices, type Choices } from "../composer/choices";
import { vanished } from "../composer/models";
import { Meter } from "../composer/Meter";
import { ModelPicker } from "../composer/ModelPicker";
import { AccessPicker, ModeSwitch } from "../composer/Pickers";
import type { Attachment, Delivery, Problem, Thread, ThreadId, ThreadPatch } from "../generated/wire";
import { newTurnId } from "../lib/ids";
import { Dock } from "../requests/Dock";
import { archiveThread, patchThread } from "../sidebar/actions";
import { docks, openTab, width } from "../panel/state";
import { emptyThread } from "../sync/state";
import { lookAtTrust, TrustStrip } from "../trust/TrustStrip";
import type { Acts } from "../extras/ownCommands";
import { Icon } from "../ui/Icon";
import { Words } from "../ui/Words";
import { ThreadContext, type ThreadScope } from "./context";
import { PutAway } from "./GoBack";
import { Header, PlainHeader } from "./Header";
import { Pending } from "./Pending";
import type { Pin } from "./scroll";
import { SessionGone } from "./SessionGone";
import { isHeld, isOver } from "./status";
import { touchedFiles } from "./touched";
import { Timeline } from "./Timeline";
import { TodoStrip } from "./TodoStrip";
import { ThreadActions } from "./ThreadActions";
import { later } from "../ui/later";

const Panel = later(async () => (await import("../panel/Panel")).Panel);
const Queue = later(async () => (await import("../composer/Queue")).Queue);

const NONE = emptyThread();

export function ThreadPage(props: { id: ThreadId }) {
  const baton = useBaton();
  baton.followThread(untrack(() => props.id));
  const view = () => baton.state.threads[props.id] ?? NONE;
  const thread = () => baton.row(props.id);
  const mine = () => baton.outbox.of(props.id);

  // What the server shows by itself is no longer ours to show.
  createEffect(() => {
    if (view().status !== "ready") return;
    for (const entry of mine()) if (entry.state === "sent" && view().turns[entry.message.id]) baton.outbox.confirmed(entry.message.id);
  });

  return (
    <section
      class="thread"
      data-thread={props.id}
      data-status={view().status}
      data-panel={openTab() && docks() && view().status !== "gone" ? "" : undefined}
      style={{ "--panel": `${width()}px` }}
    >
      <Switch fallback={<Skeleton thread={thread()} />}>
        <Match when={view().status === "ready" && thread()}>{(row) => <Live id={props.id} thread={row()} />}</Match>
        <Match when={mine().length > 0}>
          <PlainHeader title={mine()[0]!.message.text.split("\n", 1)[0]!.slice(0, 80)} />
          <div class="scroll">
            <div class="column">
              {mine().map((entry) => (
                <Pending entry={entry} />
              ))}
            </div>
          </div>
        </Match>
        <Match when={view().status === "gone"}>
          <Show when={isGone(view().problem)} fallback={<Unreadable id={props.id} title={thread()?.title} problem={view().problem} />}>
            <Gone title={thread()?.title} />
          </Show>
        </Match>
      </Switch>
    </section>
  );
}

const isGone = (problem: Problem | null) => !problem || problem.code === "unknown_thread" || problem.status === 404 || problem.status === 400;

/** There is no such thread (any more). */
export function Gone(props: { title?: string }) {
  return (
    <>
      <PlainHeader title={props.title || "No such thread"} />
      <div class="page-note" role="alert">
        <Icon name="warning" size={20} />
        <p>This thread is gone.</p>
        <p class="muted">It was removed, or its address is not right.</p>
        <div class="page-note-actions">
          <a class="btn" href={hrefOf({ page: "home" })}>
            New thread
          </a>
          <a class="btn quiet" href={hrefOf({ page: "archive" })}>
            Archive
          </a>
        </div>
      </div>
    </>
  );
}

/** The thread is there, but could not be read. */
function Unreadable(props: { id: ThreadId; title?: string; problem: Problem | null }) {
  const baton = useBaton();
  return (
    <>
      <PlainHeader title={props.title || "Thread"} />
      <div class="page-note" role="alert">
        <Icon name="warning" size={20} />
        <p><Words text={props.problem?.title} /></p>
        <Show when={props.problem?.detail}>
          <p class="muted"><Words text={props.problem?.detail} /></p>
        </Show>
        <div class="page-note-actions">
          <button type="button" class="btn" onClick={() => baton.reloadThread(props.id)}>
            Try again
          </button>
          <a class="btn quiet" href={hrefOf({ page: "home" })}>
            New thread
          </a>
        </div>
      </div>
    </>
  );
}

function Skeleton(props: { thread?: Thread }) {
  return (
    <>
      <PlainHeader title={props.thread?.title ?? ""} />
      <div class="scroll" role="status" aria-busy="true" aria-label="Loading the thread">
        <div class="column skeleton">
          <div />
          <div />
          <div />
        </div>
      </div>
    </>
  );
}

function Live(props: { id: ThreadId; thread: Thread }) {
  const baton = useBaton();
  const [pin, setPin] = createSignal<Pin>();
  const view = () => baton.state.threads[props.id] ?? NONE;
  const provider = () => baton.state.shell.providers.find((p) => p.id === props.thread.provider);
  const unusable = () => {
    const found = provider();
    return found && !props.thread.archived && found.state !== "ready" && found.state !== "unknown" ? found : undefined;
  };
  const project = () => baton.state.shell.projects[props.thread.project_id];
  const commandsOf = () => {
    const [at, of] = [project(), provider()];
    return at && of?.settings.enabled ? { project: at, provider: of } : undefined;
  };
  lookAtTrust(project);
  const agent = () => provider()?.name ?? props.thread.provider;
  const running = createMemo(() => {
    // The first: one behind it is a message that steers it.
    const id = view().turnOrder.find((turn) => {
      const found = view().turns[turn]!;
      return !isOver(found) && found.state !== "queued";
    });
    return id ? view().turns[id] : undefined;
  });
  const working = () => running() !== undefined;

  // A choice shows at once and travels with the next message, also when the row lags behind.
  const [chosen, setChosen] = createSignal<Partial<Choices>>({});
  const choices = (): Choices => ({
    provider: props.thread.provider,
    model: chosen().model ?? props.thread.model,
    access: chosen().access ?? props.thread.access,
    mode: chosen().mode ?? props.thread.mode,
  });
  const choose = async (patch: Pick<ThreadPatch, "model" | "access" | "mode">) => {
    setChosen((now) => ({ ...now, ...patch }));
    rememberChoices(props.thread.project_id, choices());
    await patchThread(baton, props.id, patch, "The choice is kept here only");
  };
  createEffect(
    on(
      () => [props.thread.seq, chosen()] as const,
      () => {
        const now = chosen();
        const same =
          (!now.model || (now.model.model === props.thread.model?.model && now.model.option === props.thread.model.option)) &&
          (!now.access || now.access === props.thread.access) &&
          (!now.mode || now.mode === props.thread.mode);
        if (same && Object.keys(now).length) setChosen({});
      },
    ),
  );

  const deliver = (text: string, files: readonly Attachment[], delivery: Delivery) => {
    const { model, access, mode } = choices();
    baton.outbox.send(props.id, { id: newTurnId(), text, ...(files.length && { attachments: named(files) }), delivery, ...(model && { model }), access, mode }, { files });
    pin()?.toEnd();
  };
  const send = (text: string, files: readonly Attachment[] = []) => deliver(text, files, "queue");
  const steers = () => working() && (provider()?.capabilities.steer ?? false);
  const stop = () => void attempt("The turn could not be stopped", () => api.stop(props.id));
  const hint = () => (begunAction() === "thread.stop" ? "Press Escape again to stop" : "");

  const scope: ThreadScope = {
    id: props.id,
    view,
    thread: () => props.thread,
    item: (id) => view().items[id],
    list: (home) => view().lists[home] ?? [],
    isAsked: (id) => view().requestOrder.some((request) => view().requests[request]?.item_id === id && view().requests[request]!.state.state !== "checking"),
    agent,
    sendAgain: send,
  };

  // What is on screen has been seen.
  const [visible, setVisible] = createSignal(document.visibilityState === "visible");
  const look = () => setVisible(document.visibilityState === "visible");
  document.addEventListener("visibilitychange", look);
  onCleanup(() => document.removeEventListener("visibilitychange", look));
  createEffect(() => {
    if (visible() && props.thread.unread) void api.patchThread(props.id, { unread: false }).catch(() => {});
  });

  // Nobody loses the place they read at.
  baton.guardTrim((id) => id !== props.id || pin()?.pinned() !== false);

  createEffect(() => baton.ensureModels(props.thread.provider));

  const blocked = () => {
    if (props.thread.archived) return "The thread is archived.";
    if (!choices().model) return "Choose a model first.";
    return gone();
  };
  const gone = () => vanished(choices().model, baton.models[props.thread.provider]?.list);
  const keys = matchMedia("(pointer: fine)").matches;
  const placeholder = () => {
    if (isHeld(props.thread)) return `Write to ${agent()}: the queue goes on, and this comes after it`;
    if (!working()) return `Write to ${agent()}; @ names files, / has commands`;
    const does = `${agent()} ${props.thread.status === "needs_you" ? "waits for your answer" : "is working"}`;
    if (!keys) return `${does}: a message waits in the queue`;
    if (!steers()) return `${does}: Enter adds to the queue`;
    const [queues, sends] = [`${queueKey()} adds to the queue`, `${steerKey()} sends it now`];
    return `${does}: ${(enter() === "steer" ? [sends, queues] : [queues, sends]).join(", ")}`;
  };
  const acts = (): Acts => ({
    newThread: (draft) => {
      if (draft) saveDraft(`new.${props.thread.project_id}`, draft);
      navigate({ page: "home", project: props.thread.project_id });
    },
    ...((provider()?.capabilities.plan ?? true) && { mode: (mode) => void choose({ mode }) }),
    ...(props.thread.session !== null && {
      compact: () => void attempt("The context could not be compacted", () => api.compact(props.id, newTurnId())),
    }),
    rename: (title) => void patchThread(baton, props.id, { title }, "The thread could not be renamed"),
    archive: () => void archiveThread(baton, props.thread),
    ...(working() && { stop }),
  });
  const filesOf = { project: untrack(() => props.thread.project_id), thread: untrack(() => props.id), touched: () => touchedFiles(view()) };
  const history = () =>
    view().turnOrder.flatMap((id) => {
      const { text } = view().turns[id]!.input;
      return text.omitted ? [] : [text.head];
    });

  return (
    <ThreadContext.Provider value={scope}>
      <ThreadActions pin={pin()} stop={stop} mayStop={working() && !running()?.stopping} />
      <Header />
      <Timeline onPin={setPin} />
      <div class="dock">
        <Dock />
        {/* A panel beside it says the same. */}
        <Show when={openTab() !== "tasks" || !docks()}>
          <TodoStrip />
        </Show>
        <Queue steers={steers()} />
        <PutAway />
        <Show when={!props.thread.archived && project()}>{(at) => <TrustStrip project={at()} agent={agent()} />}</Show>
        <SessionGone />
        <Show when={unusable()}>
          {(found) => (
            <div class="unusable" role="status" data-provider={found().id}>
              <Icon name="warning" size={14} />
              <span class="grow">
                {found().name} cannot be used now: <Words text={sentence(found().message)} />
              </span>
              <a class="link" href={hrefOf({ page: "settings" })}>
                {found().name} in the settings
              </a>
            </div>
          )}
        </Show>
        <Show when={!props.thread.archived && gone()}>
          {(reason) => (
            <div class="unusable" role="status" data-gone-model>
              <Icon name="warning" size={14} />
              <span class="grow"><Words text={reason()} /></span>
            </div>
          )}
        </Show>
        <Show
          when={!props.thread.archived}
          fallback={
            <div class="archived">
              <Icon name="archive" />
              <span class="grow">This thread is archived.</span>
              <button type="button" class="btn small" onClick={() => void patchThread(baton, props.id, { archived: false }, "The thread could not be brought back")}>
                Bring back
              </button>
            </div>
          }
        >
          <Composer
            place={props.id}
            placeholder={hint() || placeholder()}
            working={working()}
            stopping={running()?.stopping}
            blocked={blocked()}
            autofocus={untrack(() => view().requestOrder.length === 0)}
            history={history}
            commandsOf={commandsOf()}
            acts={acts()}
            filesOf={filesOf}
            onBegin={() => void api.warm(props.thread.provider).catch(() => {})}
            onSend={send}
            onSteer={steers() ? (text, files) => deliver(text, files, "steer") : undefined}
            onStop={stop}
            pickers={
              <>
                <ModelPicker
                  provider={props.thread.provider}
                  providers={provider() ? [provider()!] : []}
                  model={choices().model}
                  onChoose={(_, model) => void choose({ model })}
                />
                <Show when={provider()?.capabilities.plan ?? true}>
                  <ModeSwitch mode={choices().mode} onChoose={(mode) => void choose({ mode })} />
                </Show>
                <AccessPicker
                  access={choices().access}
                  onChoose={(access) => void choose({ access })}
                  note={working() && provider() && !provider()!.capabilities.live_access ? "It counts from the next turn on." : undefined}
                />
              </>
            }
            meter={<Meter context={props.thread.context} usage={props.thread.usage} />}
          />
        </Show>
        <p class="stop-hint" role="status" aria-live="polite">
          {hint()}
        </p>
      </div>
      <Show when={openTab()}>
        <Panel />
      </Show>
    </ThreadContext.Provider>
  );
}
