import "./Setup.css";
import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show } from "solid-js";
import { api, ApiError, explain } from "../api/client";
import type { DirectoryEntry, Project } from "../generated/wire";
import { Icon } from "../ui/Icon";
import { Words } from "../ui/Words";
import { completed, continuing, parentOf, trimmed } from "./paths";

const ASK_AFTER_MS = 80;

/** A path field that knows the directories of the machine. */
export function AddProject(props: { autofocus?: boolean; onAdded: (project: Project) => void }) {
  const [path, setPath] = createSignal("~/");
  const [listed, setListed] = createSignal<{ of: string; entries: DirectoryEntry[] }>();
  const [listProblem, setListProblem] = createSignal("");
  const [active, setActive] = createSignal(-1);
  const [problem, setProblem] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  /** A path that holds more than a project, for which that is still to be confirmed. */
  const [broad, setBroad] = createSignal("");
  const [focused, setFocused] = createSignal(false);
  let input!: HTMLInputElement;
  let list: HTMLUListElement | undefined;

  const shown = createMemo(() => (listed()?.of === parentOf(path()) ? continuing(listed()!.entries, path()) : []));
  const open = () => focused() && shown().length > 0;

  createEffect(
    on(
      () => parentOf(path()),
      (parent) => {
        let current = true;
        const timer = setTimeout(async () => {
          try {
            const found = await api.directories(parent);
            if (current) setListed({ of: parent, entries: found.entries });
            setListProblem("");
          } catch (error) {
            // A path that is being typed is often not there yet; only a silent server is worth a word.
            if (current) setListProblem(explain(error));
          }
        }, ASK_AFTER_MS);
        onCleanup(() => {
          current = false;
          clearTimeout(timer);
        });
      },
    ),
  );
  createEffect(on(shown, () => setActive(-1)));
  onMount(() => {
    if (!props.autofocus) return;
    input.focus();
    input.setSelectionRange(path().length, path().length);
  });

  const take = (entry: DirectoryEntry) => {
    setPath(completed(path(), entry));
    setProblem("");
    input.focus();
  };
  const add = async () => {
    setBusy(true);
    setProblem("");
    const wanted = trimmed(path());
    try {
      props.onAdded(await api.addProject({ path: wanted, broad: broad() === wanted }));
    } catch (error) {
      setProblem(explain(error));
      setBroad(error instanceof ApiError && error.problem.code === "broad_directory" ? wanted : "");
      input.focus();
    } finally {
      setBusy(false);
    }
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const all = shown();
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && all.length) {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      setActive((now) => (now + by + (now < 0 && by < 0 ? 1 : 0) + all.length) % all.length);
      queueMicrotask(() => list?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }));
    } else if (event.key === "Tab" && !event.shiftKey && open() && (active() >= 0 || all.length === 1)) {
      event.preventDefault();
      take(all[Math.max(0, active())]!);
    } else if (event.key === "Enter" && active() >= 0) {
      event.preventDefault();
      take(all[active()]!);
    } else if (event.key === "Escape" && active() >= 0) {
      event.stopPropagation();
      setActive(-1);
    }
  };

  return (
    <form
      class="add-project"
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <label for="project-path">Directory</label>
      <div class="add-line">
        <input
          ref={input}
          id="project-path"
          class="field mono"
          type="text"
          role="combobox"
          aria-expanded={open()}
          aria-controls="project-paths"
          aria-autocomplete="list"
          aria-activedescendant={active() >= 0 ? `project-path-${active()}` : undefined}
          aria-invalid={problem() !== ""}
          aria-describedby="project-problem"
          placeholder="~/code/project"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          value={path()}
          onInput={(event) => {
            setPath(event.currentTarget.value);
            setProblem("");
            setBroad("");
          }}
          onFocus={() => setFocused(true)}
          onKeyDown={onKey}
        />
        <button type="submit" class="btn primary" disabled={busy() || !trimmed(path())}>
          {broad() && broad() === trimmed(path()) ? "Add it all the same" : "Add project"}
        </button>
      </div>
      <p id="project-problem" class="bad" role="alert">
        <Words text={problem() || listProblem()} />
      </p>
      <Show when={open()}>
        <ul ref={list} id="project-paths" class="paths" role="listbox" aria-label="Directories">
          <For each={shown()}>
            {(entry, i) => (
              <li
                id={`project-path-${i()}`}
                role="option"
                aria-selected={i() === active()}
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => take(entry)}
              >
                <Icon name="folder" size={14} />
                <span class="mono ellip">{entry.name}</span>
                <Show when={entry.git}>
                  <span class="tag">git</span>
                </Show>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </form>
  );
}
