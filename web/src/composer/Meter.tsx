import { Show } from "solid-js";
import type { Context, Usage } from "../generated/wire";
import { count, money } from "../lib/format";

/** How full the context is, and what the thread has cost. */
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
  const whole = () =>
    [
      props.context?.limit ? `The context holds ${props.context.used.toLocaleString()} of ${props.context.limit.toLocaleString()} tokens` : "",
      `This thread: ${count(props.usage.input)} tokens read, ${count(props.usage.cache_read)} from the cache, ${count(props.usage.output)} written, ${count(props.usage.reasoning)} of reasoning`,
    ]
      .filter(Boolean)
      .join("\n");
  return (
    <Show when={words()}>
      <span class="meter" title={whole()} data-full={share() !== undefined && share()! > 0.85 ? "" : undefined}>
        <Show when={share() !== undefined}>
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
            <circle cx="8" cy="8" r="6" fill="none" stroke="var(--line-strong)" stroke-width="3" />
            <circle
              cx="8"
              cy="8"
              r="6"
              fill="none"
              stroke="currentColor"
              stroke-width="3"
              stroke-dasharray={`${share()! * 37.7} 37.7`}
              transform="rotate(-90 8 8)"
            />
          </svg>
        </Show>
        <span class="meter-words">{words()}</span>
      </span>
    </Show>
  );
}
