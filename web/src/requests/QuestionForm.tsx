import { createMemo, createSignal, For, Show, untrack } from "solid-js";
import { useNumberKeys, type CardProps } from "./Dock";
import { keepHalf, loadHalf } from "./halfAnswers";
import { answersOf } from "./words";

/** All questions at once: options with what they mean, own words, or none of it. */
export function QuestionForm(props: CardProps) {
  const body = createMemo(() => props.request.body as Extract<typeof props.request.body, { kind: "question" }>);
  const half = loadHalf(untrack(() => props.request.id));
  const [chosen, setChosen] = createSignal<string[][]>(body().questions.map((question, i) => (half.chosen?.[i] ?? []).filter((label) => question.options.some((option) => option.label === label))));
  const [own, setOwn] = createSignal<string[]>(body().questions.map((_, i) => half.own?.[i] ?? ""));
  keepHalf(untrack(() => props.request.id), () => ({ chosen: chosen(), own: own() }));
  const answers = () => answersOf(body().questions, chosen(), own());
  const complete = () => answers().every((given) => given.length > 0);
  const some = () => answers().some((given) => given.length > 0);

  const replace = <T,>(list: readonly T[], at: number, value: T) => list.map((entry, i) => (i === at ? value : entry));
  const toggle = (at: number, label: string) => {
    const question = body().questions[at];
    if (!question || props.busy) return;
    const now = chosen()[at] ?? [];
    const has = now.includes(label);
    setChosen((all) => replace(all, at, question.multiple ? (has ? now.filter((l) => l !== label) : [...now, label]) : has ? [] : [label]));
    if (!question.multiple && !has) setOwn((all) => replace(all, at, ""));
  };
  const write = (at: number, text: string) => {
    setOwn((all) => replace(all, at, text));
    if (text && !body().questions[at]?.multiple) setChosen((all) => replace(all, at, []));
  };
  const send = () => {
    if (some() && !props.busy) props.answer({ kind: "question", answers: answers() });
  };

  // Keys choose when there is but one question to mean.
  useNumberKeys((index) => {
    const questions = body().questions;
    const option = questions.length === 1 ? questions[0]?.options[index] : undefined;
    if (option) toggle(0, option.label);
  });

  return (
    <form
      class="questions"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div class="ask-body">
        <For each={body().questions}>
          {(question, i) => (
            <fieldset>
              <legend>
                <Show when={question.header && body().questions.length > 1}>
                  <span class="question-header">{question.header}</span>
                </Show>
                {question.text}
                <Show when={question.multiple}>
                  <span class="faint"> Choose any.</span>
                </Show>
              </legend>
              <div class="options">
                <For each={question.options}>
                  {(option, n) => (
                    <label class="option" data-chosen={chosen()[i()]?.includes(option.label) ? "" : undefined}>
                      <input
                        type={question.multiple ? "checkbox" : "radio"}
                        name={`${props.request.id}-${i()}`}
                        checked={chosen()[i()]?.includes(option.label) ?? false}
                        disabled={props.busy}
                        onChange={() => toggle(i(), option.label)}
                      />
                      <span class="grow">
                        <span class="option-label">{option.label}</span>
                        <Show when={option.description && option.description !== option.label}>
                          <span class="option-text">{option.description}</span>
                        </Show>
                      </span>
                      <Show when={body().questions.length === 1 && n() < 9}>
                        <kbd aria-hidden="true">{n() + 1}</kbd>
                      </Show>
                    </label>
                  )}
                </For>
                <Show when={question.custom}>
                  <input
                    class="field"
                    type={question.secret ? "password" : "text"}
                    autocomplete="off"
                    placeholder={question.options.length ? "Or in your own words" : "Your answer"}
                    aria-label={`Own answer to: ${question.text}`}
                    value={own()[i()] ?? ""}
                    disabled={props.busy}
                    onInput={(event) => write(i(), event.currentTarget.value)}
                  />
                </Show>
              </div>
            </fieldset>
          )}
        </For>
      </div>
      <div class="choices">
        <button type="submit" class="btn primary" disabled={props.busy || !some()}>
          {complete() || !some() ? "Answer" : "Answer, the rest left open"}
        </button>
        <button type="button" class="btn" disabled={props.busy} onClick={() => props.answer({ kind: "dismiss" })}>
          Skip
        </button>
      </div>
    </form>
  );
}
