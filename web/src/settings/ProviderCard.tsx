import { createSignal, For, Show, type JSX } from "solid-js";
import { api, sentence } from "../api/client";
import { attempt } from "../app/toasts";
import type { ProviderStatus } from "../generated/wire";
import { minuteClock } from "../lib/clock";
import { age, exact, plural } from "../lib/format";
import { Processes } from "./Processes";
import { CheckAgain, FixCommand } from "./ProviderFix";
import { Restart } from "./Restart";
import { Upstreams } from "./Upstreams";
import { isScarce, limitWords, stateWords, toneOf } from "./providerWords";
import { ProviderGlyph } from "../ui/ProviderGlyph";
import { Words } from "../ui/Words";

/** A provider: whether it can be used, and how to make it so. */
export function ProviderCard(props: { provider: ProviderStatus; settings?: boolean }) {
  const facts = () =>
    [
      props.provider.version,
      props.provider.state === "ready" ? plural(props.provider.models, "model") : "",
      props.provider.running ? "running" : "",
    ].filter(Boolean);
  return (
    <section class="provider" data-provider={props.provider.id} data-state={props.provider.state} aria-label={props.provider.name}>
      <header>
        <h3>
          <ProviderGlyph provider={props.provider} size={14} /> {props.provider.name}
        </h3>
        <span class="provider-state" data-tone={toneOf(props.provider)}>
          {stateWords[props.provider.state]}
        </span>
        <span class="faint">{facts().join(" · ")}</span>
        <span class="grow" />
        <Restart provider={props.provider} />
        <CheckAgain provider={props.provider} />
      </header>
      <Show when={props.provider.state !== "ready"}>
        <p class="muted"><Words text={sentence(props.provider.message)} /></p>
      </Show>
      <FixCommand provider={props.provider} />
      <Show when={props.provider.problems.length}>
        <ul class="provider-problems" aria-label="Problems">
          <For each={props.provider.problems}>{(problem) => <li><Words text={sentence(problem.message)} /></li>}</For>
        </ul>
      </Show>
      <Show when={props.provider.limits.length}>
        <dl class="provider-limits" aria-label="Limits of the account">
          <For each={props.provider.limits}>
            {(limit) => (
              <div data-scarce={isScarce(limit, minuteClock()) || undefined}>
                <dt>{limit.name}</dt>
                <dd>{limitWords(limit, minuteClock())}</dd>
              </div>
            )}
          </For>
        </dl>
      </Show>
      <Show when={props.provider.binary}>
        <p class="provider-binary faint">
          <code>{props.provider.binary}</code>
          <Show when={props.provider.checked_at}>
            {(at) => <span title={exact(at())}>checked {age(at(), minuteClock()) === "now" ? "just now" : `${age(at(), minuteClock())} ago`}</span>}
          </Show>
        </p>
      </Show>
      <Show when={props.settings}>
        <ProviderSettings provider={props.provider} />
        <Upstreams provider={props.provider} />
        <Processes provider={props.provider} />
      </Show>
    </section>
  );
}

function ProviderSettings(props: { provider: ProviderStatus }) {
  const [binary, setBinary] = createSignal(props.provider.settings.binary ?? "");
  const [custom, setCustom] = createSignal(props.provider.settings.custom_models.join("\n"));
  const [server, setServer] = createSignal(props.provider.settings.server ?? "");
  const [password, setPassword] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const models = () => custom().split("\n").map((line) => line.trim()).filter(Boolean);
  const dirty = () =>
    binary().trim() !== (props.provider.settings.binary ?? "") || models().join("\n") !== props.provider.settings.custom_models.join("\n") ||
    server().trim() !== (props.provider.settings.server ?? "") ||
    password() !== "";
  const set = async (change: Parameters<typeof api.setProvider>[1]) => {
    setBusy(true);
    await attempt(`The settings of ${props.provider.name} could not be saved`, () => api.setProvider(props.provider.id, change));
    setBusy(false);
  };
  const id = (name: string) => `${props.provider.id}-${name}`;
  return (
    <form
      class="provider-settings"
      onSubmit={(event) => {
        event.preventDefault();
        void set({
          binary: binary().trim(),
          custom_models: models(),
          ...(props.provider.capabilities.attach ? { server: server().trim() } : {}),
          ...(password() ? { server_password: password() } : {}),
        }).then(() => setPassword(""));
      }}
    >
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked={props.provider.settings.enabled}
          disabled={busy()}
          onChange={(event) => void set({ enabled: event.currentTarget.checked })}
        />
        <span>Use {props.provider.name}</span>
      </label>
      <Field id={id("binary")} label="Program" placeholder="Look for it" value={binary()} onInput={setBinary}>
        The path of the program to run. Empty: Baton looks for it.
      </Field>
      <Field id={id("models")} label="Custom models" placeholder="provider/model" lines={2} value={custom()} onInput={setCustom}>
        One id a line. Those that {props.provider.name} does not list are offered too, as unverified.
      </Field>
      <Show when={props.provider.capabilities.attach}>
        <Field
          id={id("server")}
          label="Server"
          placeholder="Started by Baton"
          value={server()}
          onInput={setServer}
          beside={
            <Show when={server().trim().startsWith("http")}>
              <input
                class="field"
                type="password"
                autocomplete="off"
                aria-label="Password of the server"
                placeholder="Password"
                value={password()}
                onInput={(event) => setPassword(event.currentTarget.value)}
              />
            </Show>
          }
        >
          One that runs already on this machine: <code>daemon</code>, or its address. Empty: Baton starts one. It has to run with the rules
          that <code>baton kilo-rules</code> prints.
        </Field>
      </Show>
      <div class="provider-save">
        <button type="submit" class="btn primary" disabled={!dirty() || busy()}>
          Save
        </button>
        <Show when={dirty()}>
          <button
            type="button"
            class="btn quiet"
            onClick={() => {
              setBinary(props.provider.settings.binary ?? "");
              setCustom(props.provider.settings.custom_models.join("\n"));
              setServer(props.provider.settings.server ?? "");
              setPassword("");
            }}
          >
            Discard
          </button>
        </Show>
      </div>
    </form>
  );
}

interface FieldProps {
  id: string;
  label: string;
  placeholder: string;
  value: string;
  onInput: (value: string) => void;
  /** More than one: a value of several lines. */
  lines?: number;
  /** What stands on its line as well. */
  beside?: JSX.Element;
  /** What it is for. */
  children: JSX.Element;
}

/** A setting that is written, with its name before it and what it is for below. */
function Field(props: FieldProps) {
  const common = () => ({
    id: props.id,
    class: "field mono",
    spellcheck: false,
    placeholder: props.placeholder,
    value: props.value,
    "aria-describedby": `${props.id}-note`,
    onInput: (event: { currentTarget: { value: string } }) => props.onInput(event.currentTarget.value),
  });
  return (
    <>
      <label for={props.id}>{props.label}</label>
      <div>
        <div class="provider-line">
          <Show when={props.lines} fallback={<input {...common()} type="text" autocomplete="off" />}>
            {(lines) => <textarea {...common()} rows={lines()} />}
          </Show>
          {props.beside}
        </div>
        <p id={`${props.id}-note`} class="faint">
          {props.children}
        </p>
      </div>
    </>
  );
}
