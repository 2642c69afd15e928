import "./Devices.css";
import { createResource, createSignal, For, Show } from "solid-js";
import { api } from "../../api/client";
import { attempt } from "../../app/toasts";
import type { Device, PairingLink } from "../../generated/wire";
import { minuteClock } from "../../lib/clock";
import { clock, exact } from "../../lib/format";
import { Confirm } from "../../ui/Dialog";
import { Icon } from "../../ui/Icon";
import { Spinner } from "../../ui/Mark";
import { deviceName } from "../deviceWords";
import { LoadFailed } from "../LoadFailed";
import { PairDialog } from "../PairDialog";

/** The browsers that were let in. */
export function Devices() {
  const [list, { refetch }] = createResource(() => api.devices());
  const [link, setLink] = createSignal<PairingLink>();
  const [revoking, setRevoking] = createSignal<Device>();
  const [busy, setBusy] = createSignal(false);
  const pair = async () => {
    setBusy(true);
    await attempt("A device cannot be paired now", async () => setLink(await api.pairingLink()));
    setBusy(false);
  };
  return (
    <>
      <p class="muted">The browsers that may use this Baton. Each can do everything you can.</p>
      <button type="button" class="btn primary" disabled={busy()} onClick={() => void pair()}>
        <Icon name="plus" size={14} />
        Pair a device
      </button>
      <Show when={!list.error} fallback={<LoadFailed error={list.error} again={() => void refetch()} />}>
        <Show when={list.latest} fallback={<p class="muted"><Spinner /> Reading…</p>}>
          {(read) => (
            <ul class="devices">
              <For each={read().devices} fallback={<li class="muted">None is paired.</li>}>
                {(device) => (
                  <li data-device={device.id}>
                    <span class="grow">
                      <b title={device.name}>{deviceName(device.name)}</b>
                      <Show when={device.current}>
                        <span class="tag">this one</span>
                      </Show>
                      <span class="faint" title={exact(device.created_at)}>
                        paired {clock(device.created_at, minuteClock())}
                      </span>
                      <Show when={!device.current && device.used_at}>
                        {(used) => (
                          <span class="faint" title={exact(used())}>
                            last used {clock(used(), minuteClock())}
                          </span>
                        )}
                      </Show>
                    </span>
                    <button type="button" class="btn small" aria-label={`Revoke ${deviceName(device.name)}`} onClick={() => setRevoking(device)}>
                      Revoke
                    </button>
                  </li>
                )}
              </For>
            </ul>
          )}
        </Show>
      </Show>
      <Show when={link()}>
        {(made) => (
          <PairDialog
            link={made()}
            again={() => void pair()}
            onClose={() => {
              setLink();
              void refetch();
            }}
          />
        )}
      </Show>
      <Show when={revoking()}>
        {(device) => (
          <Confirm
            title={`Revoke ${deviceName(device().name)}?`}
            action="Revoke"
            run={async () => {
              await api.revokeDevice(device().id);
              void refetch();
            }}
            onClose={() => setRevoking()}
          >
            <p>
              {device().current ? "This is the browser you are using: it is let out at once." : "It is let out at once."} To use Baton again it has to be paired anew.
              Threads and what runs are not touched.
            </p>
          </Confirm>
        )}
      </Show>
    </>
  );
}
