import "./Provider.css";
import { createSignal, Show } from "solid-js";
import { api, sentence } from "../api/client";
import { attempt } from "../app/toasts";
import type { ProviderStatus } from "../generated/wire";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Words } from "../ui/Words";

/** What is wrong with a provider, and the command that mends it. */
export function ProviderFix(props: { provider: ProviderStatus }) {
  return (
    <div class="provider-fix" data-provider={props.provider.id} data-state={props.provider.state}>
      <p><Words text={sentence(props.provider.message)} /></p>
      <FixCommand provider={props.provider} />
      <CheckAgain provider={props.provider} />
    </div>
  );
}

export function FixCommand(props: { provider: ProviderStatus }) {
  return (
    <Show when={props.provider.fix}>
      {(fix) => (
        <div class="fix-command">
          <code>{fix()}</code>
          <CopyButton text={fix} label="Copy the command" />
        </div>
      )}
    </Show>
  );
}

export function CheckAgain(props: { provider: ProviderStatus }) {
  const [busy, setBusy] = createSignal(false);
  const checking = () => busy() || props.provider.checking;
  const check = async () => {
    setBusy(true);
    await attempt(`${props.provider.name} could not be checked`, () => api.refreshProvider(props.provider.id));
    setBusy(false);
  };
  return (
    <button type="button" class="btn small" disabled={checking()} onClick={() => void check()}>
      <Show when={checking()} fallback={<Icon name="refresh" size={14} />}>
        <Spinner />
      </Show>
      {checking() ? "Checking…" : "Check again"}
    </button>
  );
}
