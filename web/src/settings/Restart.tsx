import { createSignal, Show } from "solid-js";
import { api, ApiError } from "../api/client";
import { attempt } from "../app/toasts";
import type { ProviderStatus } from "../generated/wire";
import { Confirm } from "../ui/dialogs";
import { Spinner } from "../ui/Mark";

/** Starts a provider's agent process anew; asks first when turns would end with it. */
export function Restart(props: { provider: ProviderStatus }) {
  const [busy, setBusy] = createSignal(false);
  const [asked, setAsked] = createSignal("");
  const offered = () => props.provider.capabilities.restart && (props.provider.running || props.provider.state === "broken");
  const restart = async () => {
    setBusy(true);
    await attempt(`${props.provider.name} could not be restarted`, async () => {
      try {
        await api.restartProvider(props.provider.id, false);
      } catch (error) {
        if (!(error instanceof ApiError && error.problem.code === "provider_busy")) throw error;
        setAsked(error.problem.title);
      }
    });
    setBusy(false);
  };
  return (
    <Show when={offered()}>
      <button type="button" class="btn small" disabled={busy()} onClick={() => void restart()}>
        <Show when={busy()}>
          <Spinner />
        </Show>
        {busy() ? "Restarting…" : "Restart"}
      </button>
      <Show when={asked()}>
        <Confirm
          title={`Restart ${props.provider.name}?`}
          action="Restart anyway"
          run={() => api.restartProvider(props.provider.id, true)}
          onClose={() => setAsked("")}
        >
          <p>{asked()} What was said stays, and the next message goes on in the same session.</p>
        </Confirm>
      </Show>
    </Show>
  );
}
