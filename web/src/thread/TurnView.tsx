import { createMemo, createSignal, Show, untrack } from "solid-js";
import { api, sentence } from "../api/client";
import { useBaton } from "../app/baton";
import { hrefOf, navigate } from "../app/router";
import { attempt } from "../app/toasts";
import type { Turn, TurnId, TurnOrigin } from "../generated/wire";
import { minuteClock, secondClock } from "../lib/clock";
import { clock, count, duration, exact, money, plural } from "../lib/format";
import { newThreadId, newTurnId } from "../lib/ids";
import { Restart } from "../settings/Restart";
import { copying, CopyButton } from "../ui/CopyButton";
import { SentFiles } from "../composer/AttachmentStrip";
import { modelName } from "../composer/models";
import { Icon } from "../ui/Icon";
import { later } from "../ui/later";
import { Spinner } from "../ui/Mark";
import { Menu, Popover } from "../ui/Popover";
import { Words } from "../ui/Words";
import { isPutAway } from "./back";
import { answerOf } from "./answer";
import { changedFiles, isCut } from "./changed";
import { useThread, type ThreadScope } from "./context";
import { GoBack } from "./GoBack";
import { Rows } from "./Rows";
import { Stat } from "./Stat";
import { errorTitles, isOver, isUntaken, phaseWords, untakenWords } from "./status";
import { UserText } from "./UserText";
import { useSlot } from "./windowing";

const ChangedFiles = later(async () => (await import("./ChangedFiles")).ChangedFiles);

/** What a turn's words and its end take at least, and what one of its items takes, in pixels. */
const GUESS = { turn: 130, item: 40 };

/** A turn. `near` says whether it may be on screen when the thread is opened. */
export function TurnView(props: { id: TurnId; near: boolean }) {
  const scope = useThread();
  const turn = () => scope.view().turns[props.id];
  const slot = untrack(() => useSlot(props.id, props.near, GUESS.turn + GUESS.item * scope.list(props.id).length));
  return (
    <Show when={turn()}>
      {(found) => (
        <article class="turn" data-turn={props.id} data-state={found().state} data-away={isPutAway(scope.thread(), found()) ? "" : undefined} aria-label={`Turn ${found().ordinal}`} ref={slot.ref} style={{ height: slot.height() }}>
          <Show when={slot.drawn()}>
            <Show when={found().input.kind === "compact"} fallback={<UserMessage turn={found()} />}>
              <div class="you" data-row={props.id}>
                <small title={exact(found().created_at)}>Compaction of the context · {clock(found().created_at, minuteClock())}</small>
              </div>
            </Show>
            <Rows home={props.id} near={props.near} />
            <Show when={isOver(found())} fallback={<Progress turn={found()} />}>
              <TurnEnd turn={found()} />
            </Show>
          </Show>
        </article>
      )}
    </Show>
  );
}

/** Who sent a message, by where it was sent. */
const authors = { here: "You", elsewhere: "You, elsewhere", forked: "You, before the fork" } satisfies Record<TurnOrigin, string>;

function UserMessage(props: { turn: Turn }) {
  const scope = useThread();
  const whole = async () => (await api.turnText(scope.id, props.turn.id)).text;
  return (
    <div class="you" data-row={props.turn.id}>
      <header>
        <small title={exact(props.turn.created_at)}>
          {authors[props.turn.origin ?? "here"]} · {clock(props.turn.created_at, minuteClock())}
          <Show when={props.turn.mode === "plan"}> · Plan</Show>
        </small>
        <span class="grow" />
        <GoBack turn={props.turn} whole={whole} />
        <CopyButton text={() => (props.turn.input.text.omitted ? whole() : props.turn.input.text.head)} label="Copy message" />
      </header>
      <Show when={props.turn.input.text.head}>
        <UserText text={props.turn.input.text.head} whole={props.turn.input.text.omitted ? whole : undefined} />
      </Show>
      <SentFiles files={props.turn.input.attachments} />
    </div>
  );
}

