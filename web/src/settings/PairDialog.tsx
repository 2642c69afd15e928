import { createSignal, For, Show } from "solid-js";
import { address } from "../api/client";
import { useBaton } from "../app/baton";
import type { PairingLink } from "../generated/wire";
import { secondClock } from "../lib/clock";
import { duration } from "../lib/format";
import { pathOf, sideOf } from "../lib/qr";
import { CopyButton } from "../ui/CopyButton";
import { Dialog } from "../ui/Dialog";
import { Icon } from "../ui/Icon";

/** A link that lets one browser in, once: to be seen by its camera, opened or typed. */
export function PairDialog(props: { link: PairingLink; again: () => void; onClose: () => void }) {
  const [chosen, setChosen] = createSignal(0);
  const shown = () => props.link.addresses[chosen()] ?? props.link.addresses[0];
  // The address this browser came by is the one that is known to lead here.
  const here = () => {
    const at = address("");
    at.hash = `pair=${props.link.code}`;
    return at.href;
  };
  const url = () => shown()?.url ?? here();
  const left = () => props.link.expires_at - secondClock();
  return (
    <Dialog title="Pair a device" onClose={props.onClose}>
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
        <div class="dialog-text">
          <p>{shown() ? "Point the other device's camera at the code, or open the link there. It works once." : `Open this link in another browser${props.link.only_here ? " on this machine" : ""}. It works once.`}</p>
        </div>
        <Show when={props.link.addresses.length > 1}>
          <div class="pair-addresses" role="radiogroup" aria-label="Address for the other device">
            <For each={props.link.addresses}>
              {(entry, i) => (
                <label class="chip">
                  <input type="radio" name="pair-address" checked={shown() === entry} onChange={() => setChosen(i())} />
                  {new URL(entry.url).host}
                </label>
              )}
            </For>
          </div>
        </Show>
        <Show when={shown()}>{(entry) => <QrCode rows={entry().qr} label={`QR code of the link by ${new URL(entry().url).host}`} />}</Show>
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
      <Show when={!shown()}>
        <Show when={props.link.only_here} fallback={<NotKnown url={props.link.url} />}>
          <OnlyHere url={props.link.url} />
        </Show>
      </Show>
    </Dialog>
  );
}

/** Dark on light in every theme, since many readers take nothing else. */
function QrCode(props: { rows: readonly string[]; label: string }) {
  const side = () => sideOf(props.rows);
  return (
    <svg class="pair-qr" role="img" aria-label={props.label} viewBox={`0 0 ${side()} ${side()}`} shape-rendering="crispEdges">
      <path d={pathOf(props.rows)} />
    </svg>
  );
}

/** Where a server says it listens, whatever address this page was opened by. */
function listensAt(url: string) {
  const { hostname, port } = new URL(url);
  return { hostname, port: port || "80" };
}

/** What to do where others reach this Baton, by an address that it does not know. */
function NotKnown(props: { url: string }) {
  return (
    <div class="pair-note">
      <Icon name="warning" size={14} />
      <p>
        Other devices may reach this Baton, but it does not know by which address. Open <code>http://ADDRESS:{listensAt(props.url).port}</code> there, with an address of this machine, and type the code. What is sent is not encrypted: use it where you
        trust everybody.
      </p>
    </div>
  );
}

/** What to do where no other device can reach this Baton. */
function OnlyHere(props: { url: string }) {
  const baton = useBaton();
  const at = () => listensAt(props.url);
  const port = () => at().port;
  return (
    <div class="pair-note">
      <Icon name="warning" size={14} />
      <div>
        <p>This Baton can be reached from this machine only. For another device, start it in one of these ways:</p>
        <ul>
          <li>
            <code>baton --host 0.0.0.0</code> for your network. What is sent is not encrypted: use it where you trust everybody.
          </li>
          <li>
            <code>baton --allow-host NAME</code> with a proxy with TLS of that name in front, such as <code>tailscale serve {port()}</code>. Open Baton by that name, and pair from there.
          </li>
        </ul>
        <p>
          A computer needs neither: run <code>ssh -L {port()}:{at().hostname}:{port()} {baton.bootstrap()?.host ?? "this-machine"}</code> on it, and this link leads here from there too.
        </p>
      </div>
    </div>
  );
}
