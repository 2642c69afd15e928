import { createMemo, createSignal, Show, type JSX } from "solid-js";
import { api, explain } from "../api/client";
import type { Body, ItemId } from "../generated/wire";
import { size } from "../lib/format";
import { bodyLength, bodyParts } from "../sync/body";
import { CopyButton } from "../ui/CopyButton";
import { LongText } from "../ui/LongText";
import { Plain } from "../ui/Plain";
import { useThread } from "./context";

/** A long text: what came with it, and the whole of it on demand. */
export function WholeText(props: { body?: Body; fetch: () => Promise<string>; children: (part: () => string) => JSX.Element }) {
  const parts = createMemo(() => bodyParts(props.body));
  const [whole, setWhole] = createSignal<string>();
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal("");
  const load = async () => {
    setBusy(true);
    setProblem("");
    try {
      setWhole(await props.fetch());
    } catch (error) {
      setProblem(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Show when={whole() === undefined && parts().omitted > 0} fallback={props.children(() => whole() ?? parts().head)}>
      {props.children(() => parts().head)}
      <div class="omitted">
        <span>{size(parts().omitted)} left out</span>
        <button type="button" class="btn small" data-show-all disabled={busy()} onClick={() => void load()}>
          {busy() ? "Loading…" : `Show all ${size(bodyLength(props.body))}`}
        </button>
        <Show when={problem()}>
          <span class="bad" role="alert">
            {problem()}
          </span>
        </Show>
      </div>
      <Show when={parts().tail}>{props.children(() => parts().tail)}</Show>
    </Show>
  );
}

/** The body of an item, e.g. the output of a command. */
export function ItemBody(props: { id: ItemId; body?: Body; children: (part: () => string) => JSX.Element }) {
  const scope = useThread();
  return (
    <WholeText body={props.body} fetch={async () => (await api.itemBody(scope.id, props.id)).text}>
      {props.children}
    </WholeText>
  );
}

/**
 * Preformatted text with its copy button. `follow` keeps its end in view while it grows; `exact`
 * shows every character that hides.
 */
export function Pre(props: { text: string; copy?: () => string | Promise<string>; label: string; follow?: boolean; exact?: boolean; class?: string }) {
  const scrolled = (element: HTMLPreElement) => {
    if (!props.follow) return;
    const seen = new MutationObserver(() => (element.scrollTop = element.scrollHeight));
    seen.observe(element, { characterData: true, subtree: true, childList: true });
    queueMicrotask(() => (element.scrollTop = element.scrollHeight));
  };
  return (
    <div class={`pre ${props.class ?? ""}`}>
      <pre ref={scrolled} tabindex="0" aria-label={props.label}>
        <Show when={props.exact} fallback={<LongText text={props.text} />}>
          <Plain text={props.text} />
        </Show>
      </pre>
      <CopyButton text={props.copy ?? (() => props.text)} label={`Copy ${props.label.toLowerCase()}`} />
    </div>
  );
}
