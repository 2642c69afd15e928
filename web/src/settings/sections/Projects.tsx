import { createMemo, For, Show } from "solid-js";
import { useBaton } from "../../app/baton";
import { hrefOf } from "../../app/router";
import { McpDetails } from "../../extras/McpServers";
import { TrustCard } from "../../trust/TrustCard";

/** What projects bring: configuration to trust, and servers that give agents more tools. */
export function Projects() {
  const baton = useBaton();
  const projects = createMemo(() => Object.values(baton.state.shell.projects).sort((a, b) => a.name.localeCompare(b.name)));
  const brought = () => projects().filter((project) => project.fingerprint !== null);
  const usable = () => baton.state.shell.providers.filter((provider) => provider.state === "ready" || provider.state === "signed_out");
  return (
    <Show
      when={projects().length}
      fallback={
        <p class="muted">
          There is no project yet.{" "}
          <a class="link" href={hrefOf({ page: "add_project" })}>
            Add one
          </a>
          .
        </p>
      }
    >
      <section aria-labelledby="settings-trust">
        <h3 id="settings-trust">Trust</h3>
        <Show when={brought().length} fallback={<p class="muted">No project brings agent configuration that starts programs or loosens rules.</p>}>
          <p class="muted">These projects bring agent configuration that starts programs or loosens rules.</p>
          <For each={brought()}>{(project) => <TrustCard project={project} />}</For>
        </Show>
      </section>
      <For each={usable()}>
        {(provider) => (
          <section aria-labelledby={`settings-mcp-${provider.id}`}>
            <h3 id={`settings-mcp-${provider.id}`}>MCP servers of {provider.name}</h3>
            <p class="muted">They give the agent more tools. Which ones there are depends on the project.</p>
            <For each={projects()}>{(project) => <McpDetails project={project} provider={provider} />}</For>
          </section>
        )}
      </For>
    </Show>
  );
}
