import "./Palette.css";
import { createEffect, createMemo, createSignal, For, Index, mapArray, on, onCleanup, onMount, Show, untrack } from "solid-js";
import { createStore } from "solid-js/store";
import { Portal } from "solid-js/web";
import { explain } from "../api/client";
import { hasKey } from "../app/actions";
import { useBaton } from "../app/baton";
import { focusMain } from "../app/focus";
import { route } from "../app/router";
import { plural } from "../lib/format";
import { recall, remember } from "../lib/storage";
import { Icon } from "../ui/Icon";
import { KeyWords } from "../ui/KeyWords";
import { Mark, Spinner } from "../ui/Mark";
import { closePalette, sources } from "./open";
import { pieces } from "./rank";
import { grouped, withRecent, type Row } from "./source";
import { ownSources } from "./sources";

const RECENT = "palette.recent";
const MAX_RECENT = 12;
const PAGE = 8;

interface Answer {
  rows: readonly Row[];
  waits: boolean;
  problem?: string;
}

export interface PaletteProps {
  /** What was typed before it was there. */
  query: string;
}

/** One field that finds threads, projects, settings and everything that can be done. */
export function Palette(props: PaletteProps) {
  const own = ownSources(useBaton());
  const [query, setQuery] = createSignal(untrack(() => props.query));
  const [active, setActive] = createSignal<string>();
  const [again, setAgain] = createSignal(0);
  const recent = recall<string[]>(RECENT) ?? [];
  const before = document.activeElement;
  let dialog!: HTMLDialogElement;
  let list!: HTMLDivElement;
  let chosen: Row | undefined;

  const answers = mapArray(() => [...own, ...sources()], (source) => {
    const [answer, setAnswer] = createStore<Answer>({ rows: [], waits: false });
    createEffect(() => {
      again();
      const stop = new AbortController();
      onCleanup(() => stop.abort());
      const found = source.search(query(), stop.signal);
      if (!(found instanceof Promise)) {
        setAnswer({ rows: found, waits: false, problem: undefined });
        return;
      }
      setAnswer({ rows: [], waits: true, problem: undefined });
      found
        .then((rows) => !stop.signal.aborted && setAnswer({ rows, waits: false }))
        .catch((error: unknown) => !stop.signal.aborted && setAnswer({ rows: [], waits: false, problem: explain(error) }));
    });
    return answer;
  });
  const rows = () => answers().flatMap((answer) => answer.rows);
  const sections = createMemo(() => (query().trim() ? grouped(rows()) : withRecent(rows(), recent)));
  const flat = createMemo(() => sections().flatMap((section) => section.rows));
  const waits = () => answers().some((answer) => answer.waits);
  const problem = () => answers().find((answer) => answer.problem)?.problem;
  const at = () => Math.max(0, flat().findIndex((row) => row.id === active()));
  const optionId = (row: Row) => `palette-${flat().indexOf(row)}`;

  onMount(() => dialog.showModal());
  // Another page came by itself: what was to be chosen belonged to the former one.
  createEffect(on(route, () => dialog.close(), { defer: true }));
  createEffect(on([query], () => setActive(undefined), { defer: true }));

  const choose = (row: Row | undefined) => {
    if (!row) return;
    chosen = row;
    remember(RECENT, [row.id, ...recent.filter((id) => id !== row.id)].slice(0, MAX_RECENT));
    dialog.close();
  };
  const closed = () => {
    closePalette();
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    // What had the focus may be gone, or put away with the drawer.
    if (document.activeElement === document.body) focusMain();
    chosen?.run();
  };
  const move = (by: number) => {
    const all = flat();
    if (!all.length) return;
    const to = Math.abs(by) === 1 ? (at() + by + all.length) % all.length : Math.min(all.length - 1, Math.max(0, at() + by));
    setActive(all[to]!.id);
    list.querySelector(`#palette-${to}`)?.scrollIntoView({ block: "nearest" });
  };
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE };
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.isComposing || event.keyCode === 229) return;
    if (hasKey("palette.open", event)) {
      event.preventDefault();
      dialog.close();
    } else if (steps[event.key]) {
      event.preventDefault();
      move(steps[event.key]!);
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(flat()[at()]);
    }
  };

  return (
    <Portal>
      <dialog
        ref={dialog}
        class="palette"
        aria-label="Search and do"
        onClose={closed}
        onClick={(event) => event.target === dialog && dialog.close()}
        onKeyDown={onKey}
      >
        <div class="palette-body">
          <div class="palette-field">
            <Icon name="search" />
            <input
              type="text"
              role="combobox"
              aria-expanded="true"
              aria-controls="palette-list"
              aria-autocomplete="list"
              aria-activedescendant={flat().length ? `palette-${at()}` : undefined}
              aria-label="Search threads, messages, projects, actions and settings"
              placeholder="Search threads, messages, actions"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              enterkeyhint="go"
              autofocus
              value={query()}
              onInput={(event) => {
                setQuery(event.currentTarget.value);
                list.scrollTop = 0;
              }}
            />
            <button type="button" class="icon-btn" aria-label="Close" title="Close (Esc)" onClick={() => dialog.close()}>
              <Icon name="close" />
            </button>
          </div>
          <div class="palette-list" id="palette-list" role={flat().length ? "listbox" : undefined} aria-label={flat().length ? "Found" : undefined} ref={list}>
            <For each={sections().map((section) => section.group)}>
              {(group) => (
                <div role="group" aria-label={group}>
                  <div class="palette-group" aria-hidden="true">
                    {group}
                  </div>
                  <Index each={sections().find((section) => section.group === group)?.rows ?? []}>
                    {(row) => (
                      <div
                        id={optionId(row())}
                        role="option"
                        class="palette-row"
                        data-row={row().id}
                        aria-selected={flat()[at()]?.id === row().id}
                        onPointerMove={() => setActive(row().id)}
                        onClick={() => choose(row())}
                      >
                        <RowWords row={row()} />
                      </div>
                    )}
                  </Index>
                </div>
              )}
            </For>
            <Show when={!flat().length && !waits()}>
              <p class="palette-note">Nothing is called “{query().trim()}”.</p>
            </Show>
          </div>
          <Show when={waits()}>
            <p class="palette-note">
              <Spinner /> Searching…
            </p>
          </Show>
          <Show when={problem()}>
            {(words) => (
              <p class="palette-note" role="alert">
                <span class="bad">{words()}</span>
                <button type="button" class="btn small" onClick={() => setAgain(again() + 1)}>
                  Try again
                </button>
              </p>
            )}
          </Show>
          <p class="palette-foot">
            <span>
              <kbd>↑</kbd> <kbd>↓</kbd> choose
            </span>
            <span>
              <kbd>Enter</kbd> go
            </span>
            <span>
              <kbd>Esc</kbd> close
            </span>
          </p>
          <p class="visually-hidden" role="status">
            {query().trim() ? plural(flat().length, "result") : ""}
          </p>
        </div>
      </dialog>
    </Portal>
  );
}

function RowWords(props: { row: Row }) {
  return (
    <>
      <span class="palette-sign">
        <Show when={props.row.mark} fallback={props.row.icon && <Icon name={props.row.icon} size={14} />}>
          {(state) => <Mark state={state()} />}
        </Show>
      </span>
      <bdi class="palette-title ellip">
        <For each={pieces(props.row.title, props.row.spans ?? [])}>{(piece) => (piece.found ? <b>{piece.text}</b> : piece.text)}</For>
      </bdi>
      <bdi class="palette-detail ellip">{props.row.detail}</bdi>
      <For each={props.row.keys?.slice(0, 1)}>{(binding) => <KeyWords binding={binding} />}</For>
    </>
  );
}
