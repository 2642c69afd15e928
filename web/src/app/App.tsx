import "./App.css";
import { createEffect, createMemo, createSignal, ErrorBoundary, lazy, Match, on, onCleanup, onMount, Show, Suspense, Switch } from "solid-js";
import { NewThread } from "../composer/NewThread";
import { connectionWords } from "../sidebar/ConnectionState";
import { Sidebar } from "../sidebar/Sidebar";
import { PaletteSlot } from "../palette/PaletteSlot";
import { PlainHeader } from "../thread/Header";
import { Gone, ThreadPage } from "../thread/ThreadPage";
import { isKept } from "../offline/offline";
import { Icon } from "../ui/Icon";
import { Toasts } from "../ui/Toasts";
import { listenForKeys } from "./actions";
import { Announcer } from "./Announcer";
import { BatonContext, createBaton, useBaton } from "./baton";
import { closeDrawer, drawer, sidebarHidden } from "./drawer";
import { focusMain } from "./focus";
import { Keys } from "./Keys";
import { PageActions } from "./PageActions";
import { route } from "./router";
import { leaveToasts } from "./toasts";

const Pairing = lazy(async () => ({ default: (await import("../setup/Pairing")).Pairing }));
const Settings = lazy(async () => ({ default: (await import("../settings/Settings")).Settings }));
const Teller = lazy(async () => ({ default: (await import("../notify/Teller")).Teller }));
const PastThreads = lazy(async () => ({ default: (await import("../sidebar/PastThreads")).PastThreads }));
const FirstRun = lazy(async () => ({ default: (await import("../setup/FirstRun")).FirstRun }));
const AddProjectPage = lazy(async () => ({ default: (await import("../setup/FirstRun")).AddProjectPage }));

export function App(props: { pairingProblem?: string }) {
  const baton = createBaton();
  onMount(() => onCleanup(baton.start()));
  return (
    <BatonContext.Provider value={baton}>
      <Show
        when={baton.status() !== "unauthorized"}
        fallback={
          <ErrorBoundary fallback={(error, reset) => <Broken error={error} reset={reset} />}>
            <Suspense>
              <Pairing problem={props.pairingProblem} onPaired={() => baton.connection.start()} />
            </Suspense>
          </ErrorBoundary>
        }
      >
        <Shell />
      </Show>
    </BatonContext.Provider>
  );
}

function Shell() {
  const baton = useBaton();
  const [narrow, setNarrow] = createSignal(matchMedia("(max-width: 760px)").matches);
  const query = matchMedia("(max-width: 760px)");
  const watch = () => {
    setNarrow(query.matches);
    if (!query.matches) closeDrawer();
  };
  query.addEventListener("change", watch);
  onCleanup(() => query.removeEventListener("change", watch));
  createEffect(
    on(route, (at) => {
      closeDrawer();
      leaveToasts(at.page === "thread" ? at.id : undefined);
    }),
  );
  listenForKeys();
  let side!: HTMLElement;
  // Whoever had the focus may be gone with the former page.
  createEffect(on(route, () => requestAnimationFrame(() => document.activeElement === document.body && !drawer() && focusMain()), { defer: true }));
  createEffect(() => {
    if (!drawer()) return;
    requestAnimationFrame(() => side.querySelector<HTMLElement>("a, button, input")?.focus());
    const listen = (event: KeyboardEvent) => event.key === "Escape" && !event.defaultPrevented && closeDrawer();
    window.addEventListener("keydown", listen);
    onCleanup(() => window.removeEventListener("keydown", listen));
  });

  return (
    <div class="shell" data-drawer={drawer() ? "open" : undefined} data-side={sidebarHidden() ? "hidden" : undefined}>
      <aside ref={side} class="side" aria-label="Sidebar" inert={narrow() ? !drawer() : sidebarHidden()}>
        <Sidebar onChosen={closeDrawer} />
      </aside>
      <div class="side-scrim" onClick={closeDrawer} />
      <main class="main" inert={narrow() && drawer()}>
        <div class="main-top">
          <Show when={baton.state.shell.storage}>
            {(problem) => (
              <p class="trouble" role="alert">
                <strong>Baton cannot write to its disk:</strong> {problem()}. What you send is refused until it can again; Stop still works.
              </p>
            )}
          </Show>
          {/* What the sidebar says, where that is not in sight. */}
          <p class="cut-off" data-status={baton.status()} aria-hidden="true">
            {connectionWords[baton.status()]}
          </p>
        </div>
        <Toasts />
        <ErrorBoundary fallback={(error, reset) => <Broken error={error} reset={reset} />}>
          <Suspense>
            <Page />
          </Suspense>
        </ErrorBoundary>
      </main>
      <Announcer />
      <PageActions />
      <Keys />
      <PaletteSlot />
      {/* Without it nothing is told, and everything else works. */}
      <ErrorBoundary fallback={null}>
        <Suspense>
          <Teller />
        </Suspense>
      </ErrorBoundary>
    </div>
  );
}

