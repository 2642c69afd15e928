import "./Dock.css";
import { createMemo, createSignal, Match, onCleanup, Show, Switch, untrack } from "solid-js";
import { ariaKeysOf, keyHint, useAction } from "../app/actions";
import { announce } from "../app/announce";
import { useBaton } from "../app/baton";
import { strokeOf } from "../app/keymap";
import type { Answer, Request } from "../generated/wire";
import { takesText } from "../lib/writing";
import { useThread } from "../thread/context";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Plain } from "../ui/Plain";
import { Words } from "../ui/Words";
import { ApprovalCard } from "./ApprovalCard";
import { dropHalf } from "./halfAnswers";
import { PlanCard } from "./PlanCard";
import { QuestionForm } from "./QuestionForm";
import { headingOf } from "./words";

/** What a card needs of its request. */
export interface CardProps {
  request: Request;
  busy: boolean;
  answer: (answer: Answer) => void;
}

/** What the agent waits for, above the composer and never covered. */
export function Dock() {
  const scope = useThread();
  const ids = () => scope.view().requestOrder;
  const [chosen, setChosen] = createSignal<string>();
  const current = createMemo(() => {
    const all = ids();
    const id = chosen();
    return id && all.includes(id) ? id : all[0];
  });
  const at = () => ids().indexOf(current() ?? "");
  // Another request is another card: which of the arrows had the focus has it again in this one;
  // of anything else that had it, the card itself, on which nothing is pressed by mistake.
  const step = (by: number) => {
    const focus = document.activeElement;
    const [within, had] = [focus?.closest(".ask"), focus?.closest(".ask-count button")?.getAttribute("aria-label")];
    setChosen(ids()[(at() + by + ids().length) % ids().length]);
    const request = scope.view().requests[current()!];
    if (request) announce(`${at() + 1} of ${ids().length}: ${headingOf(request, scope.agent())}`);
    if (had) document.querySelector<HTMLElement>(`.ask-count [aria-label="${had}"]`)?.focus();
    else if (within) focusCard();
  };
  const several = () => ids().length > 1;
  useAction("request.next", () => step(1), several);
  useAction("request.previous", () => step(-1), several);

  return (
    <>
      <Late />
      {/* Keyed by id: another request is another card, with none of the former one's words. */}
      <Show when={current()} keyed>
        {(id) => (
          <Show when={scope.view().requests[id]}>
            {(request) => (
              <RequestCard request={request()} count={ids().length} at={at()} onStep={step} />
            )}
          </Show>
        )}
      </Show>
    </>
  );
}

function focusCard(): void {
  const card = document.querySelector<HTMLElement>(".ask");
  // A field of it may have taken the focus by itself.
  if (!card || card.contains(document.activeElement)) return;
  card.tabIndex = -1;
  card.focus({ preventScroll: true });
}

/** What became of an answer that came too late, for as long as the thread is on screen. */
function Late() {
  const { answers } = useBaton();
  const { id } = useThread();
  onCleanup(() => answers.heard(id));
  return (
    <div class="ask-late-place" role="status">
      <Show when={answers.said(id)}>
        {(words) => (
          <div class="ask-late">
            <Icon name="warning" size={14} />
            <span class="grow">{words()}</span>
            <button type="button" class="icon-btn" aria-label="Dismiss" onClick={() => answers.heard(id)}>
              <Icon name="close" size={14} />
            </button>
          </div>
        )}
      </Show>
    </div>
  );
}

