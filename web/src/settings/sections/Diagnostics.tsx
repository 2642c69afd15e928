import "./Devices.css";
import { createResource, For, Show } from "solid-js";
import { api, sentence } from "../../api/client";
import { toast } from "../../app/toasts";
import type { Diagnostics as Report } from "../../generated/wire";
import { minuteClock } from "../../lib/clock";
import { clock, duration, exact, size } from "../../lib/format";
import { copyText } from "../../ui/CopyButton";
import { Icon } from "../../ui/Icon";
import { Spinner } from "../../ui/Mark";
import { Words } from "../../ui/Words";
import { LoadFailed } from "../LoadFailed";
import { EndRow, ProcessRow } from "../Processes";
import { Restart } from "../Restart";
import { stateWords } from "../providerWords";

/** What to look at, and to send along, when something is wrong. */
export function Diagnostics() {
  const [report, { refetch }] = createResource(() => api.diagnostics());
  const copy = async (read: Report) => {
    try {
      await copyText(JSON.stringify(read, null, 2));
      toast("The report is copied. It holds paths of this machine, and what looks like a secret is left out.");
    } catch {
      toast("The report could not be copied.", { tone: "bad" });
    }
  };
  return (
    <Show when={!report.error} fallback={<LoadFailed error={report.error} again={() => void refetch()} />}>
      <Show when={report.latest} fallback={<p class="muted"><Spinner /> Reading…</p>}>
        {(read) => (
          <>
            <p class="muted">What to look at, and to send along, when something is wrong.</p>
            <div class="diagnostics-tools">
              <button type="button" class="btn small" disabled={report.loading} onClick={() => void refetch()}>
                <Show when={report.loading} fallback={<Icon name="refresh" size={14} />}>
                  <Spinner />
                </Show>
                Read again
              </button>
              <button type="button" class="btn small" onClick={() => void copy(read())}>
                <Icon name="copy" size={14} />
                Copy the report
              </button>
            </div>
            <section aria-labelledby="diagnostics-baton">
              <h3 id="diagnostics-baton">Baton</h3>
              <dl class="facts">
                <For each={factsOf(read())}>
                  {([name, value]) => (
                    <>
                      <dt>{name}</dt>
                      <dd>{value}</dd>
                    </>
                  )}
                </For>
              </dl>
            </section>
            <section aria-labelledby="diagnostics-recent" data-part="recent">
              <h3 id="diagnostics-recent">What went wrong lately</h3>
              <ul class="recent-lines">
                <For each={read().recent} fallback={<li class="faint">Nothing since Baton started.</li>}>
                  {(line) => (
                    <li>
                      <span class="faint" title={exact(line.at)}>
                        {clock(line.at, minuteClock())}
                      </span>{" "}
                      <span class={line.level === "error" ? "bad" : "muted"}>{line.level === "error" ? "Error" : "Warning"}</span>
                      <Show when={line.times > 1}>
                        <span class="faint"> · {line.times} times</span>
                      </Show>
                      <div>{line.text}</div>
                    </li>
                  )}
                </For>
              </ul>
            </section>
            <For each={read().providers}>
              {(provider) => {
                const own = () => read().processes.find((entry) => entry.id === provider.id)?.report;
                return (
                  <section class="processes" aria-labelledby={`diagnostics-${provider.id}`} data-provider={provider.id}>
                    <h3 id={`diagnostics-${provider.id}`}>
                      {provider.name} <span class="faint">{[provider.version, stateWords[provider.state].toLowerCase()].filter(Boolean).join(" · ")}</span>
                    </h3>
                    <For each={provider.problems}>{(problem) => <p class="bad"><Words text={sentence(problem.message)} /></p>}</For>
                    <ul>
                      <For each={own()?.processes ?? []} fallback={<li class="faint">No process runs now.</li>}>
                        {(process) => <ProcessRow process={process} />}
                      </For>
                    </ul>
                    <Show when={own()?.ends.length}>
                      <h4>Ended before</h4>
                      <ul>
                        <For each={own()!.ends}>{(end) => <EndRow end={end} />}</For>
                      </ul>
                    </Show>
                    <Restart provider={provider} />
                  </section>
                );
              }}
            </For>
          </>
        )}
      </Show>
    </Show>
  );
}

function factsOf(read: Report): [string, string][] {
  return [
    ["Version", read.version],
    ["System", read.system],
    ["Process", String(read.pid)],
    ["Running for", duration(read.uptime_seconds * 1000).replace(".0 s", " s")],
    ...(read.memory_bytes === null ? [] : [["Memory", size(read.memory_bytes)] as [string, string]]),
    ["Open pages", String(read.sockets)],
    ["Data", read.data_dir],
  ];
}
