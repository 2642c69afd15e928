import "../settings/Provider.css";
import "./McpServers.css";
import { createEffect, createSignal, For, on, onCleanup, Show } from "solid-js";
import { explain, sentence } from "../api/client";
import type { McpServer, Project, ProviderStatus } from "../generated/wire";
import { CopyButton } from "../ui/CopyButton";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Words } from "../ui/Words";
import { extrasOf } from "./read";
import { mcpFix, mcpTone, mcpWords } from "./words";

/** Whether the MCP servers that an agent has in a project can be used, and what mends them. */
export function McpServers(props: { project: Project; provider: ProviderStatus }) {
  const [servers, setServers] = createSignal<McpServer[]>();
  const [problem, setProblem] = createSignal("");
  const [loading, setLoading] = createSignal(false);
  let asked = 0;
  onCleanup(() => asked++);
  const load = async (anew: boolean) => {
    const mine = ++asked;
    setLoading(true);
    setProblem("");
    try {
      const read = await extrasOf(props.project, props.provider.id, anew);
      if (mine === asked) setServers(read.servers);
    } catch (error) {
      if (mine === asked) setProblem(explain(error));
    }
    if (mine === asked) setLoading(false);
  };
  // Another decision on the project's configuration brings others.
  createEffect(on(() => [props.project.id, props.provider.id, props.project.trust, props.project.fingerprint], () => void load(false)));
  return (
    <div class="mcp" aria-busy={loading()}>
      <Show when={problem()}>
        <p class="bad" role="alert">
          <Words text={problem()} />
        </p>
      </Show>
      <Show when={servers()} fallback={<Show when={loading()}><p class="faint mcp-asking" role="status"><Spinner /> Asking {props.provider.name}…</p></Show>}>
        {(known) => (
          <ul aria-label={`MCP servers of ${props.provider.name} in ${props.project.name}`}>
            <For each={known()} fallback={<li class="muted">{props.provider.name} has no MCP server in {props.project.name}.</li>}>
              {(server) => <ServerRow server={server} agent={props.provider.name} />}
            </For>
          </ul>
        )}
      </Show>
      <Show when={servers() && props.project.trust !== "trusted" && props.project.fingerprint !== null}>
        <p class="faint">What {props.project.name} brings of its own is left out, because it is not trusted.</p>
      </Show>
      <button type="button" class="btn small" disabled={loading()} onClick={() => void load(true)}>
        <Icon name="refresh" size={14} />
        {problem() ? "Try again" : "Ask again"}
      </button>
    </div>
  );
}

function ServerRow(props: { server: McpServer; agent: string }) {
  const reason = () => (props.server.state === "failed" ? props.server.message : "");
  const command = () => (props.server.state === "needs_sign_in" ? props.server.command : undefined);
  return (
    <li data-server={props.server.name} data-state={props.server.state}>
      <div class="mcp-line">
        <b>{props.server.name}</b>
        <span class="provider-state" data-tone={mcpTone(props.server)}>
          {mcpWords(props.server)}
        </span>
      </div>
      <Show when={reason()}>
        <div class="mcp-reason"><Words text={sentence(reason())} /></div>
      </Show>
      <Show when={mcpFix(props.server, props.agent)}>{(fix) => <div class="muted">{fix()}</div>}</Show>
      <Show when={command()}>
        {(line) => (
          <div class="fix-command">
            <code>{line()}</code>
            <CopyButton text={line} label={`Copy the command that signs in to ${props.server.name}`} />
          </div>
        )}
      </Show>
    </li>
  );
}

/** The same, read when it is opened. */
export function McpDetails(props: { project: Project; provider: ProviderStatus }) {
  const [open, setOpen] = createSignal(false);
  return (
    <details class="mcp-details" data-project={props.project.id} data-provider={props.provider.id} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <b>{props.project.name}</b> <span class="faint mono">{props.project.path}</span>
      </summary>
      <Show when={open()}>
        <McpServers project={props.project} provider={props.provider} />
      </Show>
    </details>
  );
}

/** The same, for a thread. */
export function McpDialog(props: { project: Project; provider: ProviderStatus; onClose: () => void }) {
  return (
    <Dialog title={`MCP servers in ${props.project.name}`} class="mcp-dialog" onClose={props.onClose}>
      <McpServers project={props.project} provider={props.provider} />
    </Dialog>
  );
}
