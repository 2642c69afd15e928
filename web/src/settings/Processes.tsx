import { createResource, createSignal, For, Show, Suspense } from "solid-js";
import { api } from "../api/client";
import type { AgentEnd, AgentProcess, ProviderStatus } from "../generated/wire";
import { minuteClock } from "../lib/clock";
import { age, clock, exact, plural, size } from "../lib/format";
import { LoadFailed } from "./LoadFailed";
import { endReasons } from "./providerWords";

/** The agent's processes and how earlier ones ended; read when it is opened. */
export function Processes(props: { provider: ProviderStatus }) {
  const [open, setOpen] = createSignal(false);
  // Read again when one starts or ends.
  const source = () => open() && { id: props.provider.id, running: props.provider.running };
  const [report, { refetch }] = createResource(source, ({ id }) => api.processes(id));
  return (
    <details class="processes" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Processes</summary>
      <Suspense fallback={<p class="faint">Reading…</p>}>
      <Show when={!report.error} fallback={<LoadFailed error={report.error} again={() => void refetch()} />}>
        <Show when={report.latest} fallback={<p class="faint">Reading…</p>}>
          {(read) => (
            <>
              <ul>
                <For each={read().processes} fallback={<li class="faint">None runs now.</li>}>
                  {(process) => <ProcessRow process={process} />}
                </For>
              </ul>
              <Show when={read().ends.length}>
                <h4>Ended before</h4>
                <ul>
                  <For each={read().ends}>{(end) => <EndRow end={end} />}</For>
                </ul>
              </Show>
            </>
          )}
        </Show>
      </Show>
      </Suspense>
    </details>
  );
}

export function ProcessRow(props: { process: AgentProcess }) {
  const facts = () =>
    [
      props.process.pid === null ? props.process.url : `pid ${props.process.pid}`,
      props.process.version,
      props.process.memory_bytes === null ? "" : size(props.process.memory_bytes),
      props.process.cpu_percent === null ? "" : `${props.process.cpu_percent} % CPU`,
      plural(props.process.sessions, "session"),
      props.process.turns ? `${props.process.turns} at work` : "",
      plural(props.process.directories, "directory", "directories"),
    ].filter(Boolean);
  return (
    <li>
      <b>{props.process.trusted ? "Trusted projects" : "Other projects"}</b>
      <Show when={!props.process.answering}>
        <span class="bad"> does not answer</span>
      </Show>
      <span class="faint" title={exact(props.process.since)}>
        {" "}
        since {clock(props.process.since, minuteClock())}
      </span>
      <div class="muted">{facts().join(" · ")}</div>
    </li>
  );
}

export function EndRow(props: { end: AgentEnd }) {
  return (
    <li>
      <span class="faint" title={exact(props.end.at)}>
        {age(props.end.at, minuteClock())}
      </span>{" "}
      {endReasons[props.end.why]}
      <Show when={props.end.turns}>
        <span class="bad">, and {plural(props.end.turns, "turn")} with it</span>
      </Show>
      <Show when={props.end.said}>
        <div class="muted said">{props.end.said}</div>
      </Show>
    </li>
  );
}
