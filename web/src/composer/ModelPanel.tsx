import { createEffect, createMemo, createSignal, For, Match, onMount, Show, Switch } from "solid-js";
import { hasKey, keyHint } from "../app/actions";
import { announce } from "../app/announce";
import { useBaton } from "../app/baton";
import type { Model } from "../generated/wire";
import { plural } from "../lib/format";
import { ProviderFix } from "../settings/ProviderFix";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { ProviderGlyph } from "../ui/ProviderGlyph";
import type { ModelPickerProps } from "./ModelPicker";
import { modelFacts, searchModels } from "./models";
import { byTaste, taste, tasteKey, toggleFavourite, toggleHidden, usedModel } from "./modelTaste";

/** The list of models to choose from. */
export function ModelPanel(props: ModelPickerProps & { close: () => void }) {
  const baton = useBaton();
  const [shown, setShown] = createSignal(props.provider);
  const [query, setQuery] = createSignal("");
  const [active, setActive] = createSignal<string>();
  const status = () => props.providers.find((p) => p.id === shown());
  const view = () => baton.models[shown()];
  const [hiddenToo, setHiddenToo] = createSignal(false);
  const sorted = createMemo(() => byTaste(view()?.list?.models ?? [], shown(), taste(), { hidden: hiddenToo(), recent: !query().trim() }));
  const groups = createMemo(() => {
    const { favourites, recent, rest } = sorted();
    const one = (name: string, list: Model[]) => {
      const found = searchModels(list, query()).flatMap((group) => group.models);
      return found.length ? [{ name, models: name === "Recent" ? list : found }] : [];
    };
    return [...one("Favourites", favourites), ...one("Recent", recent), ...searchModels(rest, query())];
  });
  const key = (model: Model) => tasteKey(shown(), model.id);
  const isFavourite = (model: Model) => taste().favourites.includes(key(model));
  const isHidden = (model: Model) => taste().hidden.includes(key(model));
  const star = (model: Model) => {
    toggleFavourite(key(model));
    announce(`${model.name} is ${isFavourite(model) ? "a favourite" : "no favourite any more"}`);
    reveal();
  };
  const hide = (model: Model) => {
    // The next one is at hand, so that several can be hidden in a row.
    const next = flat()[flat().indexOf(model) + 1]?.id;
    toggleHidden(key(model));
    announce(`${model.name} is ${isHidden(model) ? "hidden" : "shown"}`);
    if (isHidden(model) && !hiddenToo() && next) setActive(next);
  };
  const flat = createMemo(() => groups().flatMap((group) => group.models));
  const chosen = () => (shown() === props.provider ? props.model?.model : undefined);
  const chosenModel = () => view()?.list?.models.find((model) => model.id === chosen());
  let input!: HTMLInputElement;
  let list: HTMLDivElement | undefined;

  onMount(() => input?.focus());
  createEffect(() => baton.ensureModels(shown()));
  createEffect(() => {
    const all = flat();
    const now = active();
    if (!now || !all.some((model) => model.id === now)) setActive((query() ? undefined : chosen()) ?? all[0]?.id);
  });
  const reveal = () => queueMicrotask(() => list?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" }));

  const choose = (model: Model) => {
    const option = model.id === chosen() ? (props.model?.option ?? null) : null;
    props.onChoose(shown(), { model: model.id, option });
    usedModel(key(model));
    if (!model.options.length || model.id === chosen()) props.close();
    else input.focus();
  };
  const move = (by: number) => {
    const all = flat();
    const at = all.findIndex((model) => model.id === active());
    setActive(all[(at + by + all.length) % all.length]?.id);
    reveal();
  };
  const current = () => flat().find((model) => model.id === active());
  const onKey = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (current()) choose(current()!);
    } else if (hasKey("model.star", event) || hasKey("model.hide", event)) {
      event.preventDefault();
      if (current()) (hasKey("model.star", event) ? star : hide)(current()!);
    }
  };

  return (
    <div class="models" role="dialog" aria-label="Choose a model">
      <Show when={props.providers.length > 1}>
        <div class="model-providers" role="tablist" aria-label="Provider">
          <For each={props.providers}>
            {(provider) => (
              <button type="button" role="tab" class="chip" aria-selected={shown() === provider.id} onClick={() => setShown(provider.id)}>
                <ProviderGlyph provider={provider} /> {provider.name}
                <Show when={provider.state !== "ready"}>
                  <span class="chip-warn" title={provider.message}>
                    <Icon name="warning" size={12} />
                  </span>
                </Show>
              </button>
            )}
          </For>
        </div>
      </Show>
      <Show when={status() && status()!.state !== "ready" && status()!.state !== "unknown"}>
        <div class="model-trouble">
          <ProviderFix provider={status()!} />
        </div>
      </Show>
      <div class="model-search">
        <Icon name="search" size={14} />
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls="model-list"
          aria-activedescendant={active() ? `model-${active()}` : undefined}
          aria-autocomplete="list"
          placeholder={view()?.list ? `Search ${plural(view()!.list!.models.length, "model")}` : "Search models"}
          aria-label="Search models"
          autofocus
          autocomplete="off"
          spellcheck={false}
          value={query()}
          onInput={(event) => {
            setQuery(event.currentTarget.value);
            setActive(undefined);
          }}
          onKeyDown={onKey}
        />
      </div>
      <div class="model-list" id="model-list" role={flat().length ? "listbox" : undefined} aria-label={flat().length ? "Models" : undefined} ref={(element) => ((list = element), reveal())}>
        <Switch>
          <Match when={view()?.problem && !view()?.list}>
            <div class="model-note" role="alert">
              <span class="bad">{view()?.problem}</span>
              <button type="button" class="btn small" onClick={() => void baton.loadModels(shown())}>
                Try again
              </button>
            </div>
          </Match>
          <Match when={!view()?.list}>
            <p class="model-note">
              <Spinner /> Asking {status()?.name ?? "the agent"} for its models…
            </p>
          </Match>
          <Match when={flat().length === 0}>
            <p class="model-note">{query() ? `No model matches “${query()}”.` : "No model can be used now."}</p>
          </Match>
        </Switch>
        <For each={groups()}>
          {(group) => (
            <div role="group" aria-label={group.name}>
              <div class="model-group" aria-hidden="true">
                {group.name}
              </div>
              <For each={group.models}>
                {(model) => (
                  <div
                    id={`model-${model.id}`}
                    role="option"
                    class="model"
                    aria-selected={model.id === chosen()}
                    aria-description={[isFavourite(model) && "favourite", isHidden(model) && "hidden"].filter(Boolean).join(", ") || undefined}
                    data-favourite={isFavourite(model) ? "" : undefined}
                    data-hidden={isHidden(model) ? "" : undefined}
                    data-active={model.id === active() ? "" : undefined}
                    data-model={model.id}
                    title={model.unverified ? `${model.id}: ${model.unverified}` : model.id}
                    onPointerMove={() => setActive(model.id)}
                    onClick={() => choose(model)}
                  >
                    <span class="model-check">
                      <Show when={model.id === chosen()}>
                        <Icon name="check" size={14} />
                      </Show>
                    </span>
                    <span class="model-name ellip">{model.name}</span>
                    <Show when={model.custom}>
                      <span class="tag">{model.unverified ? "unverified" : "custom"}</span>
                    </Show>
                    <span class="grow" />
                    <span class="model-facts">{modelFacts(model)}</span>
                    {/* For the pointer; by keys it is done in the field, where the focus is. */}
                    <span class="model-tool" data-tool="hide" aria-hidden="true" title={`${isHidden(model) ? "Show again" : "Hide"}${keyHint("model.hide")}`} onClick={(event) => (event.stopPropagation(), hide(model))}>
                      <Icon name="hide" size={14} />
                    </span>
                    <span class="model-tool" data-tool="star" aria-hidden="true" title={`${isFavourite(model) ? "No favourite" : "Favourite"}${keyHint("model.star")}`} onClick={(event) => (event.stopPropagation(), star(model))}>
                      <Icon name="star" size={14} />
                    </span>
                  </div>
                )}
              </For>
            </div>
          )}
        </For>
      </div>
      <Show when={sorted().hidden}>
        {(many) => (
          <button type="button" class="model-hidden" aria-expanded={hiddenToo()} onClick={() => setHiddenToo(!hiddenToo())}>
            {hiddenToo() ? "Leave out" : "Show"} the {plural(many(), "hidden model")}
          </button>
        )}
      </Show>
      <Show when={view()?.list?.stale}>
        <p class="model-stale">
          This is the last list that could be had. {view()?.list?.problem}{" "}
          <button type="button" class="link" onClick={() => void baton.loadModels(shown())}>
            Try again
          </button>
        </p>
      </Show>
      <Show when={chosenModel()?.options.length ? chosenModel() : undefined}>
        {(model) => (
          <div class="model-options" role="radiogroup" aria-label="Option">
            <span class="muted">Option</span>
            <For each={[null, ...model().options]}>
              {(option) => (
                <button
                  type="button"
                  role="radio"
                  class="chip"
                  aria-checked={(props.model?.option ?? null) === option}
                  onClick={() => props.onChoose(shown(), { model: model().id, option })}
                >
                  {option ?? "default"}
                </button>
              )}
            </For>
          </div>
        )}
      </Show>
    </div>
  );
}
