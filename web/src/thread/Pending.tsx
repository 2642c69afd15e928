import { Show } from "solid-js";
import { useBaton } from "../app/baton";
import { navigate } from "../app/router";
import type { Outgoing } from "../composer/outbox";
import { putBack } from "../composer/putBack";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Words } from "../ui/Words";
import { visible } from "../lib/visible";
import { UserText } from "./UserText";

/** A message that the server has not confirmed yet. */
export function Pending(props: { entry: Outgoing }) {
  const baton = useBaton();
  const id = () => props.entry.message.id;
  /** Takes the message out of here. A thread that it was to begin, and never will, is left too. */
  const leave = (then: (place: string, taken: Outgoing) => void) => {
    const taken = baton.outbox.take(id());
    if (!taken) return;
    const project = taken.hopeless ? taken.began : undefined;
    then(project ? `new.${project}` : taken.thread, taken);
    if (project) navigate({ page: "home", project }, true);
  };
  return (
    <div class="you pending" data-pending={props.entry.state} data-row={id()}>
      <header>
        <small>
          <Show when={props.entry.state === "failed"} fallback={<>You · {props.entry.problem ? "waiting for the connection" : "sending"}</>}>
            You · <span class="bad">not sent</span>
          </Show>
        </small>
        <Show when={props.entry.state !== "failed"}>
          <Spinner />
        </Show>
      </header>
      <UserText text={props.entry.message.text} />
      <Show when={props.entry.message.attachments?.length}>
        <p class="faint">With {props.entry.message.attachments!.map((file) => visible(file.name)).join(", ")}</p>
      </Show>
      <Show when={props.entry.state === "failed"}>
        <div class="pending-problem" role="alert">
          <span class="bad grow"><Words text={props.entry.problem} /></span>
          <Show when={!props.entry.hopeless}>
            <button type="button" class="btn small" onClick={() => baton.outbox.retry(id())}>
              <Icon name="refresh" size={14} /> Try again
            </button>
          </Show>
          <button type="button" class="btn quiet small" onClick={() => leave((place, { message, files }) => putBack(place, message.text, files))}>
            Edit
          </button>
          <button type="button" class="btn quiet small" onClick={() => leave(() => {})}>
            Discard
          </button>
        </div>
      </Show>
    </div>
  );
}
