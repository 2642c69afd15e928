// Everything a person can do by a key, in one table: what it is called and which keys it has unless
// they were changed. Who does it says so by `useAction`.

import type { Binding } from "./keymap";
import type { IconName } from "../ui/Icon";

export interface Entry {
  id: string;
  title: string;
  group: Group;
  keys: readonly Binding[];
  icon?: IconName;
  /** What else it may be looked for by. */
  words?: string;
  /** Its keys belong to one place, such as the message, and are not changed. */
  fixed?: boolean;
  /** Not offered in the palette, which is no place to do it from. */
  unlisted?: boolean;
}

export const groups = ["Everywhere", "Threads", "This thread", "Message", "What the agent asks", "Lists"] as const;
export type Group = (typeof groups)[number];

export const catalogue = [
  { id: "palette.open", title: "Search and do", group: "Everywhere", keys: ["Mod+K"], unlisted: true },
  { id: "keys.show", title: "Show all keys", group: "Everywhere", keys: ["?"], icon: "list", words: "shortcuts help keyboard" },
  { id: "settings.open", title: "Open the settings", group: "Everywhere", keys: ["Mod+,"], icon: "settings", words: "preferences", unlisted: true },
  { id: "sidebar.toggle", title: "Show or hide the sidebar", group: "Everywhere", keys: ["Mod+B"], icon: "menu", words: "threads drawer" },
  { id: "theme.next", title: "Change the theme", group: "Everywhere", keys: [], icon: "settings", words: "dark light system appearance" },
  { id: "project.add", title: "Add a project", group: "Everywhere", keys: [], icon: "folder", words: "directory folder open" },

  { id: "thread.new", title: "New thread", group: "Threads", keys: ["Mod+Shift+O"], icon: "plus", words: "create begin chat" },
  { id: "thread.needs", title: "Next thread that needs you", group: "Threads", keys: ["Alt+Shift+ArrowDown"], icon: "warning", words: "request waiting attention" },
  { id: "thread.next", title: "Next thread", group: "Threads", keys: ["Alt+ArrowDown"], icon: "arrowDown", words: "below down" },
  { id: "thread.previous", title: "Previous thread", group: "Threads", keys: ["Alt+ArrowUp"], icon: "arrowUp", words: "above up" },
  { id: "threads.filter", title: "Filter the threads", group: "Threads", keys: ["Mod+Shift+F"], icon: "search", words: "search sidebar title" },
  { id: "archive.open", title: "Show the archive", group: "Threads", keys: [], icon: "archive", words: "archived threads" },

  { id: "thread.stop", title: "Stop the turn", group: "This thread", keys: ["Escape Escape", "Mod+."], icon: "stop", words: "interrupt cancel end" },
  { id: "thread.latest", title: "Jump to the latest", group: "This thread", keys: ["Alt+End"], icon: "arrowDown", words: "bottom end scroll" },
  { id: "thread.copyAnswer", title: "Copy the last answer", group: "This thread", keys: ["Mod+Shift+C"], icon: "copy", words: "clipboard" },
  { id: "thread.rename", title: "Rename this thread", group: "This thread", keys: ["F2"], icon: "pencil", words: "title name" },
  { id: "thread.pin", title: "Pin or unpin this thread", group: "This thread", keys: ["Mod+Shift+L"], icon: "pin", words: "keep top" },
  { id: "thread.archive", title: "Archive this thread", group: "This thread", keys: ["Mod+Shift+X"], icon: "archive", words: "put away done" },
  { id: "panel.toggle", title: "Show or hide the panel", group: "This thread", keys: ["Mod+J"], icon: "panel", words: "right side tasks agents" },
  { id: "panel.tasks", title: "Show the tasks", group: "This thread", keys: ["Alt+Shift+T"], icon: "list", words: "todo list plan panel" },
  { id: "panel.agents", title: "Show the sub-agents", group: "This thread", keys: ["Alt+Shift+A"], icon: "agent", words: "agents panel" },
  { id: "thread.unread", title: "Mark this thread as unread", group: "This thread", keys: [], icon: "check", words: "later" },
  { id: "thread.compact", title: "Compact the context", group: "This thread", keys: [], icon: "compact", words: "summarise shorten tokens" },
  { id: "thread.copyId", title: "Copy the thread's id", group: "This thread", keys: [], icon: "copy", words: "clipboard" },
  { id: "thread.copySession", title: "Copy the session's id", group: "This thread", keys: [], icon: "copy", words: "clipboard" },
  { id: "thread.delete", title: "Delete this thread…", group: "This thread", keys: [], icon: "trash", words: "remove" },

  { id: "message.focus", title: "Write a message", group: "Message", keys: ["Mod+I"], icon: "edit", words: "focus composer input field" },
  { id: "model.choose", title: "Choose the model", group: "Message", keys: ["Mod+/"], icon: "agent", words: "provider option picker" },
  { id: "mode.toggle", title: "Change between build and plan", group: "Message", keys: ["Mod+Shift+B"], icon: "plan", words: "mode" },
  { id: "access.choose", title: "Choose the access", group: "Message", keys: ["Mod+Shift+A"], icon: "shield", words: "supervised auto-edit full permission" },
  { id: "message.attach", title: "Attach files", group: "Message", keys: ["Mod+Shift+U"], icon: "clip", words: "image upload picture" },
  { id: "message.send", title: "Send; while the agent works, as the settings say", group: "Message", keys: ["Enter"], fixed: true },
  { id: "message.other", title: "The other of queueing and sending into what runs", group: "Message", keys: ["Mod+Enter"], fixed: true },
  { id: "message.line", title: "A new line", group: "Message", keys: ["Shift+Enter"], fixed: true },
  { id: "message.recall", title: "Your former messages, in an empty message", group: "Message", keys: ["ArrowUp"], fixed: true },

  { id: "model.star", title: "Make the model a favourite, in the list of models", group: "Lists", keys: ["Mod+D"], fixed: true },
  { id: "model.hide", title: "Hide the model, in the list of models", group: "Lists", keys: ["Mod+Shift+H"], fixed: true },
  { id: "request.choose", title: "Choose an answer; with Alt also while you write", group: "What the agent asks", keys: ["1…9", "Alt+1…9"], fixed: true },
  { id: "request.next", title: "The next request, where there are several", group: "What the agent asks", keys: ["Alt+N"], icon: "chevronRight", words: "approval question" },
  { id: "request.previous", title: "The request before", group: "What the agent asks", keys: ["Alt+P"], icon: "chevronLeft", words: "approval question previous" },

  { id: "queue.up", title: "Move the queued message that has the focus up", group: "Lists", keys: ["Alt+ArrowUp"], fixed: true },
  { id: "queue.down", title: "Move it down", group: "Lists", keys: ["Alt+ArrowDown"], fixed: true },
  { id: "list.walk", title: "Go through the threads, in the sidebar", group: "Lists", keys: ["ArrowUp", "ArrowDown"], fixed: true },
] as const satisfies readonly Entry[];

export type ActionId = (typeof catalogue)[number]["id"];

export const entryOf = (id: ActionId): Entry => catalogue.find((entry) => entry.id === id)!;
