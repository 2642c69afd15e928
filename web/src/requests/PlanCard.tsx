import { createMemo, Show, untrack } from "solid-js";
import { hrefOf } from "../app/router";
import { Markdown } from "../markdown/Markdown";
import { useThread } from "../thread/context";
import { wholeText } from "../thread/plans";
import { CopyButton } from "../ui/CopyButton";
import { Plain } from "../ui/Plain";
import { useNumberKeys, type CardProps } from "./Dock";
import { createReason } from "./halfAnswers";
import { ReasonField } from "./ReasonField";
import { SavePlan } from "./SavePlan";

/** A plan as a document, to be built, changed or left. */
export function PlanCard(props: CardProps) {
  const body = createMemo(() => props.request.body as Extract<typeof props.request.body, { kind: "plan" }>);
  const scope = useThread();
  const [reason, setReason] = createReason(untrack(() => props.request.id));
  const refining = () => reason() !== undefined;
  const hasPlan = () => body().markdown.trim() !== "";
  // What is asked with has an end; the plan itself has all of it.
  const whole = () => {
    const item = scope.item(props.request.item_id ?? "");
    return item?.content.kind === "plan" && item.body ? wholeText(scope.id, item) : body().markdown;
  };
  const decide = (decision: "accept" | "accept_in_new_thread" | "dismiss") => props.answer({ kind: "plan", decision, message: null });

  useNumberKeys((index) => {
    if (refining() || props.busy) return;
    if (index === 0) decide("accept");
    if (index === 1 && hasPlan()) decide("accept_in_new_thread");
    if (index === 2) setReason("");
    if (index === 3) decide("dismiss");
  });

  return (
    <>
      <div class="ask-body ask-plan" tabindex="0" role="region" aria-label="The plan">
        <Show when={hasPlan()} fallback={<p class="faint">The plan's file could not be read. Refine it to have it written again.</p>}>
          <Markdown text={body().markdown} />
        </Show>
      </div>
      <div class="ask-file">
        <Show when={body().path}>
          <code class="faint ellip"><Plain text={body().path} /></code>
        </Show>
        <Show when={hasPlan()}>
          <span class="ask-acts">
            <SavePlan text={whole} />
            <CopyButton text={whole} label="Copy the plan" />
          </span>
        </Show>
        <Show when={body().built_in}>
          {(id) => <a href={hrefOf({ page: "thread", id: id() })}>Built in a new thread</a>}
        </Show>
      </div>
      <Show
        when={!refining()}
        fallback={
          <ReasonField
            text={reason() ?? ""}
            onText={setReason}
            label="What to change"
            action="Refine"
            busy={props.busy}
            onSend={(message) => props.answer({ kind: "plan", decision: "refine", message })}
            onCancel={() => setReason(undefined)}
          />
        }
      >
        <div class="choices">
          <button type="button" class="btn primary" disabled={props.busy} onClick={() => decide("accept")}>
            Accept and build <kbd aria-hidden="true">1</kbd>
          </button>
          <button
            type="button"
            class="btn"
            disabled={props.busy || !hasPlan()}
            title="A new thread of this project begins with the plan; this one's turn ends"
            onClick={() => decide("accept_in_new_thread")}
          >
            Build in a new thread <kbd aria-hidden="true">2</kbd>
          </button>
          <button type="button" class="btn" disabled={props.busy} onClick={() => setReason("")}>
            Refine… <kbd aria-hidden="true">3</kbd>
          </button>
          <button type="button" class="btn" disabled={props.busy} onClick={() => decide("dismiss")}>
            Dismiss <kbd aria-hidden="true">4</kbd>
          </button>
        </div>
      </Show>
    </>
  );
}
