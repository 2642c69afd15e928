import "./Markdown.css";
import { createEffect, createMemo, createSignal, Index, onCleanup, Show } from "solid-js";
import { CopyButton } from "../ui/CopyButton";
import type { Block } from "./blocks";

type Engine = typeof import("./engine");

const [engine, setEngine] = createSignal<Engine>();

function load(): void {
  import("./engine").then(setEngineOnce).catch(() => {
    // The network is away: the next text asks again, and until then it is shown as it is.
  });
}
const setEngineOnce = (loaded: Engine) => void setEngine(() => loaded);
load();

/** Markdown that may still grow. While it does, only its last block is drawn again. */
export function Markdown(props: { text: string; live?: boolean; class?: string }) {
  const [many, setMany] = createSignal(false);
  if (!engine()) load();
  return (
    <div class={`md ${props.class ?? ""}`} data-live={props.live ? "" : undefined} data-many={many() ? "" : undefined}>
      <Show when={engine()} fallback={<p class="md-plain">{props.text}</p>}>
        {(ready) => <Blocks engine={ready()} text={props.text} live={props.live ?? false} onMany={setMany} />}
      </Show>
    </div>
  );
}

/** From this many blocks on, those that are far away are not laid out. */
const MANY_BLOCKS = 60;

function Blocks(props: { engine: Engine; text: string; live: boolean; onMany: (many: boolean) => void }) {
  const stream = new props.engine.BlockStream();
  const blocks = createMemo(() => (props.live ? stream.update(props.text) : props.engine.blocksOf(props.text)));
  createEffect(() => props.onMany(blocks().length > MANY_BLOCKS));
  return <Index each={blocks()}>{(block) => <BlockView engine={props.engine} block={block()} />}</Index>;
}

function BlockView(props: { engine: Engine; block: Block }) {
  return (
    <Show when={props.block.code} fallback={<Prose engine={props.engine} raw={props.block.raw} />}>
      {(code) => <CodeBlock text={code().text} lang={code().lang} closed={code().closed} />}
    </Show>
  );
}

function Prose(props: { engine: Engine; raw: string }) {
  const raw = createMemo(() => props.raw);
  // The HTML is sanitised where it is made.
  return <div class="md-block" innerHTML={props.engine.renderMarkdown(raw())} />;
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
