import { createEffect, createSignal, on, Show } from "solid-js";
import { api } from "../api/client";
import type { Project } from "../generated/wire";
import { Dialog } from "../ui/dialogs";
import { Icon } from "../ui/Icon";
import { later } from "../ui/later";
import { asksTrust } from "./words";

const TrustCard = later(async () => (await import("./TrustCard")).TrustCard);

/**
 * Has the server look at what a project's configuration would start, and say so when that changed.
 * It only reads files. Without an answer nothing is known to have changed; it is looked at again
 * before the next message.
 */
export function lookAtTrust(project: () => Project | undefined): void {
  createEffect(on(() => project()?.id, (id) => id && void api.trust(id).catch(() => {})));
}

/** Says in a thread that nobody decided on the configuration as it stands now, and asks. */
export function TrustStrip(props: { project: Project; agent: string }) {
  const [open, setOpen] = createSignal(false);
  // A decision, made here or elsewhere, closes the dialog.
  const asks = () => asksTrust(props.project);
  createEffect(() => asks() || setOpen(false));
  return (
    <Show when={asks()}>
      <div class="unusable" role="status" data-trust-strip>
        <Icon name="shield" size={14} />
        <span class="grow">
          What {props.project.name}'s own configuration would start is new or has changed. {props.agent} works here without it until you trust it.
        </span>
        <button type="button" class="btn small" onClick={() => setOpen(true)}>
          Look and decide…
        </button>
      </div>
      <Show when={open()}>
        <Dialog title={`Trust what ${props.project.name} would start?`} class="trust-dialog" onClose={() => setOpen(false)}>
          <TrustCard project={props.project} plain />
        </Dialog>
      </Show>
    </Show>
  );
}
