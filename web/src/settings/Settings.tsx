import "./Settings.css";
import { createMemo, For, Show } from "solid-js";
import { useBaton } from "../app/baton";
import { McpDetails } from "../extras/McpServers";
import { PlainHeader } from "../thread/Header";
import { TrustCard } from "../trust/TrustCard";
import { ProviderCard } from "./ProviderCard";
import { setTheme, theme, type Theme } from "./theme";

const themes: { value: Theme; name: string }[] = [
  { value: "system", name: "System" },
  { value: "light", name: "Light" },
  { value: "dark", name: "Dark" },
];

export function Settings() {
  const baton = useBaton();
  const projects = createMemo(() => Object.values(baton.state.shell.projects).sort((a, b) => a.name.localeCompare(b.name)));
  const brought = () => projects().filter((project) => project.fingerprint !== null);
  const usable = () => baton.state.shell.providers.filter((provider) => provider.state === "ready" || provider.state === "signed_out");
  return (
    <section class="thread">
      <PlainHeader title="Settings" />
      <div class="scroll">
        <div class="column settings">
          <section aria-labelledby="settings-providers">
            <h2 id="settings-providers">Providers</h2>
            <p class="muted">The agents Baton can drive on this machine.</p>
            <For each={baton.state.shell.providers} fallback={<p class="faint">No provider is known yet.</p>}>
              {(provider) => <ProviderCard provider={provider} settings />}
            </For>
          </section>
          <Show when={brought().length > 0}>
            <section aria-labelledby="settings-trust">
              <h2 id="settings-trust">Trust in projects</h2>
              <p class="muted">These projects bring agent configuration that starts programs or loosens rules.</p>
              <For each={brought()}>{(project) => <TrustCard project={project} />}</For>
            </section>
          </Show>
          <For each={projects().length ? usable() : []}>
            {(provider) => (
              <section aria-labelledby={`settings-mcp-${provider.id}`}>
                <h2 id={`settings-mcp-${provider.id}`}>MCP servers of {provider.name}</h2>
                <p class="muted">They give the agent more tools. Which ones there are depends on the project.</p>
                <For each={projects()}>{(project) => <McpDetails project={project} provider={provider} />}</For>
              </section>
            )}
          </For>
          <section aria-labelledby="settings-look">
            <h2 id="settings-look">Appearance</h2>
            <div class="seg settings-seg" role="radiogroup" aria-label="Theme">
              <For each={themes}>
                {(entry) => (
                  <button type="button" role="radio" aria-checked={theme() === entry.value} data-theme-choice={entry.value} onClick={() => setTheme(entry.value)}>
                    {entry.name}
                  </button>
                )}
              </For>
            </div>
          </section>
          <section aria-labelledby="settings-about">
            <h2 id="settings-about">About</h2>
            <dl class="facts">
              <dt>Baton</dt>
              <dd>{baton.bootstrap()?.version ?? baton.state.version ?? "…"}</dd>
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
          </section>
        </div>
      </div>
    </section>
  );
}
