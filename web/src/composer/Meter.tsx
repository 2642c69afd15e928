import { createMemo, For, Show } from "solid-js";
import type { Context, Usage } from "../generated/wire";
import { count, money } from "../lib/format";
import { Popover } from "../ui/Popover";

/** From this share on the context is called nearly full. */
const NEARLY_FULL = 0.85;

/** How full the context is, and what the thread has cost; a press shows the parts. */
export function Meter(props: { context: Context | null; usage: Usage }) {
  const share = () => {
    const now = props.context;
    return now?.limit ? Math.min(1, now.used / now.limit) : undefined;
  };
  const words = () => {
    const now = props.context;
    const parts: string[] = [];
    if (now?.used) parts.push(now.limit ? `${count(now.used)} of ${count(now.limit)}` : `${count(now.used)} tokens`);
    const cost = money(props.usage.cost);
    if (cost) parts.push(cost);
    return parts.join(" · ");
  };
  const full = () => share() !== undefined && share()! > NEARLY_FULL;
  const label = () => `Context and cost: ${words()}${full() ? ", nearly full" : ""}`;
  return (
    <Show when={words()}>
      <Popover
        buttonClass="pick meter"
        class="meter-popover"
        label={label()}
        title="Context and cost"
        align="end"
        state={full() ? "full" : undefined}
        button={
          <>
            <Show when={share() !== undefined} fallback={<span class="meter-words meter-only">{words()}</span>}>
              <Ring share={share()!} size={16} />
              <span class="meter-words">{words()}</span>
            </Show>
          </>
        }
      >
        {() => <Parts context={props.context} usage={props.usage} share={share()} />}
      </Popover>
    </Show>
  );
}

function Ring(props: { share: number; size: number }) {
  return (
    <svg width={props.size} height={props.size} viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="6" fill="none" stroke="var(--line-strong)" stroke-width="3" />
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="3" stroke-dasharray={`${props.share * 37.7} 37.7`} transform="rotate(-90 8 8)" />
    </svg>
  );
}

function Parts(props: { context: Context | null; usage: Usage; share: number | undefined }) {
  const rows = createMemo(() => {
    const { usage } = props;
    return (
      [
        ["Read", usage.input],
        ["From the cache", usage.cache_read],
        ["Written to the cache", usage.cache_write],
        ["Written", usage.output],
        ["Reasoning", usage.reasoning],
      ] as const
    ).filter(([, tokens]) => tokens > 0);
  });
  return (
    <div class="meter-parts" tabindex="0" role="group" aria-label="Context and cost">
      <Show when={props.context}>
        {(context) => (
          <section>
            <h2>Context now</h2>
            <p>
              <b>{context().used.toLocaleString()}</b>
              <Show when={context().limit}> of {context().limit!.toLocaleString()}</Show> tokens
              <Show when={props.share !== undefined}> · {Math.round(props.share! * 100)} %</Show>
            </p>
            <Show when={props.share !== undefined}>
              <progress max="100" value={Math.round(props.share! * 100)} data-full={props.share! > NEARLY_FULL ? "" : undefined} aria-label="How full the context is" />
            </Show>
          </section>
        )}
      </Show>
      <section>
        <h2>This thread so far</h2>
        <dl>
          <For each={rows()}>
            {([name, tokens]) => (
              <>
                <dt>{name}</dt>
                <dd title={tokens.toLocaleString()}>{count(tokens)}</dd>
              </>
            )}
          </For>
          <Show when={money(props.usage.cost)}>
            <dt>Cost</dt>
            <dd>{money(props.usage.cost)}</dd>
          </Show>
        </dl>
      </section>
    </div>
  );
}