function RequestCard(props: { request: Request; count: number; at: number; onStep: (by: number) => void }) {
  const scope = useThread();
  const { answers } = useBaton();
  const state = () => props.request.state;
  // Once it is answered, by whomever, what was half written of it is of no use.
  const { id } = untrack(() => props.request);
  onCleanup(() => queueMicrotask(() => scope.view().status === "ready" && !scope.view().requests[id] && dropHalf(id)));
  const given = () => answers.of(props.request.id);
  /** What is being done, while nothing can be pressed. */
  const doing = () => {
    if (given()?.state === "sending" || state().state === "answering") return "Answering…";
    if (given()?.state === "waiting") return "Waiting for the connection…";
    return state().state === "checking" ? `Checking whether ${scope.agent()} still waits…` : undefined;
  };
  const busy = () => doing() !== undefined;
  const trouble = () => {
    const now = state();
    return given()?.problem ?? (now.state === "open" ? (now.problem ?? "") : "");
  };
  // On a phone it is a sheet that can be folded to its heading.
  const [folded, setFolded] = createSignal(false);
  // What was answered last, to be given again when it did not arrive.
  const [last, setLast] = createSignal<Answer>();
  const answer = (answer: Answer) => {
    if (busy()) return;
    setLast(answer);
    void answers.give(scope.id, props.request, answer);
  };

  return (
    <section class="ask" data-request={props.request.id} data-kind={props.request.body.kind} aria-label={headingOf(props.request, scope.agent())} aria-busy={busy()} data-folded={folded() ? "" : undefined}>
      <header ref={(header) => sheet(header, setFolded)}>
        <button type="button" class="ask-handle" aria-expanded={!folded()} aria-label={folded() ? "Show what is asked" : "Fold it away"} onClick={() => setFolded(!folded())}>
          <i />
        </button>
        <span class="mark" data-state="needs" aria-hidden="true" />
        <b>{headingOf(props.request, scope.agent())}</b>
        <Show when={props.request.from}>
          <span class="ask-from ellip">sub-agent <Plain text={props.request.from} /></span>
        </Show>
        <span class="grow" />
        <Show when={busy()}>
          <span class="ask-state">
            <Spinner /> {doing()}
          </span>
        </Show>
        {/* It keeps its place when it is not shown: nothing may move under a press. */}
        <Show when={!busy()}>
          <span class="ask-keys" data-shown={writing() ? "" : undefined} aria-hidden="true">
            with <kbd>Alt</kbd> while you write
          </span>
        </Show>
        <Show when={props.count > 1}>
          <span class="ask-count">
            <button type="button" class="icon-btn" aria-label="Previous request" aria-keyshortcuts={ariaKeysOf("request.previous")} title={`Previous request${keyHint("request.previous")}`} onClick={() => props.onStep(-1)}>
              <Icon name="chevronLeft" size={14} />
            </button>
            {props.at + 1} of {props.count}
            <button type="button" class="icon-btn" aria-label="Next request" aria-keyshortcuts={ariaKeysOf("request.next")} title={`Next request${keyHint("request.next")}`} onClick={() => props.onStep(1)}>
              <Icon name="chevronRight" size={14} />
            </button>
          </span>
        </Show>
      </header>
      <Switch>
        <Match when={props.request.body.kind === "approval"}>
          <ApprovalCard request={props.request} busy={busy()} answer={answer} />
        </Match>
        <Match when={props.request.body.kind === "question"}>
          <QuestionForm request={props.request} busy={busy()} answer={answer} />
        </Match>
        <Match when={props.request.body.kind === "plan"}>
          <PlanCard request={props.request} busy={busy()} answer={answer} />
        </Match>
      </Switch>
      <Show when={trouble() && (!busy() || given()?.state === "waiting")}>
        <div class="ask-problem" role="alert">
          <Icon name="warning" size={14} />
          <span class="grow">The answer did not arrive: <Words text={trouble()} /></span>
          <Show
            when={given()?.state === "waiting"}
            fallback={
              <Show when={last()}>
                {(again) => (
                  <button type="button" class="btn small" onClick={() => answer(again())}>
                    Try again
                  </button>
                )}
              </Show>
            }
          >
            <button type="button" class="btn small" onClick={() => answers.takeBack(props.request.id)}>
              Take back
            </button>
          </Show>
        </div>
      </Show>
    </section>
  );
}

/** How far a finger goes to mean it, in pixels. */
const SWIPE = 30;

/** A finger drawn down over a sheet's heading folds it, one drawn up shows it. */
function sheet(header: HTMLElement, fold: (folded: boolean) => void): void {
  let from: number | undefined;
  header.addEventListener("pointerdown", (event) => (from = event.pointerType === "touch" ? event.clientY : undefined));
  header.addEventListener("pointerup", (event) => {
    const by = from === undefined ? 0 : event.clientY - from;
    from = undefined;
    if (Math.abs(by) >= SWIPE) fold(by > 0);
  });
}

const [writing, setWriting] = createSignal(false);
const watchFocus = () => queueMicrotask(() => setWriting(takesText(document.activeElement)));
document.addEventListener("focusin", watchFocus);
document.addEventListener("focusout", watchFocus);

/** Lets number keys choose, when nobody is writing; with Alt always. */
export function useNumberKeys(choose: (index: number) => void): void {
  useAction("request.choose", (event) => {
    const digit = event && /[1-9]$/.exec(strokeOf(event) ?? "")?.[0];
    if (digit) choose(Number(digit) - 1);
  });
}
