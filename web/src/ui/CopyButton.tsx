import { createSignal, onCleanup } from "solid-js";
import { toast } from "../app/toasts";
import { Icon } from "./Icon";
import type { MenuEntry } from "./Popover";

/** Copies a text, which may still have to be fetched. */
export function CopyButton(props: { text: () => string | Promise<string>; label?: string; class?: string }) {
  const [done, setDone] = createSignal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  const copy = async () => {
    try {
      await copyText(await props.text());
      setDone(true);
      clearTimeout(timer);
      timer = setTimeout(() => setDone(false), 1_500);
    } catch {
      toast("It could not be copied.", { tone: "bad" });
    }
  };
  const label = () => (done() ? "Copied" : (props.label ?? "Copy"));
  return (
    <button type="button" class={`icon-btn copy ${props.class ?? ""}`} onClick={() => void copy()} aria-label={label()} title={label()}>
      <Icon name={done() ? "check" : "copy"} size={14} />
    </button>
  );
}

/** An entry of a menu that copies a text which is there. */
export const copying = (label: string, text: string): MenuEntry => ({
  label,
  icon: <Icon name="copy" />,
  run: () => void copyText(text).catch(() => toast("It could not be copied.", { tone: "bad" })),
});

export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Pages that are not served securely have no clipboard of their own.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const worked = document.execCommand("copy");
  area.remove();
  if (!worked) throw new Error("copying is not allowed");
}
