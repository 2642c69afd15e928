import { createEffect, createMemo, createSignal, createUniqueId, For, on, onCleanup, Show } from "solid-js";
import { api, explain } from "../api/client";
import type { FileMatch, FileMatches, ProjectId, ThreadId } from "../generated/wire";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Suggestions, SuggestionsFoot } from "../ui/Suggestions";
import { Words } from "../ui/Words";
import { nameAt, pieces, typedMention, withMention } from "./mentions";

/** Whose files a message may name. */
export interface FilesOf {
  project: ProjectId;
  /** The thread whose workspace they are in. */
  thread?: ThreadId;
  /** What the agent worked on last, offered before anything is typed. */
  touched?: () => readonly string[];
}

export interface FileListOptions {
  of: () => FilesOf | undefined;
  text: () => string;
  area: () => HTMLTextAreaElement;
  /** Puts a text into the message and the caret into it. */
  put: (text: string, caret: number) => void;
}

const MAX_SHOWN = 50;
const MAX_TOUCHED = 6;
/** The longest path that is looked for, in UTF-16 units. */
const MAX_QUERY = 1_000;
/** How soon a directory that is being looked through is asked for again. */
const AGAIN_MS = 300;

/** The state of the list of files that opens with `@` in a message. */
export function createFileList(options: FileListOptions) {
  const id = createUniqueId();
  const [caret, setCaret] = createSignal(0);
  const [wanted, setWanted] = createSignal(false);
  const [answer, setAnswer] = createSignal<{ query: string; matches: FileMatches }>();
  const [problem, setProblem] = createSignal("");
  const [at, setAt] = createSignal(0);

  const mention = createMemo(() => {
    const found = options.of() ? typedMention(options.text(), caret()) : undefined;
    return found && found.query.length <= MAX_QUERY ? found : undefined;
  });
  const query = createMemo(() => mention()?.query);
  const open = createMemo(() => wanted() && query() !== undefined);
  const found = createMemo((): readonly FileMatch[] => {
    const matches = answer()?.matches.files ?? [];
    if (query() !== "" || answer()?.query !== "") return matches;
    const touched = (options.of()?.touched?.() ?? []).slice(0, MAX_TOUCHED);
    const rest = matches.filter((match) => !touched.includes(match.path));
    return [...touched.map((path) => ({ path, at: [] })), ...rest].slice(0, MAX_SHOWN);
  });

  let gone = false;
  onCleanup(() => (gone = true));
  let asking = false;
  /** Enter was pressed before what was typed last was answered. */
  let hurried = false;
  /** Asks for what is typed, one question at a time: what is typed meanwhile is asked next. */
  const load = async () => {
    if (asking) return;
    asking = true;
    setProblem("");
    try {
      for (;;) {
        const [of, sought] = [options.of(), query()];
        if (!of || sought === undefined || !open()) return;
        const matches = await api.files(of.project, { q: sought, limit: MAX_SHOWN, ...(of.thread && { thread: of.thread }) });
        if (gone) return;
        setAnswer({ query: sought, matches });
        if (matches.indexing) await new Promise((done) => setTimeout(done, AGAIN_MS));
        else if (sought === query()) break;
      }
      const first = found()[at()];
      if (hurried && open() && first) choose(first);
    } catch (error) {
      if (!gone) setProblem(explain(error));
    } finally {
      asking = false;
      hurried = false;
    }
  };
  createEffect(
    on([open, query], ([now], before) => {
      setAt(0);
      if (!now) return;
      // What was found for another mention is not shown for this one.
      if (!before?.[0]) setAnswer(undefined);
      void load();
    }),
  );

  let dismissed = false;
  const close = () => setWanted(false);
  const choose = (file: FileMatch) => {
    const now = mention();
    if (!now) return;
    const next = withMention(options.text(), now, file.path);
    options.put(next.text, next.caret);
    setCaret(next.caret);
    setWanted(typedMention(next.text, next.caret) !== undefined);
  };

  return {
    id,
    open,
    found,
    count: () => found().length,
    at,
    setAt,
    answer,
    problem,
    choose,
    query,
    left: (event: FocusEvent) => {
      const to = event.relatedTarget as Element | null;
      if (to !== options.area() && !to?.closest(".suggestions")) close();
    },
    again: () => void load(),
    optionId: (index: number) => `${id}-${index}`,
    /** Takes note of what was typed. */
    typed: () => {
      setCaret(options.area().selectionStart);
      if (query() === undefined) dismissed = false;
      setWanted(query() !== undefined && !dismissed);
    },
    /** Takes note of where the caret went. */
    moved: () => setCaret(options.area().selectionStart),
    /** Whether a key was for the list. */
    key: (event: KeyboardEvent): boolean => {
      if (!open() || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
      const count = found().length;
      const file = found()[at()];
      const takes = event.key === "Tab" || event.key === "Enter";
      if (event.key === "Escape") {
        dismissed = true;
        close();
      } else if (takes && asking && !answer()?.matches.indexing && answer()?.query !== query()) {
        hurried = true;
      } else if (!file) return false;
      else if (event.key === "ArrowDown") setAt((at() + 1) % count);
      else if (event.key === "ArrowUp") setAt((at() + count - 1) % count);
      else if (takes) choose(file);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  };
}

export type FileListState = ReturnType<typeof createFileList>;

/** The rows, beside the message's box. */
export function FileList(props: { list: FileListState; beside: () => HTMLElement }) {
  const list = () => props.list;
  const matches = () => list().answer()?.matches;
  const more = () => (matches()?.total ?? 0) - (matches()?.files.length ?? 0);
  return (
    <Suggestions state={props.list} beside={props.beside}>
      <Show when={list().found().length && !list().problem()} fallback={<Nothing list={list()} />}>
        <div role="listbox" id={list().id} aria-label="Files">
          <For each={list().found()}>
            {(file, index) => (
              <div
                role="option"
                class="suggestion"
                id={list().optionId(index())}
                aria-selected={index() === list().at()}
                title={file.path}
                onPointerMove={() => list().setAt(index())}
                onClick={() => list().choose(file)}
              >
                <Icon name={file.path.endsWith("/") ? "folder" : "read"} size={14} />
                <b class="ellip">
                  <Marked file={file} from={nameAt(file.path)} to={file.path.length} />
                </b>
                <span class="suggestion-text ellip mono">
                  <Marked file={file} from={0} to={nameAt(file.path)} />
                </span>
              </div>
            )}
          </For>
        </div>
        <SuggestionsFoot>
          {matches()?.cut
            ? "This directory has more files than are looked through: type the rest of a path that is not found."
            : more() > 0 && `${more().toLocaleString()} more: type on to find them.`}
        </SuggestionsFoot>
      </Show>
    </Suggestions>
  );
}

function Marked(props: { file: FileMatch; from: number; to: number }) {
  return (
    <bdi>
      <For each={pieces(props.file.path, props.file.at, props.from, props.to)}>
        {(piece) => (piece.hit ? <mark>{piece.text}</mark> : piece.text)}
      </For>
    </bdi>
  );
}

function Nothing(props: { list: FileListState }) {
  const matches = () => props.list.answer()?.matches;
  return (
    <Show
      when={props.list.problem()}
      fallback={
        <p class="suggestions-note" role="status">
          <Show
            when={matches() && !matches()!.indexing}
            fallback={
              <>
                <Spinner /> Looking through the files…
              </>
            }
          >
            {matches()?.cut ? "Not among the files that were looked through: the directory has more." : props.list.query() ? "No file fits." : "There are no files here."}
          </Show>
        </p>
      }
    >
      <div class="suggestions-note" role="alert">
        <span class="bad">
          <Words text={props.list.problem()} />
        </span>
        <button type="button" class="btn small" onClick={() => props.list.again()}>
          <Icon name="refresh" size={14} />
          Try again
        </button>
      </div>
    </Show>
  );
}
