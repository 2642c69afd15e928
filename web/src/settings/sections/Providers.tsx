import { For } from "solid-js";
import { useBaton } from "../../app/baton";
import { ProviderCard } from "../ProviderCard";

export function Providers() {
  const baton = useBaton();
  return (
    <>
      <p class="muted">The agents Baton can drive on this machine.</p>
      <For each={baton.state.shell.providers} fallback={<p class="faint">No provider is known yet.</p>}>
        {(provider) => <ProviderCard provider={provider} settings />}
      </For>
    </>
  );
}
