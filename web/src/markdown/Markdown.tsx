import "./Markdown.css";
import { createEffect, createMemo, createSignal, Index, onCleanup, Show } from "solid-js";
import { CopyButton } from "../ui/CopyButton";
import { blocksOf, BlockStream, type Block } from "./blocks";
import { renderMarkdown } from "./render";

/** Markdown that may still grow. While it does, only its last block is drawn again. */
export function Markdown(props: { text: string; live?: boolean; class?: string }) {
  const stream = new BlockStream();
  const blocks = createMemo(() => (props.live ? stream.update(props.text) : blocksOf(props.text)));
  return (
    <div class={`md ${props.class ?? ""}`} data-live={props.live ? "" : undefined}>
      <Index each={blocks()}>{(block) => <BlockView block={block()} />}</Index>
    </div>
  );
}

function BlockView(props: { block: Block }) {
  return (
    <Show when={props.block.code} fallback={<Prose raw={props.block.raw} />}>
      {(code) => <CodeBlock text={code().text} lang={code().lang} closed={code().closed} />}
    </Show>
  );
}

function Prose(props: { raw: string }) {
  const raw = createMemo(() => props.raw);
  // eslint-disable-next-line solid/no-innerhtml -- sanitised
  return <div class="md-block" innerHTML={renderMarkdown(raw())} />;
}

function CodeBlock(props: { text: string; lang: string; closed: boolean }) {
  const text = createMemo(() => props.text);
  const [html, setHtml] = createSignal<{ of: string; html: string }>();
  createEffect(() => {
    const code = text();
    const { lang } = props;
    if (!props.closed || !lang) return;
    let current = true;
    onCleanup(() => (current = false));
    import("./highlight")
      .then(({ highlight }) => {
        const coloured = current && highlight(code, lang.toLowerCase());
        if (coloured) setHtml({ of: code, html: coloured });
      })
      .catch(() => {
        // Colours are a nicety: without them the code is still there.
      });
  });
  const coloured = () => {
    const made = html();
    return made && made.of === text() ? made.html : undefined;
  };
  return (
    <figure class="code-block">
      <figcaption>
        <span class="faint">{props.lang}</span>
        <CopyButton text={text} label="Copy code" />
      </figcaption>
      <pre tabindex="0">
        <Show when={coloured()} fallback={<code>{text()}</code>}>
          {(made) => <code innerHTML={made()} />}
        </Show>
      </pre>
    </figure>
  );
}
