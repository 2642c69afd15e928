import { createSignal, Show } from "solid-js";
import { later } from "../ui/later";
import { useAction } from "./actions";

const KeySheet = later(async () => (await import("./KeySheet")).KeySheet);

/** The list of keys, one key away where nobody is writing. */
export function Keys() {
  const [open, setOpen] = createSignal(false);
  useAction("keys.show", () => setOpen(true));
  return (
    <Show when={open()}>
      <KeySheet onClose={() => setOpen(false)} />
    </Show>
  );
}
