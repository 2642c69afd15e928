import "./Markdown.css";
import { createEffect, createMemo, createSignal, Index, onCleanup, Show, untrack } from "solid-js";
import { CopyButton } from "../ui/CopyButton";
import { colours } from "./colours";
import { isLong } from "../lib/chunks";
import { size } from "../lib/format";
import { LongText } from "../ui/LongText";
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
  if (!engine()) load();
  return (
    <div class={`md ${props.class ?? ""}`} data-live={props.live ? "" : undefined}>
      <Show
        when={engine() && props.text.length <= MAX_MARKDOWN && engine()}
        fallback={
          <>
            <Show when={props.text.length > MAX_MARKDOWN}>
              <p class="md-note">Shown as plain text, for its {size(props.text.length)}.</p>
            </Show>
            <div class="md-plain">
              <LongText text={props.text} />
            </div>
          </>
        }
      >
        {(ready) => <Blocks engine={ready()} text={props.text} live={props.live ?? false} />}
      </Show>
    </div>
  );
}

/** From this many blocks on, parts that are far away are not laid out. */
const MANY_BLOCKS = 60;
/** So many blocks are drawn before somebody asks for more. */
const FIRST_BLOCKS = 400;
/** A longer text is not read as markdown: it would hold up the page. */
const MAX_MARKDOWN = 256 * 1024;

function Blocks(props: { engine: Engine; text: string; live: boolean }) {
  const stream = new props.engine.BlockStream(true);
  const blocks = createMemo(() => (props.live ? stream.update(props.text) : props.engine.blocksOf(props.text)));
  // What was seen while it was written stays.
  const [most, setMost] = createSignal(untrack(() => (props.live ? Infinity : FIRST_BLOCKS)));
  const shown = createMemo(() => (blocks().length > most() ? blocks().slice(0, most()) : blocks()));
  const parts = createMemo((before: (readonly Block[])[]) => props.engine.partsOf(shown(), before), []);
  const isFar = (part: number) => shown().length > MANY_BLOCKS && part < parts().length - 1;
  return (
    <>
      <Index each={parts()}>
        {(part, i) => (
          <div class="md-part" data-far={isFar(i) ? "" : undefined}>
            <Index each={part()}>{(block) => <BlockView engine={props.engine} block={block()} live={props.live} />}</Index>
          </div>
        )}
      </Index>
      <Show when={shown().length < blocks().length}>
        <button type="button" class="btn small md-more" onClick={() => setMost(most() + FIRST_BLOCKS)}>
          Show more: {(blocks().length - shown().length).toLocaleString()} parts are left
        </button>
      </Show>
    </>
  );
}

function BlockView(props: { engine: Engine; block: Block; live: boolean }) {
  return (
    <Show when={props.block.code} fallback={<ProseBlock engine={props.engine} block={props.block} live={props.live} />}>
      {(code) => <CodeBlock engine={props.engine} text={code().text} lang={code().lang} closed={code().closed} />}
    </Show>
  );
}

/** A block that is too large shows its beginning; in a live one its end is shown as well. */
function ProseBlock(props: { engine: Engine; block: Block; live: boolean }) {
  /** How often somebody asked for more. */
  const [asked, setAsked] = createSignal(0);
  const shown = createMemo((): { raw: string; rest?: string } => {
    const { raw, short } = props.block;
    if (!short) return { raw };
    if (short.rows !== undefined && asked()) return props.engine.tableOf(raw, short.rows, props.engine.MAX_ROWS + asked() * MORE_ROWS);
    return asked() ? { raw } : short;
  });
  return (
    <Show when={!(asked() && shown().raw.length > MAX_PROSE && props.block.short?.rows === undefined)} fallback={<div class="md-plain"><LongText text={props.block.raw} /></div>}>
      <Prose engine={props.engine} raw={shown().raw} part={props.block.part} />
      <Show when={shown().rest}>
        {(rest) => (
          <Show
            when={props.live && props.block.raw.slice(-LIVE_END)}
            fallback={
              <button type="button" class="btn small md-more" onClick={() => setAsked(asked() + 1)}>
                {props.block.short?.rows === undefined ? "Show all" : "Show more"}: {rest()}
              </button>
            }
          >
            {(end) => <p class="md-plain">…{end()}</p>}
          </Show>
        )}
      </Show>
    </Show>
  );
}

/** So many rows of a table come with each press. */
const MORE_ROWS = 1_000;
/** A longer piece of prose is shown as it was written. */
const MAX_PROSE = 64 * 1024;
/** How much is shown of the end of a large block that is still being written. */
const LIVE_END = 2_000;

function Prose(props: { engine: Engine; raw: string; part: Block["part"] }) {
  const raw = createMemo(() => props.raw);
  const start = createMemo(() => props.part?.start);
  // The HTML is sanitised where it is made.
  return <div class="md-block" data-goes-on={props.part?.goesOn ? "" : undefined} innerHTML={props.engine.renderMarkdown(raw(), start())} />;
}

function CodeBlock(props: { engine: Engine; text: string; lang: string; closed: boolean }) {
  const text = createMemo(() => props.text);
  const [html, setHtml] = createSignal<{ of: string; html: string }>();
  createEffect(() => {
    const code = text();
    const { lang } = props;
    if (!props.closed || !lang) return;
    onCleanup(colours.ask(code, lang.toLowerCase(), (coloured) => coloured && setHtml({ of: code, html: coloured })));
  });
  const coloured = () => {
    const made = html();
    return made && made.of === text() ? made.html : undefined;
  };
  const growing = () => !props.closed && !isLong(text());
  return (
    <figure class="code-block">
      <figcaption>
        <span class="faint">{props.lang}</span>
        <CopyButton text={text} label="Copy code" />
      </figcaption>
      <pre tabindex="0" data-growing={growing() ? "" : undefined}>
        <Show when={coloured()} fallback={<code><Show when={growing()} fallback={<LongText text={text()} />}><Index each={props.engine.codePieces(text())}>{(piece) => <div>{piece() || "\n"}</div>}</Index></Show></code>}>
          {(made) => <code innerHTML={made()} />}
        </Show>
      </pre>
    </figure>
  );
}
