import "./Settings.css";
import { For, Show } from "solid-js";
import { useBaton } from "../app/baton";
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
  const brought = () =>
    Object.values(baton.state.shell.projects)
      .filter((project) => project.fingerprint !== null)
      .sort((a, b) => a.name.localeCompare(b.name));
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
