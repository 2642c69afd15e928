import { Show, type JSX } from "solid-js";
import { Icon } from "../ui/Icon";
import { Words } from "../ui/Words";
import { notSaved } from "./saving";

/** Says of a section that it holds on all devices, and whether that is so yet. */
export function EverywhereNote(props: { children?: JSX.Element }) {
  return (
    <>
      <p class="muted">The same on all your devices.{props.children}</p>
      {/* It was announced when it failed. */}
      <Show when={notSaved()}>
        {(why) => (
          <p class="setting-unsaved">
            <Icon name="warning" size={14} />
            <span>
              Not saved yet, and kept on this device until it is: <Words text={why()} />
            </span>
          </p>
        )}
      </Show>
    </>
  );
}
