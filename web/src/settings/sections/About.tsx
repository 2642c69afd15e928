import { For, Show } from "solid-js";
import { useBaton } from "../../app/baton";

export function About() {
  const baton = useBaton();
  const agents = () => baton.state.shell.providers.filter((provider) => provider.version);
  return (
    <dl class="facts">
      <dt>Baton</dt>
      <dd>{baton.bootstrap()?.version ?? baton.state.version ?? "…"}</dd>
      <For each={agents()}>
        {(agent) => (
          <>
            <dt>{agent.name}</dt>
            <dd>{agent.version}</dd>
          </>
        )}
      </For>
      <Show when={baton.bootstrap()?.host}>
        {(host) => (
          <>
            <dt>Machine</dt>
            <dd>{host()}</dd>
          </>
        )}
      </Show>
      <dt>Address</dt>
      <dd>{location.origin}</dd>
    </dl>
  );
}
