import "./KeySheet.css";
import { For } from "solid-js";
import { hrefOf } from "./router";
import { Dialog } from "../ui/Dialog";
import { KeyWords } from "../ui/KeyWords";
import { keysOf } from "./actions";
import { catalogue, groups } from "./catalogue";

/** The list of keys, as they are now. */
export function KeySheet(props: { onClose: () => void }) {
  return (
    <Dialog title="Keys" class="keys-dialog" onClose={props.onClose}>
      <div class="keys-columns">
        <For each={groups}>
          {(group) => (
            <section aria-label={group}>
              <h3>{group}</h3>
              <dl class="keys">
                <For each={catalogue.filter((entry) => entry.group === group && keysOf(entry.id).length)}>
                  {(entry) => (
                    <div data-action={entry.id}>
                      <dt>{entry.title}</dt>
                      <dd>
                        <For each={keysOf(entry.id)}>{(binding) => <KeyWords binding={binding} />}</For>
                      </dd>
                    </div>
                  )}
                </For>
              </dl>
            </section>
          )}
        </For>
      </div>
      <div class="dialog-actions">
        <a class="btn quiet" href={hrefOf({ page: "settings", section: "keys" })}>
          Change them
        </a>
        <button type="button" class="btn" autofocus onClick={(event) => event.currentTarget.closest("dialog")?.close()}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
