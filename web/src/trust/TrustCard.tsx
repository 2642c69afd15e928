import "./Trust.css";
import { createEffect, createSignal, For, on, Show } from "solid-js";
import { api, ApiError, explain } from "../api/client";
import type { Project, Startup } from "../generated/wire";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Words } from "../ui/Words";
import { actWords, asksTrust, trustWords } from "./words";

/** What a project's own configuration would start, and the decision on it. `plain` where a dialog has its title. */
export function TrustCard(props: { project: Project; plain?: boolean }) {
  const [shown, setShown] = createSignal<Startup>();
  const [problem, setProblem] = createSignal("");
  const [busy, setBusy] = createSignal(false);

  let looks = 0;
  const look = async () => {
    const turn = ++looks;
    try {
      const found = await api.trust(props.project.id);
      if (turn === looks) setShown(found.startup);
    } catch (error) {
      if (turn === looks) setProblem(explain(error));
    }
  };
  createEffect(on(() => [props.project.id, props.project.fingerprint], () => void look()));

  const decide = async (trusted: boolean) => {
    setBusy(true);
    setProblem("");
    try {
      await api.decideTrust(props.project.id, { trusted, ...(trusted && { fingerprint: shown()?.fingerprint ?? undefined }) });
    } catch (error) {
      setProblem(explain(error));
      if (error instanceof ApiError && error.problem.code === "trust_changed") void look();
    } finally {
      setBusy(false);
    }
  };
  const broken = () => (shown()?.problems.length ?? 0) > 0;

  return (
    <section
      class="trust"
      classList={{ asks: asksTrust(props.project) && !props.plain, plain: props.plain }}
      aria-label={`Trust in ${props.project.name}`}
      data-trust={props.project.trust}
    >
      <Show when={!props.plain}>
        <h3>
          <Icon name="shield" size={16} />
          {asksTrust(props.project) ? `Trust what ${props.project.name} would start?` : props.project.name}
        </h3>
      </Show>
      <Show
        when={asksTrust(props.project)}
        fallback={<p class="muted">{trustWords(props.project)}</p>}
      >
        <p>This project brings agent configuration of its own. Until you trust it, agents work here without it.</p>
      </Show>
      <Show when={shown()} fallback={<Show when={!problem()}><Spinner /></Show>}>
        {(startup) => (
          <>
            <ul class="trust-acts" aria-label="What the configuration would do">
              <For each={startup().acts}>
                {(act) => (
                  <li>
                    <p>
                      {actWords(act.kind)}: <b>{act.name}</b>
                    </p>
                    <code>{act.detail}</code>
                    <p class="faint">
                      in <span class="mono">{act.file}</span>
                      <Show when={act.outside}>, a link to a place outside the project</Show>
                    </p>
                  </li>
                )}
              </For>
              <For each={startup().problems}>
                {(bad) => (
                  <li class="trust-bad">
                    <p>
                      <Icon name="warning" size={14} /> <span class="mono">{bad.file}</span>: {bad.message}
                    </p>
                  </li>
                )}
              </For>
            </ul>
            <Show when={broken()}>
              <p class="muted">What cannot be read cannot be trusted. Mend it, or go on without the configuration.</p>
            </Show>
          </>
        )}
      </Show>
      <Show when={problem()}>
        <p class="bad" role="alert">
          <Words text={problem()} />
        </p>
        <Show when={!shown()}>
          <button type="button" class="btn small trust-again" onClick={() => {
              setProblem("");
              void look();
            }}>
            <Icon name="refresh" size={14} />
            Look again
          </button>
        </Show>
      </Show>
      <div class="trust-actions">
        <Show when={props.project.trust !== "trusted"}>
          <button type="button" class="btn" disabled={busy() || broken() || !shown()?.fingerprint} onClick={() => void decide(true)}>
            Trust and use it
          </button>
        </Show>
        <Show when={props.project.trust !== "untrusted"}>
          <button type="button" class="btn" disabled={busy()} onClick={() => void decide(false)}>
            {props.project.trust === "trusted" ? "Stop trusting it" : "Work without it"}
          </button>
        </Show>
      </div>
    </section>
  );
}