/** What a turn is doing while it is not over. */
function Progress(props: { turn: Turn }) {
  const scope = useThread();
  const asked = createMemo(() => {
    const all = scope.view().requestOrder.map((id) => scope.view().requests[id]);
    return all.filter((request) => request?.turn_id === props.turn.id && request.state.state !== "checking");
  });
  const needsYou = () => asked().length > 0;
  const words = () => (needsYou() && !props.turn.stopping ? "Waiting for you" : phaseWords(props.turn, scope.agent(), secondClock()));
  /** What the time is of: the turn's work, or how long a person is waited for. */
  const from = () => (needsYou() ? Math.min(...asked().map((request) => request!.created_at)) : (props.turn.started_at ?? props.turn.created_at));
  const since = () => Math.floor(Math.max(0, secondClock() - from()) / 1000) * 1000;
  return (
    <div class="progress" data-phase={props.turn.phase?.kind ?? props.turn.state}>
      <Show when={!needsYou()} fallback={<span class="mark" data-state="needs" aria-hidden="true" />}>
        <Spinner />
      </Show>
      <span>{words()}</span>
      <span class="faint">{duration(since()).replace(".0 s", " s")}</span>
    </div>
  );
}

const endWords = { completed: "Done", interrupted: "Stopped", failed: "Failed" } as const;

function TurnEnd(props: { turn: Turn }) {
  const scope = useThread();
  const lasted = () => {
    const { started_at, ended_at } = props.turn;
    return started_at !== null && ended_at !== null ? duration(ended_at - started_at) : "";
  };
  // Nothing came after what was declined: that is why it is over.
  const endedBy = () => {
    const last = scope.item(scope.list(props.turn.id).at(-1) ?? "");
    if (props.turn.state !== "completed" || last?.status !== "declined") return "";
    return last.content.kind === "question" ? "ended as you skipped the question" : "ended by your rejection";
  };
  const usage = () => props.turn.usage;
  const baton = useBaton();
  const [forking, setForking] = createSignal(false);
  // A second try after a lost answer makes no second thread.
  const forked = newThreadId();
  const fork = async () => {
    setForking(true);
    await attempt("The thread could not be forked", async () => {
      const thread = await api.fork(scope.id, { id: forked, turn: props.turn.id });
      baton.absorb(thread);
      navigate({ page: "thread", id: thread.id });
    });
    setForking(false);
  };
  const files = createMemo(() => changedFiles(scope.list, scope.item, props.turn.id));
  const atLeast = () => (isCut(scope.view(), props.turn.id) ? "at least " : "");
  const sum = (what: "additions" | "deletions") => files().reduce((all, file) => all + file[what], 0);
  const tokens = createMemo(() => usage().input + usage().output + usage().reasoning + usage().cache_read + usage().cache_write);
  const parts = () =>
    `${count(usage().input)} read, ${count(usage().cache_read)} from the cache, ${count(usage().cache_write)} written to it, ` +
    `${count(usage().output)} written, ${count(usage().reasoning)} of reasoning`;
  return (
    <>
      <Show when={isUntaken(props.turn)}>
        <Untaken turn={props.turn} />
      </Show>
      <Show when={props.turn.error}>{(error) => <TurnFailure turn={props.turn} code={error().code} message={error().message} hint={error().hint} />}</Show>
      <footer class="end" data-state={props.turn.state}>
        <span class="end-state">{endWords[props.turn.state as keyof typeof endWords]}</span>
        <Show when={endedBy()}>
          <span>{endedBy()}</span>
        </Show>
        <Show when={lasted()}>
          <span>{lasted()}</span>
        </Show>
        <Show when={tokens()}>
          <span title={parts()}>{count(tokens())} tokens</span>
        </Show>
        <Show when={money(usage().cost)}>
          <span>{money(usage().cost)}</span>
        </Show>
        <Show when={files().length}>
          <Popover
            label={`${atLeast()}${[plural(files().length, "file"), sum("additions") && `+${sum("additions")}`, sum("deletions") && `−${sum("deletions")}`].filter(Boolean).join(" ")} changed`}
            buttonClass="end-files"
            class="changed-popover"
            button={
              <>
                {atLeast()}
                {plural(files().length, "file")} <Stat additions={sum("additions")} deletions={sum("deletions")} />
              </>
            }
          >
            {(close) => <ChangedFiles files={files()} close={close} />}
          </Popover>
        </Show>
        <Show when={props.turn.model}>
          {(model) => (
            <span class="end-model ellip" title={model().model}>
              {modelName(model(), baton.models[scope.thread().provider]?.list?.models)}
            </span>
          )}
        </Show>
        <span class="grow" />
        <Show when={props.turn.prompt_key !== null && scope.thread().session !== null}>
          <button type="button" class="icon-btn" disabled={forking()} aria-label={forking() ? "Forking…" : "Fork from here"} title="Fork from here: a new thread with all that was said so far" onClick={() => void fork()}>
            <Show when={forking()} fallback={<Icon name="branch" size={14} />}>
              <Spinner />
            </Show>
          </button>
        </Show>
        <CopyButton text={() => answerOf(scope, props.turn.id)} label="Copy the answer" />
        <Popover label="More of this turn" haspopup="menu" align="end" buttonClass="icon-btn end-more" button={<Icon name="more" size={14} />}>
          {(close) => (
            <Menu
              close={close}
              entries={[
                copying("Copy the link to this turn", new URL(hrefOf({ page: "thread", id: scope.id, at: props.turn.id }), location.href).href),
                copying("Copy the turn's id", props.turn.id),
              ]}
            />
          )}
        </Popover>
      </footer>
    </>
  );
}

