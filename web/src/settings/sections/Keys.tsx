import "./Keys.css";
import { createSignal, For, onMount, Show } from "solid-js";
import { keysOf } from "../../app/actions";
import { announce } from "../../app/announce";
import { catalogue, entryOf, groups, type ActionId } from "../../app/catalogue";
import { bindingWords, collide, conflicts, reserved, strokeOf, type Binding } from "../../app/keymap";
import { Icon } from "../../ui/Icon";
import { KeyWords } from "../../ui/KeyWords";
import { allKeys, isChanged, resetKeys, setKeys } from "../bindings";
import { EverywhereNote } from "../EverywhereNote";

/** Every key, and what it may be changed to. */
export function Keys() {
  const [changing, setChanging] = createSignal<ActionId>();
  const changedAny = () => catalogue.some((entry) => isChanged(entry.id));
  return (
    <>
      <EverywhereNote> Keys that would write a letter work where nobody is writing.</EverywhereNote>
      <Show when={changedAny()}>
        <button type="button" class="btn small" onClick={resetKeys}>
          <Icon name="undo" size={14} />
          All as they came
        </button>
      </Show>
      <For each={groups}>
        {(group) => (
          <section aria-label={group}>
            <h3>{group}</h3>
            <ul class="key-list">
              <For each={catalogue.filter((entry) => entry.group === group)}>
                {(entry) => (
                  <li class="key-row" data-action={entry.id} data-fixed={"fixed" in entry ? "" : undefined}>
                    <span class="key-title">{entry.title}</span>
                    <Show when={changing() === entry.id} fallback={<Given id={entry.id} fixed={"fixed" in entry} onChange={() => setChanging(entry.id)} />}>
                      <Recorder id={entry.id} onDone={() => setChanging()} />
                    </Show>
                  </li>
                )}
              </For>
            </ul>
          </section>
        )}
      </For>
    </>
  );
}

function Given(props: { id: ActionId; fixed: boolean; onChange: () => void }) {
  const title = () => entryOf(props.id).title;
  const others = () => keysOf(props.id).flatMap((key) => changeable(conflicts(key, allKeys(), props.id)));
  const drop = (key: Binding) => setKeys(props.id, keysOf(props.id).filter((other) => other !== key));
  return (
    <>
      <span class="key-given">
        <For each={keysOf(props.id)} fallback={<span class="faint">No key</span>}>
          {(key) => (
            <span class="key-one">
              <KeyWords binding={key} />
              <Show when={!props.fixed}>
                <button type="button" class="icon-btn" aria-label={`Remove ${bindingWords(key)} from ${title()}`} title="Remove" onClick={() => drop(key)}>
                  <Icon name="close" size={12} />
                </button>
              </Show>
            </span>
          )}
        </For>
      </span>
      <span class="key-tools">
        <Show when={!props.fixed} fallback={<span class="faint">fixed</span>}>
          <Show when={isChanged(props.id)}>
            <button type="button" class="icon-btn" aria-label={`${title()}: as it came`} title="As it came" onClick={() => setKeys(props.id, undefined)}>
              <Icon name="undo" size={14} />
            </button>
          </Show>
          <button type="button" class="btn small" aria-label={`Change the key of ${title()}`} onClick={() => props.onChange()}>
            Change
          </button>
        </Show>
      </span>
      <Show when={!props.fixed && others().length}>
        <p class="key-note bad">Also the key of: {names(others())}. Only one of them can answer.</p>
      </Show>
    </>
  );
}

/** Those that would answer in one another's stead: what belongs to one place does not. */
const changeable = (ids: readonly string[]) => ids.filter((id) => !entryOf(id as ActionId).fixed);
const names = (ids: readonly string[]) => ids.map((id) => `“${entryOf(id as ActionId).title}”`).join(", ");

/** Takes the next key that is pressed. */
function Recorder(props: { id: ActionId; onDone: () => void }) {
  const [pressed, setPressed] = createSignal<string>();
  const title = () => entryOf(props.id).title;
  let field!: HTMLButtonElement;
  onMount(() => field.focus());
  const others = () => (pressed() ? changeable(conflicts(pressed()!, allKeys(), props.id)) : []);
  const done = (words: string) => {
    const row = field.closest("li");
    props.onDone();
    announce(words);
    row?.querySelector<HTMLElement>(".btn")?.focus();
  };
  const keep = (key: string) => {
    // Taken away from those that had it: a key does one thing.
    for (const id of others()) setKeys(id as ActionId, keysOf(id as ActionId).filter((other) => !collide(other, key)));
    setKeys(props.id, [key]);
    done(`${title()}: ${bindingWords(key)}`);
  };
  const onKey = (event: KeyboardEvent) => {
    // Nothing of it may do what it does elsewhere; only Tab goes on.
    event.stopPropagation();
    if (event.key === "Tab") return;
    event.preventDefault();
    if (event.key === "Escape" && !event.ctrlKey && !event.metaKey && !event.altKey) return done("Not changed");
    const stroke = strokeOf(event);
    if (!stroke) return;
    if (stroke === "Enter" && pressed()) return keep(pressed()!);
    setPressed(stroke);
    if (!others().length && !reserved(stroke)) keep(stroke);
  };
  return (
    <>
      <span class="key-given">
        <button ref={field} type="button" class="key-field" aria-label={pressed() ? undefined : `Press the new key… of ${title()}, or Escape`} onKeyDown={onKey}>
          <Show when={pressed()} fallback="Press the new key…">
            {(key) => <KeyWords binding={key()} />}
          </Show>
        </button>
      </span>
      <span class="key-tools">
        <Show when={pressed()}>
          {(key) => (
            <button type="button" class="btn small primary" onClick={() => keep(key())}>
              Use it
            </button>
          )}
        </Show>
        <button type="button" class="btn small quiet" onClick={() => done("Not changed")}>
          Cancel
        </button>
      </span>
      <p class="key-note" role="status">
        <Show when={others().length}>It is the key of {names(others())}, which would have none. </Show>
        <Show when={pressed() && reserved(pressed()!)}>{(words) => words()}</Show>
      </p>
    </>
  );
}
