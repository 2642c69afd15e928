import "./Composer.css";
import { createEffect, createMemo, createSignal, on, onCleanup, onMount, Show, type JSX } from "solid-js";
import { ariaKeysOf, keyHint, useAction } from "../app/actions";
import { createCommandList, type CommandsOf } from "../extras/commandSuggestions";
import { withCommand, type UnknownCommand } from "../extras/commands";
import { ownCommands, type Acts, type OwnCommand } from "../extras/ownCommands";
import { NoSuchCommand } from "../extras/NoSuchCommand";
import type { Attachment } from "../generated/wire";
import { Icon } from "../ui/Icon";
import { later } from "../ui/later";
import { createAttachments } from "./attachments";
import { AttachmentStrip } from "./AttachmentStrip";
import { takeDrops } from "./drops";
import { enter, queueKey, steerKey } from "./enter";
import { createFileList, type FilesOf } from "./fileSuggestions";
import { DraftNotes } from "./OtherDraft";
import { createSharedDraft } from "./sharedDraft";
import { returned } from "./putBack";

export interface ComposerProps {
  /** Where the draft belongs: a thread, or the new thread of a project. */
  place: string;
  placeholder: string;
  working: boolean;
  stopping?: boolean;
  /** Why nothing can be sent now. */
  blocked?: string;
  autofocus?: boolean;
  pickers: JSX.Element;
  meter?: JSX.Element;
  /** Whose commands `/` offers. */
  commandsOf?: CommandsOf;
  /** What Baton's own commands can do here. */
  acts?: Acts;
  /** Whose files `@` offers. */
  filesOf?: FilesOf;
  /** Messages sent before, oldest first, for ↑. */
  history: () => readonly string[];
  onBegin?: () => void;
  onSend: (text: string, files: Attachment[]) => void;
  /** Sends into what runs, where the provider can do that. */
  onSteer?: (text: string, files: Attachment[]) => void;
  onStop?: () => void;
}

const CommandList = later(async () => (await import("../extras/CommandList")).CommandList);
const FileList = later(async () => (await import("./FileList")).FileList);

const SAVE_AFTER_MS = 200;
/** The longest message that the server takes, in UTF-16 units. */
const MAX_UNITS = 1_000_000;

