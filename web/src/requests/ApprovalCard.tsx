import { createMemo, createSignal, For, onMount, Show, untrack } from "solid-js";
import type { Choice } from "../generated/wire";
import { DiffView } from "../thread/DiffView";
import { Pre } from "../thread/BodyText";
import { useNumberKeys, type CardProps } from "./Dock";
import { hasHidden } from "../lib/visible";
import { Icon } from "../ui/Icon";
import { Plain } from "../ui/Plain";
import { createReason } from "./halfAnswers";
import { ReasonField } from "./ReasonField";
import { choiceSentence, choiceWords, splitDetails, titleAdds, type ChoiceWords } from "./words";

export function ApprovalCard(props: CardProps) {
  const body = createMemo(() => props.request.body as Extract<typeof props.request.body, { kind: "approval" }>);
  const said = createMemo(() => splitDetails(body()));
  const hidden = createMemo(() => {
    const { command, path, url, diff, choices } = body();
    return [command, path, url, diff, ...choices.flatMap((choice) => choice.covers)].some((text) => text && hasHidden(text));
  });
  const [reason, setReason] = createReason(untrack(() => props.request.id));
  const saying = () => reason() !== undefined;
  const canReject = () => body().choices.some((choice) => choice.decision === "reject");
  const choose = (choice: Choice) => props.answer({ kind: "approval", decision: choice.decision, message: null });

  // What is written to an agent's own configuration has no key of its own and is asked twice.
  const lasting = createMemo(() => body().choices.filter((choice) => choice.decision === "always"));
  const choices = createMemo(() => body().choices.filter((choice) => choice.decision !== "always"));
  const [sure, setSure] = createSignal<Choice>();

  useNumberKeys((index) => {
    const choice = choices()[index];
    if (choice && !saying() && !sure() && !props.busy) choose(choice);
  });

  return (
    <>
      <div class="ask-body">
        <Show when={titleAdds(body())}>
          <p><Plain text={body().title} auto /></p>
        </Show>
        <Show when={said().purpose}>
          <p><Plain text={said().purpose} auto /></p>
        </Show>
        <Show when={body().command}>{(command) => <Pre text={command()} label="Command" class="ask-command" exact />}</Show>
        <Show when={body().path && body().diff && !(titleAdds(body()) && body().title.includes(body().path!))}>
          <p class="ask-path">
            <code><Plain text={body().path} /></code>
          </p>
        </Show>
        <Show when={body().diff}>{(diff) => <DiffView text={diff()} label="What would change" />}</Show>
        <Show when={body().path && !body().diff}>
          <p class="ask-target">
            <code><Plain text={body().path} /></code>
          </p>
        </Show>
        <Show when={body().url}>
          <p class="ask-target">
            <code><Plain text={body().url} /></code>
          </p>
        </Show>
        <Show when={said().details.length || body().what === "other"}>
          <dl class="ask-details">
            <Show when={body().what === "other"}>
              <dt>permission</dt>
              <dd>
                <code><Plain text={body().permission} /></code>
              </dd>
            </Show>
            <For each={said().details}>
              {([name, value]) => (
                <>
                  <dt><Plain text={name} /></dt>
                  <dd><Plain text={value} /></dd>
                </>
              )}
            </For>
          </dl>
        </Show>
        <Show when={hidden()}>
          <p class="ask-hidden">
            <Icon name="warning" size={14} /> It holds characters that cannot be seen. They are shown by their codes.
          </p>
        </Show>
      </div>
      <Show
        when={!saying()}
        fallback={
          <ReasonField
            text={reason() ?? ""}
            onText={setReason}
            label="Why not, and what to do instead"
            action="Reject and say so"
            busy={props.busy}
            onSend={(message) => props.answer({ kind: "approval", decision: "reject", message })}
            onCancel={() => setReason(undefined)}
          />
        }
      >
        <div class="choices">
          <For each={choices()}>
            {(choice, i) => (
              <button
                type="button"
                class="btn"
                classList={{ primary: i() === 0 && choice.decision !== "reject" }}
                data-decision={choice.decision}
                disabled={props.busy}
                title={choiceSentence(choice)}
                onClick={() => choose(choice)}
              >
                <Label words={choiceWords(choice)} consequence={choice.decision === "reject"} />
                <kbd aria-hidden="true">{i() + 1}</kbd>
              </button>
            )}
          </For>
          <Show when={canReject()}>
            <button type="button" class="btn quiet" disabled={props.busy} onClick={() => setReason("")}>
              Reject and say why…
            </button>
          </Show>
        </div>
        <Show when={lasting().length}>
          <div class="choices-more">
            <Show
              when={sure()}
              fallback={
                <For each={lasting()}>
                  {(choice) => (
                    <button
                      type="button"
                      class="btn quiet small"
                      data-decision={choice.decision}
                      disabled={props.busy}
                      title={choiceSentence(choice)}
                      onClick={() => setSure(choice)}
                    >
                      <Label words={{ ...choiceWords(choice), scope: "…" }} />
                    </button>
                  )}
                </For>
              }
            >
              {(choice) => <Really choice={choice()} busy={props.busy} onYes={() => choose(choice())} onNo={() => setSure(undefined)} />}
            </Show>
          </div>
        </Show>
      </Show>
    </>
  );
}

/** Asks once more, with all that follows from it. */
function Really(props: { choice: Choice; busy: boolean; onYes: () => void; onNo: () => void }) {
  let no!: HTMLButtonElement;
  onMount(() => no.focus({ preventScroll: true }));
  return (
    <div
      class="really"
      role="group"
      aria-label="Really always?"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        props.onNo();
      }}
    >
      <p>
        <b>Really always?</b> <Label words={{ ...choiceWords(props.choice), label: "It allows" }} />.
      </p>
      <button type="button" class="btn small danger" data-decision={props.choice.decision} disabled={props.busy} onClick={() => props.onYes()}>
        Yes, always
      </button>
      <button ref={no} type="button" class="btn small" disabled={props.busy} onClick={() => props.onNo()}>
        No
      </button>
    </div>
  );
}

function Label(props: { words: ChoiceWords; consequence?: boolean }) {
  const words = () => props.words;
  return (
    <span class="choice-label">
      {words().label}
      <For each={words().covers}>
        {(pattern) => (
          <>
            {" "}
            <code><Plain text={pattern} /></code>
          </>
        )}
      </For>
      <Show when={words().scope}>
        {" "}
        <span class="choice-scope">
          {props.consequence ? "· " : ""}
          {words().scope}
        </span>
      </Show>
    </span>
  );
}
