import { For } from "solid-js";
import { codePieces } from "../lib/format";

/** A text with what stands between backticks set as code. */
export function Words(props: { text: string | undefined }) {
  return <For each={codePieces(props.text ?? "")}>{({ text, code }) => (code ? <code>{text}</code> : text)}</For>;
}