export function Composer(props: ComposerProps) {
  const draft = createSharedDraft(props.place, () => fit(area));
  const { text, setText } = draft;
  let area!: HTMLTextAreaElement;
  let box!: HTMLDivElement;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let begun = false;
  /** How far back ↑ has gone; -1 while it has not. */
  let recalled = -1;

  const save = () => {
    clearTimeout(timer);
    draft.save();
  };
  const put = (next: string) => {
    setText(next);
    setDoubted(undefined);
    fit(area);
  };
  const write = (next: string) => {
    put(next);
    recalled = -1;
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_AFTER_MS);
    if (begun || !next) return;
    begun = true;
    props.onBegin?.();
  };
  const putAt = (next: string, caret: number) => {
    write(next);
    area.focus();
    area.setSelectionRange(caret, caret);
  };
  const own = createMemo(() =>
    ownCommands({ openModels: () => box.querySelector<HTMLButtonElement>(".pick-model")?.click(), ...props.acts }),
  );
  const run = (command: OwnCommand, words: string) => {
    const rest = command.run(words);
    return rest ? rest : undefined;
  };
  const mentioned = createFileList({ of: () => props.filesOf, text, area: () => area, put: putAt });
  const commands = createCommandList({
    of: () => props.commandsOf,
    text,
    area: () => area,
    own,
    put: putAt,
    run: (command) => void run(command, ""),
  });
  const files = createAttachments(props.place);
  let picker!: HTMLInputElement;
  const attach = (list: FileList | null | undefined) => {
    if (list?.length) files.add(list);
    area.focus();
  };
  const dropping = takeDrops(attach);
  const isEmpty = () => text().trim() === "" && files.all().length === 0;
  const tooLong = () => text().length > MAX_UNITS;
  const canSend = () => !isEmpty() && !files.busy() && !props.blocked && !tooLong();
  /** A message that is not sent before it is said what it means. */
  const [doubted, setDoubted] = createSignal<{ unknown: UnknownCommand; how: ComposerProps["onSend"] }>();
  /** Does what a message says that is a command of Baton's; says whether it was one. */
  const obey = (message: string, how: ComposerProps["onSend"]): boolean => {
    const meant = commands.own(message);
    if (!meant) return false;
    if (meant instanceof Promise) {
      // The agent is still asked whether it has a command of that name.
      void meant.then(() => text() === message && send(how));
      return true;
    }
    const { command, text: words } = meant;
    if (command.needsText && !words) {
      putAt(`/${command.name} `, command.name.length + 2);
      return true;
    }
    const rest = run(command, words);
    put(rest && !canSend() ? rest : "");
    save();
    recalled = -1;
    if (rest && !text()) how(rest, files.take());
    return true;
  };
  const send = (how = props.onSend, asText = false) => {
    if (!asText && text().startsWith("/") && obey(text(), how)) return;
    if (!canSend()) return;
    const message = text();
    const unknown = asText ? undefined : commands.unknown(message);
    setDoubted(unknown && { unknown, how });
    if (unknown) return;
    put("");
    save();
    recalled = -1;
    how(message, files.take());
  };

  onMount(() => {
    fit(area);
    if (props.autofocus && matchMedia("(pointer: fine)").matches) area.focus({ preventScroll: true });
  });
  onCleanup(save);
  useAction("message.focus", () => area.focus());
  useAction("message.attach", () => picker.click());
  const leave = () => save();
  window.addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", leave);
  onCleanup(() => {
    window.removeEventListener("pagehide", leave);
    document.removeEventListener("visibilitychange", leave);
  });

  createEffect(
    on(returned, (back) => {
      if (!back || back.place !== props.place) return;
      put(back.text);
      draft.settle();
      files.put(back.files);
      area.focus();
      area.setSelectionRange(area.value.length, area.value.length);
    }, { defer: true }),
  );

  /** Goes through what was said before, as long as it is not changed. */
  const recall = (event: KeyboardEvent, by: 1 | -1) => {
    const history = props.history();
    const untouched = text() === "" || (recalled >= 0 && text() === history[history.length - 1 - recalled]);
    if (!untouched || history.length === 0) return;
    const next = recalled + by;
    if (next >= history.length || (next < 0 && recalled < 0)) return;
    event.preventDefault();
    put(next < 0 ? "" : history[history.length - 1 - next]!);
    recalled = next;
    area.setSelectionRange(area.value.length, area.value.length);
  };

  const onKey = (event: KeyboardEvent) => {
    // Enter that ends a composition (keyCode 229 in Safari) is not for us.
    if (event.isComposing || event.keyCode === 229 || commands.key(event) || mentioned.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      const other = event.ctrlKey || event.metaKey;
      send(props.onSteer && other !== (enter() === "steer") ? props.onSteer : props.onSend);
    } else if (event.key === "ArrowUp" && !event.shiftKey && !event.altKey) recall(event, 1);
    else if (event.key === "ArrowDown" && recalled >= 0) recall(event, -1);
  };

  const list = () => [commands, mentioned].find((list) => list.open() && list.found().length > 0);
  const lists = () => (props.commandsOf || props.filesOf || props.acts ? "list" : undefined);
  const moved = () => {
    commands.moved();
    mentioned.moved();
  };

  return (
    <div ref={box} class="composer" data-working={props.working ? "" : undefined}
      data-dropping={dropping() ? "" : undefined}
      onPointerDown={(event) => event.target === event.currentTarget && area.focus()}>
      <Show when={doubted()}>
        {(doubt) => (
          <NoSuchCommand
            unknown={doubt().unknown}
            agent={commands.agent()}
            onUse={() => {
              const next = withCommand(text(), doubt().unknown.near!);
              write(next.text);
              area.focus();
              area.setSelectionRange(area.value.length, area.value.length);
            }}
            onSend={() => {
              send(doubt().how, true);
              area.focus();
            }}
            onClose={() => {
              setDoubted(undefined);
              area.focus();
            }}
          />
        )}
      </Show>
      <Show when={tooLong()}>
        <p class="composer-long bad" role="alert">
          {text().length.toLocaleString()} characters are too long for a message: at most {MAX_UNITS.toLocaleString()} can be sent. Attach the text as a file instead.
        </p>
      </Show>
      <DraftNotes draft={draft} onDone={() => area.focus()} />
      <AttachmentStrip drafts={files} />
      <textarea
        ref={area}
        rows="1"
        dir="auto"
        aria-label="Message"
        aria-keyshortcuts={ariaKeysOf("message.focus")}
        placeholder={props.placeholder}
        value={text()}
        enterkeyhint="send"
        aria-autocomplete={lists()}
        aria-haspopup={lists() && "listbox"}
        aria-controls={list()?.id}
        aria-activedescendant={list()?.optionId(list()!.at())}
        onInput={(event) => {
          write(event.currentTarget.value);
          commands.typed();
          mentioned.typed();
        }}
        onKeyDown={onKey}
        onKeyUp={moved}
        onClick={moved}
        onBlur={(event) => {
          commands.left(event);
          mentioned.left(event);
        }}
        onPaste={(event) => {
          // What has words as well (from a text processor, say) is pasted as words.
          const { files: pasted, types } = event.clipboardData ?? {};
          if (!pasted?.length || types?.includes("text/plain")) return;
          event.preventDefault();
          attach(pasted);
        }}
      />
      <Show when={commands.open()}>
        <CommandList list={commands} beside={() => box} />
      </Show>
      <Show when={mentioned.open()}>
        <FileList list={mentioned} beside={() => box} />
      </Show>
      <div class="composer-bar">
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          onChange={(event) => {
            attach(event.currentTarget.files);
            event.currentTarget.value = "";
          }}
        />
        <button type="button" class="icon-btn attach" aria-label="Attach files" title="Attach images, PDF documents or text; or paste or drop them" onClick={() => picker.click()}>
          <Icon name="clip" size={16} />
        </button>
        <div class="composer-pickers">{props.pickers}</div>
        {props.meter}
        <Show when={props.onSteer && !isEmpty()}>
          <button
            type="button"
            class="send steer"
            disabled={!canSend()}
            aria-label="Send now, into what runs"
            title={props.blocked ?? `Send now: taken at the agent's next step (${steerKey()})`}
            onClick={() => {
              send(props.onSteer);
              area.focus();
            }}
          >
            <Icon name="send" />
          </button>
        </Show>
        <Show when={!props.working || !isEmpty()}>
          <button
            type="button"
            class="send"
            classList={{ queue: props.working }}
            disabled={!canSend()}
            aria-label={props.working ? "Queue the message" : "Send"}
            title={props.blocked ?? (props.working ? `Queue (${props.onSteer ? queueKey() : "Enter"})` : "Send (Enter)")}
            onClick={() => {
              send();
              area.focus();
            }}
          >
            <Icon name={props.working ? "plus" : "arrowUp"} />
          </button>
        </Show>
        <Show when={props.working}>
          <button
            type="button"
            class="send stop"
            disabled={props.stopping}
            aria-label={props.stopping ? "Stopping" : "Stop"}
            title={`Stop${keyHint("thread.stop")}`}
            onClick={() => props.onStop?.()}
          >
            <i />
          </button>
        </Show>
      </div>
    </div>
  );
}

const MAX_HEIGHT = 0.4;

/** Grows with its text where the browser does not do so by itself. */
function fit(area: HTMLTextAreaElement): void {
  if (CSS.supports("field-sizing", "content")) return;
  queueMicrotask(() => {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, window.innerHeight * MAX_HEIGHT)}px`;
  });
}
