import "./Dialog.css";
import { createEffect, createSignal, on, onMount, Show, type JSX } from "solid-js";
import { Portal } from "solid-js/web";
import { explain } from "../api/client";
import { route } from "../app/router";
import { Icon } from "./Icon";
import { Words } from "./Words";

/** A modal dialog. It opens with its component and tells when it is closed, however that is done. */
export function Dialog(props: { title: string; onClose: () => void; children: JSX.Element; class?: string; /** It has a button of its own that closes it. */ closes?: boolean }) {
  let dialog!: HTMLDialogElement;
  const before = document.activeElement;
  onMount(() => dialog.showModal());
  // It belongs to the page it was opened on.
  createEffect(on(route, () => dialog.close(), { defer: true }));
  const closed = () => {
    props.onClose();
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  };
  return (
    <Portal>
      <dialog
        ref={dialog}
        class={`dialog ${props.class ?? ""}`}
        aria-label={props.title}
        onClose={closed}
        onClick={(event) => event.target === dialog && dialog.close()}
        onKeyDown={(event) => event.stopPropagation()}
      >
        <div class="dialog-body">
          <header class="dialog-head">
            <h2 class="grow">{props.title}</h2>
            <Show when={!props.closes}>
              <button type="button" class="icon-btn" aria-label="Close" title="Close (Esc)" onClick={() => dialog.close()}>
                <Icon name="close" />
              </button>
            </Show>
          </header>
          {props.children}
        </div>
      </dialog>
    </Portal>
  );
}

/** Asks before something that cannot be undone, unless it says that it can. */
export function Confirm(props: {
  title: string;
  children: JSX.Element;
  action: string;
  undoable?: boolean;
  run: () => Promise<unknown>;
  onClose: () => void;
}) {
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal("");
  const run = async () => {
    setBusy(true);
    setProblem("");
    try {
      await props.run();
      props.onClose();
    } catch (error) {
      setProblem(explain(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose} closes>
      <div class="dialog-text">{props.children}</div>
      <Show when={problem()}>
        <p class="bad" role="alert">
          <Words text={problem()} />
        </p>
      </Show>
      <div class="dialog-actions">
        <button type="button" class="btn" autofocus onClick={(event) => event.currentTarget.closest("dialog")?.close()}>
          Cancel
        </button>
        <button type="button" class="btn" classList={{ danger: !props.undoable, primary: props.undoable }} disabled={busy()} onClick={() => void run()}>
          {props.action}
        </button>
      </div>
    </Dialog>
  );
}
