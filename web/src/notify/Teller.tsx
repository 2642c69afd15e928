import { createEffect, createMemo, createSignal, on, onCleanup, untrack } from "solid-js";
import { useBaton } from "../app/baton";
import { navigate, route } from "../app/router";
import { toast } from "../app/toasts";
import { recall, remember } from "../lib/storage";
import { uuidv7 } from "../lib/ids";
import { waitsForPerson } from "../thread/status";
import { happened, stillNews, titleOf, told, way, worst, type Kind, type Looking, type News, type Seen } from "./notify";
import { notifySettings, permission, showNotification, watchPermission } from "./settings";
import { play } from "./sound";

const LOOKING = "looking";
const SAID = "notify.said";
/** The same of one thread within this time is the same news, seen by another tab. */
const SAME_WITHIN_MS = 5_000;
const MAX_SAID = 50;

/** Tells who looks elsewhere what became of the threads. */
export function Teller() {
  const baton = useBaton();
  const tab = uuidv7();
  const rows = () => baton.state.shell.threads;
  const [news, setNews] = createSignal<ReadonlyMap<string, Kind>>(new Map());

  const [focused, setFocused] = createSignal(document.visibilityState === "visible" && document.hasFocus());
  const look = () => setFocused(document.visibilityState === "visible" && document.hasFocus());
  for (const event of ["focus", "blur"] as const) window.addEventListener(event, look);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pagehide", leave);
  onCleanup(() => {
    for (const event of ["focus", "blur"] as const) window.removeEventListener(event, look);
    document.removeEventListener("visibilitychange", look);
    window.removeEventListener("pagehide", leave);
    leave();
  });
  const here = () => {
    const at = route();
    return at.page === "thread" ? at.id : null;
  };
  function leave() {
    if (recall<Looking>(LOOKING)?.tab === tab) remember(LOOKING, undefined);
  }
  // Which tab of this browser a person has before them: it tells, the others do not.
  createEffect(() => (focused() ? remember(LOOKING, { tab, thread: here() }) : leave()));
  watchPermission();

  const seen = createMemo((): Seen[] => Object.values(rows()).map(({ id, title, status, open_requests, queued, queue_held, unread, archived }) => ({ id, title, status, open_requests, queued, queue_held, unread, archived })));
  createEffect(
    on([() => baton.state.shell.ready, seen] as const, ([ready, now], before) => {
      // What was so when the page came is no news.
      if (!ready || !before?.[0]) return;
      const known = Object.fromEntries(before[1].map((row) => [row.id, row]));
      // What is on screen is seen, also beside another window that has the focus.
      const shown = document.visibilityState === "visible" ? untrack(here) : null;
      const all = happened(known, now).filter((one) => notifySettings()[one.kind] && one.thread !== shown);
      setNews((was) => stillNews(new Map([...was, ...all.map((one) => [one.thread, one.kind] as const)]), untrack(rows)));
      if (all.length) void tell(all);
    }),
  );

  async function tell(all: readonly News[]) {
    const mine = await claim(all);
    const looking = recall<Looking>(LOOKING);
    const by = (how: ReturnType<typeof way>) => mine.filter((one) => way(one, looking, tab) === how);
    const [page, system] = [by("page"), by("system")];
    const open = (thread: string | undefined) => () => navigate(thread ? { page: "thread", id: thread } : { page: "home" });
    // What is done stands in the sidebar; what waits is worth a word.
    for (const one of told(page.filter((one) => one.kind !== "done"))) {
      toast(`${one.title}: ${one.body}`, { tone: one.kind === "failed" ? "bad" : "plain", ...(one.thread && { thread: one.thread, action: { label: "Open", run: open(one.thread) } }) });
    }
    if (notifySettings().desktop && permission() === "granted") {
      for (const one of told(system)) showNotification(one.title, one.body, one.thread ?? "baton", open(one.thread));
    }
    if (notifySettings().sound && page.length + system.length) void play(worst([...page, ...system]));
  }

  createEffect(() => {
    const list = Object.values(rows());
    const needs = list.filter(waitsForPerson).length;
    const { title, badge } = titleOf(needs, [...news().values()], list.some((row) => row.status === "working"));
    const shown = notifySettings().title;
    document.title = shown ? title : "Baton";
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    const href = `./favicon${shown && badge !== "none" ? `-${badge}` : ""}.svg`;
    if (icon && icon.getAttribute("href") !== href) icon.setAttribute("href", href);
  });
  return null;
}

/** The news that no other tab has told. One tab after the other looks, where the browser can see to it. */
async function claim(all: readonly News[]): Promise<News[]> {
  const take = () => {
    const now = Date.now();
    const said = (recall<[string, number][]>(SAID) ?? []).filter(([, at]) => now - at < SAME_WITHIN_MS && at <= now);
    const names = new Set(said.map(([name]) => name));
    const mine = all.filter((one) => !names.has(`${one.thread} ${one.kind}`));
    remember(SAID, [...said, ...mine.map((one) => [`${one.thread} ${one.kind}`, now])].slice(-MAX_SAID));
    return mine;
  };
  return navigator.locks ? navigator.locks.request("baton.notify", take) : take();
}

