// A small drawing for each agent that Baton knows by name; any other is its first letter.

import { Show } from "solid-js";
import type { ProviderStatus } from "../generated/wire";

const drawings: Record<string, string> = {
  kilo: "M4.500 2.500v11M12 2.500 5.500 8l6.500 5.500",
  codex: "M8 1.800 13.400 5v6L8 14.200 2.600 11V5ZM6 6.500 7.800 8 6 9.500M9 9.800h1.600",
  claude: "M8 2v12M2.800 5l10.400 6M13.200 5 2.800 11",
};

export function ProviderGlyph(props: { provider: Pick<ProviderStatus, "id" | "name">; size?: number }) {
  return (
    <Show when={drawings[props.provider.id]} fallback={<span aria-hidden="true">{props.provider.name.slice(0, 1)}</span>}>
      {(drawing) => (
        <svg
          width={props.size ?? 12}
          height={props.size ?? 12}
          viewBox="0 0 16 16"
          fill="none"
          stroke="currentColor"
          stroke-width="1.600"
          stroke-linecap="round"
          stroke-linejoin="round"
          aria-hidden="true"
        >
          <path d={drawing()} />
        </svg>
      )}
    </Show>
  );
}
