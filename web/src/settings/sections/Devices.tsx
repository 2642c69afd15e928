import "./Devices.css";
import { createResource, createSignal, For, Show } from "solid-js";
import { address, api } from "../../api/client";
import { attempt } from "../../app/toasts";
import type { Device, PairingLink } from "../../generated/wire";
import { minuteClock, secondClock } from "../../lib/clock";
import { clock, duration, exact } from "../../lib/format";
import { CopyButton } from "../../ui/CopyButton";
import { Confirm, Dialog } from "../../ui/Dialog";
import { Icon } from "../../ui/Icon";
import { Spinner } from "../../ui/Mark";
import { deviceName, onlyHere } from "../deviceWords";
import { LoadFailed } from "../LoadFailed";

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

/** A link that lets one browser in, once. */
function PairDialog(props: { link: PairingLink; again: () => void; onClose: () => void }) {
  // The address this browser came by is the one that is known to lead here.
  const url = () => {
    const at = address("");
    at.hash = `pair=${props.link.code}`;
    return at.href;
  };
  const left = () => props.link.expires_at - secondClock();
  return (
    <Dialog title="Pair a device" onClose={props.onClose}>
      <div class="dialog-text">
        <p>Open this link on the other device. It works once.</p>
      </div>
      <Show
        when={left() > 0}
        fallback={
          <p class="muted" role="status">
            The link is too old.{" "}
            <button type="button" class="btn small" onClick={() => props.again()}>
              Make another one
            </button>
          </p>
        }
      >
        <div class="pair-link">
          <code>{url()}</code>
          <CopyButton text={url} label="Copy the link" />
        </div>
        <p class="muted">
          Or type the code <code class="pair-code">{props.link.code}</code>
          <CopyButton text={() => props.link.code} label="Copy the code" />
        </p>
        <p class="faint">Good for another {duration(Math.ceil(left() / 1000) * 1000).replace(".0 s", " s")}.</p>
      </Show>
      <Show when={onlyHere()}>
        <p class="pair-note">
          <Icon name="warning" size={14} />
          <span>
            This address, {location.host}, leads to Baton only on this machine. For a phone, open Baton by an address that it can reach, and pair from there; <code>baton serve --help</code> says
            how to listen there.
          </span>
        </p>
      </Show>
    </Dialog>
  );
}
