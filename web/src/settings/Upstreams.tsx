import { createEffect, For, on, Show } from "solid-js";
import { sentence } from "../api/client";
import { useBaton } from "../app/baton";
import type { ProviderStatus, Upstream } from "../generated/wire";
import { plural } from "../lib/format";
import { CopyButton } from "../ui/CopyButton";
import { Words } from "../ui/Words";
import { upstreamTones, upstreamWords } from "./providerWords";

/** Where a provider's models come from, what cannot be used and why, and the command that mends it. */
export function Upstreams(props: { provider: ProviderStatus }) {
  const baton = useBaton();
  const used = () => (props.provider.settings.enabled ? props.provider.id : undefined);
  createEffect(on(used, (id) => id && baton.ensureModels(id)));
  const list = () => (used() ? baton.models[props.provider.id]?.list : undefined);
  const unverified = () => list()?.models.filter((model) => model.unverified) ?? [];
  return (
    <>
      <Show when={unverified().length}>
        <div class="upstreams">
          <h4>Unverified models</h4>
          <ul aria-label="Unverified models">
            <For each={unverified()}>
              {(model) => (
                <li>
                  <code>{model.id}</code>
                  <div class="muted"><Words text={sentence(model.unverified ?? "")} /></div>
                </li>
              )}
            </For>
          </ul>
        </div>
      </Show>
      <Show when={list()?.upstreams.length}>
        <div class="upstreams">
          <h4>Upstream providers</h4>
          <Show when={list()?.stale}>
            <p class="muted">This is the last list that could be had. <Words text={sentence(list()?.problem ?? "")} /></p>
          </Show>
          <ul aria-label="Upstream providers">
            <For each={list()?.upstreams}>{(upstream) => <UpstreamRow upstream={upstream} />}</For>
          </ul>
        </div>
      </Show>
    </>
  );
}

function UpstreamRow(props: { upstream: Upstream }) {
  const usable = () => props.upstream.state === "connected" || props.upstream.state === "stale";
  const facts = () =>
    [
      usable() ? plural(props.upstream.models, "model") : "",
      props.upstream.left_out ? `${props.upstream.left_out} cannot be used` : "",
    ].filter(Boolean);
  return (
    <li data-upstream={props.upstream.id} data-state={props.upstream.state}>
      <div class="upstream-line">
        <b title={props.upstream.id}>{props.upstream.name}</b>
        <span class="provider-state" data-tone={upstreamTones[props.upstream.state]}>
          {upstreamWords[props.upstream.state]}
        </span>
        <span class="faint">{facts().join(" · ")}</span>
      </div>
      <div class="muted"><Words text={sentence(props.upstream.message)} /></div>
      <Show when={props.upstream.fix}>
        {(fix) => (
          <div class="fix-command">
            <code>{fix()}</code>
            <CopyButton text={fix} label={`Copy the command for ${props.upstream.name}`} />
          </div>
        )}
      </Show>
    </li>
  );
}