function Page() {
  const baton = useBaton();
  const projects = () => Object.values(baton.state.shell.projects);
  const threadId = createMemo(() => {
    const at = route();
    return at.page === "thread" ? at.id : undefined;
  });
  const older = () => {
    const at = route();
    return at.page === "older" ? at.project : undefined;
  };
  const home = createMemo(() => {
    const at = route();
    if (at.page !== "home") return undefined;
    const asked = at.project ? baton.state.shell.projects[at.project] : undefined;
    return asked ?? projects().toSorted((a, b) => lastUse(b.id) - lastUse(a.id))[0];
  });
  const lastUse = (project: string) =>
    Object.values(baton.state.shell.threads).reduce((at, thread) => (thread.project_id === project ? Math.max(at, thread.active_at) : at), 0);

  return (
    <Switch fallback={<Waiting />}>
      {/* Keyed: another thread is another page, never this one with other words. */}
      <Match when={threadId()} keyed>
        {(id) => <ThreadPage id={id} />}
      </Match>
      <Match when={route().page === "settings"}>
        <Settings />
      </Match>
      <Match when={route().page === "archive"}>
        <PastThreads />
      </Match>
      <Match when={older()} keyed>
        {(project) => <PastThreads project={project} />}
      </Match>
      <Match when={route().page === "add_project"}>
        <AddProjectPage />
      </Match>
      <Match when={route().page === "nowhere"}>
        <section class="thread">
          <Gone />
        </section>
      </Match>
      <Match when={home()}>{(project) => <NewThread project={project()} />}</Match>
      <Match when={baton.state.shell.ready}>
        <FirstRun />
      </Match>
    </Switch>
  );
}

function Waiting() {
  const baton = useBaton();
  return (
    <section class="thread">
      <PlainHeader title="Baton" />
      <Show when={baton.status() === "reconnecting" || baton.status() === "silent"}>
        <div class="page-note" role="status">
          <Icon name="offline" size={20} />
          <p>Baton cannot be reached.</p>
          <p class="muted">{isKept() ? "This page was kept on your device. " : ""}It is tried again until Baton answers.</p>
          <div class="page-note-actions">
            <button type="button" class="btn" onClick={() => baton.connection.wake()}>
              Try now
            </button>
          </div>
        </div>
      </Show>
    </section>
  );
}

function Broken(props: { error: unknown; reset: () => void }) {
  return (
    <section class="thread">
      <PlainHeader title="Something went wrong" />
      <div class="page-note" role="alert">
        <p>This page could not be drawn. Your threads are not affected.</p>
        <p class="mono muted">{String(props.error)}</p>
        <div class="page-note-actions">
          <button type="button" class="btn" onClick={() => props.reset()}>
            Try again
          </button>
          <button type="button" class="btn quiet" onClick={() => location.reload()}>
            Reload the page
          </button>
        </div>
      </div>
    </section>
  );
}
