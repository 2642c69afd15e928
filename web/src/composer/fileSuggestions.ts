// The state of the list of files that opens with `@` in a message.

import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js";
import { api, explain } from "../api/client";
import type { FileMatch, FileMatches, ProjectId, ThreadId } from "../generated/wire";
import { createSuggesting } from "../ui/suggesting";
import { typedMention, withMention } from "./mentions";

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

export function createFileList(options: FileListOptions) {
  const [answer, setAnswer] = createSignal<{ query: string; matches: FileMatches }>();
  const [problem, setProblem] = createSignal("");
  let asking = false;
  /** Enter was pressed before what was typed last was answered. */
  let hurried = false;
  const list = createSuggesting({
    text: options.text,
    area: options.area,
    typed: (text, caret) => {
      const mention = options.of() ? typedMention(text, caret) : undefined;
      return mention && mention.query.length <= MAX_QUERY ? mention : undefined;
    },
    found: () => found(),
    choose: (file: FileMatch) => choose(file),
    instead: () => {
      if (!asking || answer()?.matches.indexing || answer()?.query === query()) return undefined;
      hurried = true;
      return "spent";
    },
  });
  const query = createMemo(() => list.sought()?.query);
  const found = createMemo((): readonly FileMatch[] => {
    // What was found for other letters is not what these find.
    if (problem()) return [];
    const matches = answer()?.matches.files ?? [];
    if (query() !== "" || answer()?.query !== "") return matches;
    const touched = (options.of()?.touched?.() ?? []).slice(0, MAX_TOUCHED);
    const rest = matches.filter((match) => !touched.includes(match.path));
    return [...touched.map((path) => ({ path, at: [] })), ...rest].slice(0, MAX_SHOWN);
  });

  let gone = false;
  onCleanup(() => (gone = true));
  /** Asks for what is typed, one question at a time: what is typed meanwhile is asked next. */
  const load = async () => {
    if (asking) return;
    asking = true;
    setProblem("");
    try {
      for (;;) {
        const [of, sought] = [options.of(), query()];
        if (!of || sought === undefined || !list.open()) return;
        const matches = await api.files(of.project, { q: sought, limit: MAX_SHOWN, ...(of.thread && { thread: of.thread }) });
        if (gone) return;
        setAnswer({ query: sought, matches });
        if (matches.indexing) await new Promise((done) => setTimeout(done, AGAIN_MS));
        else if (sought === query()) break;
      }
      const first = found()[list.at()];
      if (hurried && list.open() && first) choose(first);
    } catch (error) {
      if (!gone) setProblem(explain(error));
    } finally {
      asking = false;
      hurried = false;
    }
  };
  createEffect(
    on([list.open, query], ([now], before) => {
      if (!now) return;
      // What was found for another mention is not shown for this one.
      if (!before?.[0]) setAnswer(undefined);
      void load();
    }),
  );

  const choose = (file: FileMatch) => {
    const mention = list.sought();
    if (!mention) return;
    const next = withMention(options.text(), mention, file.path);
    options.put(next.text, next.caret);
    list.goOn(next.caret);
  };

  return { ...list, query, answer, problem, again: () => void load() };
}

export type FileListState = ReturnType<typeof createFileList>;
