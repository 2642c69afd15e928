import "./Keys.css";
import { createSignal, For, Show } from "solid-js";
import { hrefOf } from "./router";
import { Dialog } from "../ui/Dialog";
import { KeyWords } from "../ui/KeyWords";
import { keysOf, useAction } from "./actions";
import { catalogue, groups } from "./catalogue";

/** The list of keys, one key away where nobody is writing. */
export function Keys() {
  const [open, setOpen] = createSignal(false);
  useAction("keys.show", () => setOpen(true));
  return (
    <Show when={open()}>
      <Dialog title="Keys" class="keys-dialog" onClose={() => setOpen(false)}>
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
    </Show>
  );
}
