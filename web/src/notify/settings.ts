// How this device tells news, and whether its browser lets it.

import { createSignal } from "solid-js";
import { recall, remember } from "../lib/storage";
import { defaults, type Settings } from "./notify";

const KEPT = "notify";

const [settings, setSettings] = createSignal<Settings>({ ...defaults, ...recall<Partial<Settings>>(KEPT) });

export { settings as notifySettings };

export function setNotify(change: Partial<Settings>): void {
  const next = { ...settings(), ...change };
  setSettings(next);
  remember(KEPT, next);
}

// Another tab of this browser changed them.
if (typeof window !== "undefined") {
  window.addEventListener("storage", (event) => event.key?.endsWith(KEPT) && setSettings({ ...defaults, ...recall<Partial<Settings>>(KEPT) }));
}

export type Permission = "granted" | "denied" | "ask" | "insecure" | "unsupported";

function look(): Permission {
  if (typeof window === "undefined") return "unsupported";
  if (!window.isSecureContext) return "insecure";
  if (!("Notification" in window)) return "unsupported";
  return Notification.permission === "default" ? "ask" : Notification.permission;
}

const [permission, setPermission] = createSignal<Permission>(look());

/** Whether the browser shows notifications. */
export { permission };

export async function askPermission(): Promise<Permission> {
  if (look() === "ask") await Notification.requestPermission();
  setPermission(look());
  return permission();
}

export function watchPermission(): void {
  navigator.permissions
    ?.query({ name: "notifications" })
    .then((status) => status.addEventListener("change", () => setPermission(look())))
    .catch(() => {});
}

/** Shows one by the system. Says whether that worked: some browsers only let installed apps do it. */
export function showNotification(title: string, body: string, tag: string, open: () => void): boolean {
  try {
    const shown = new Notification(title, { body, tag, icon: "./favicon.svg" });
    shown.onclick = () => {
      window.focus();
      open();
      shown.close();
    };
    return true;
  } catch {
    setPermission("unsupported");
    return false;
  }
}
