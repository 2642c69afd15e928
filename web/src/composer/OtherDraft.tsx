import { Show } from "solid-js";
import { Icon } from "../ui/Icon";
import type { SharedDraft } from "./sharedDraft";

/** What is to be known of a draft: that another tab wrote one too, and that it cannot be kept. */
export function DraftNotes(props: { draft: SharedDraft; onDone: () => void }) {
  return (
    <div class="draft-notes" role="status">
      <Show when={!props.draft.kept() && props.draft.text()}>
        <p class="draft-note bad">
          <Icon name="warning" size={14} />
          <span class="grow">This browser cannot keep what you write: its storage is full or forbidden. Send it, or copy it before you leave.</span>
        </p>
      </Show>
      <Show when={props.draft.other() && props.draft.other() !== props.draft.text()}>
        <div class="draft-note" data-other>
          <span class="grow ellip">
            Written in another tab: <bdi>{props.draft.other().slice(0, 200)}</bdi>
          </span>
          <button
            type="button"
            class="btn small"
            onClick={() => {
              props.draft.takeOther();
              props.onDone();
            }}
          >
            Use that
          </button>
          <button
            type="button"
            class="btn quiet small"
            onClick={() => {
              props.draft.dropOther();
              props.onDone();
            }}
          >
            Drop it
          </button>
        </div>
      </Show>
    </div>
  );
}
