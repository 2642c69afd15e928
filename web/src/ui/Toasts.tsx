import "./Toasts.css";
import { For } from "solid-js";
import { dismissToast, toasts } from "../app/toasts";
import { Icon } from "./Icon";
import { Words } from "./Words";

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      <For each={toasts()}>
        {(toast) => (
          <div class="toast" data-tone={toast.tone}>
            <span class="grow"><Words text={toast.text} /></span>
            {toast.action && (
              <button
                type="button"
                class="btn small"
                onClick={() => {
                  toast.action?.run();
                  dismissToast(toast.id);
                }}
              >
                {toast.action.label}
              </button>
            )}
            <button type="button" class="icon-btn" aria-label="Dismiss" onClick={() => dismissToast(toast.id)}>
              <Icon name="close" size={14} />
            </button>
          </div>
        )}
      </For>
    </div>
  );
}
