import { For, Show } from "solid-js";
import { hrefOf } from "../app/router";
import { moveFocus } from "../ui/Popover";
import { Plain } from "../ui/Plain";
import type { ChangedFile } from "./changed";
import { useThread } from "./context";
import { Stat } from "./Stat";

const words = { created: "new", edited: "", deleted: "deleted" };

/** The files that a turn changed; each leads to where it was changed last. */
export function ChangedFiles(props: { files: readonly ChangedFile[]; close: () => void }) {
  const scope = useThread();
  return (
    <ul class="changed" aria-label="Changed files" onKeyDown={(event) => moveFocus(event, event.currentTarget, "a")}>
      <For each={props.files}>
        {(file) => (
          <li>
            <a class="menu-item" href={hrefOf({ page: "thread", id: scope.id, at: file.item })} title={file.path} onClick={() => props.close()}>
              <code class="grow"><Plain text={file.path} /></code>
              <Show when={words[file.change]}>
                <span class="faint">{words[file.change]}</span>
              </Show>
              <Stat additions={file.additions} deletions={file.deletions} />
            </a>
          </li>
        )}
      </For>
    </ul>
  );
}