function TurnFailure(props: { turn: Turn; code: keyof typeof errorTitles; message: string; hint: string | null }) {
  const scope = useThread();
  const [busy, setBusy] = createSignal(false);
  const baton = useBaton();
  // One that is left alone after its failures has to be started by a person.
  const provider = () => baton.state.shell.providers.find((p) => p.id === scope.thread().provider && p.state === "broken");
  // The session is gone: another one begins, and the agent knows nothing of this thread.
  const lost = () => props.code === "session_lost";
  const again = async () => {
    setBusy(true);
    if (props.turn.input.kind === "compact") {
      // Once it was done, the turn that came of it has a way on of its own.
      setBusy(await attempt("The context could not be compacted", () => api.compact(scope.id, newTurnId())));
      return;
    }
    const sent = await attempt("The message could not be sent again", async () => {
      if (lost()) baton.absorb(await api.renewSession(scope.id));
      await sendAgain(scope, props.turn);
    });
    setBusy(sent);
  };
  return (
    <div class="failure" data-code={props.code}>
      <Icon name="warning" />
      <div>
        <b>{errorTitles[props.code]}</b>
        <p><Words text={props.message} /></p>
        <Show when={props.hint}>
          <p class="muted"><Words text={sentence(props.hint ?? "")} /></p>
        </Show>
      </div>
      <Show when={provider()}>{(broken) => <Restart provider={broken()} />}</Show>
      <button type="button" class="btn small" disabled={busy()} onClick={() => void again()}>
        <Icon name="refresh" size={14} />
        {lost() ? "Go on in a new session" : "Try again"}
      </button>
    </div>
  );
}

async function sendAgain(scope: ThreadScope, turn: Turn): Promise<void> {
  const text = turn.input.text.omitted ? (await api.turnText(scope.id, turn.id)).text : turn.input.text.head;
  scope.sendAgain(text, turn.input.attachments ?? []);
}

/** Says of a message that was stopped before the agent took it what is known, and offers it again. */
function Untaken(props: { turn: Turn }) {
  const scope = useThread();
  const [sent, setSent] = createSignal(false);
  const again = async () => {
    setSent(true);
    setSent(await attempt("The message could not be sent again", () => sendAgain(scope, props.turn)));
  };
  return (
    <div class="notice untaken" data-level="info">
      <Icon name="info" size={14} />
      <span class="grow">{untakenWords(props.turn, scope.agent())}</span>
      <button type="button" class="btn small" disabled={sent()} onClick={() => void again()}>
        <Icon name="refresh" size={14} />
        Send again
      </button>
    </div>
  );
}

/** What the agent said in a turn, as markdown. */
