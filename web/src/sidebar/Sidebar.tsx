import "./Sidebar.css";
import { createMemo, createSignal, For, Show } from "solid-js";
import { ariaKeysOf, keyHint } from "../app/actions";
import { useBaton } from "../app/baton";
import { hideSidebar } from "../app/drawer";
import { hrefOf, navigate, route } from "../app/router";
import type { ProjectId } from "../generated/wire";
import { NoTitle } from "../search/NoTitle";
import { isQuestion } from "../search/question";
import { recall, remember } from "../lib/storage";
import { openPalette } from "../palette/open";
import { Icon, Logo } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { later } from "../ui/later";
import { Menu, moveFocus, Popover } from "../ui/Popover";
import { Words } from "../ui/Words";
import { Branch } from "./Branch";
import { ConnectionState } from "./ConnectionState";
import { listing, type Group } from "./groups";
import { ThreadRow } from "./ThreadRow";

const RemoveProject = later(async () => (await import("./Removal")).RemoveProject);
const MessageHits = later(async () => (await import("../search/MessageHits")).MessageHits);

/** Threads of a project that are listed before a person asks for more. */
const FIRST_SHOWN = 8;

export function Sidebar(props: { onChosen: () => void }) {
  const baton = useBaton();
  const [filter, setFilter] = createSignal("");
  const lists = createMemo(() => listing(Object.values(baton.state.shell.projects), Object.values(baton.state.shell.threads), filter()));
  const nothing = () => filter() !== "" && lists().needsYou.length === 0 && lists().groups.length === 0;
  const projectName = (id: ProjectId) => baton.state.shell.projects[id]?.name;
  let search!: HTMLInputElement;

  return (
    <div class="side-inner" onKeyDown={(event) => moveFocus(event, event.currentTarget, ".row-link, .side-search input")}>
      <header class="brand">
        <span class="logo">
          <Logo />
        </span>
        Baton
        <span class="grow" />
        <button type="button" class="icon-btn side-hide" aria-label="Hide the sidebar" title={`Hide the sidebar${keyHint("sidebar.toggle")}`} onClick={() => hideSidebar(true)}>
          <Icon name="chevronLeft" />
        </button>
        <button
          type="button"
          class="icon-btn"
          aria-label="Search and do"
          aria-keyshortcuts={ariaKeysOf("palette.open")}
          title={`Search and do${keyHint("palette.open")}`}
          onClick={() => {
            props.onChosen();
            openPalette();
          }}
        >
          <Icon name="command" />
        </button>
        <a class="btn quiet small" href={hrefOf({ page: "home" })} onClick={() => props.onChosen()} title={`New thread${keyHint("thread.new")}`}>
          <Icon name="plus" size={14} />
          New
        </a>
      </header>
      <div class="side-search" role="search">
        <Icon name="search" size={14} />
        <input
          ref={search}
          type="search"
          placeholder="Search"
          aria-label="Search threads and messages"
          value={filter()}
          onInput={(event) => setFilter(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape" || !filter()) return;
            event.stopPropagation();
            setFilter("");
          }}
        />
        <Show when={filter()}>
          <button
            type="button"
            class="icon-btn"
            aria-label="Clear the search"
            onClick={() => {
              setFilter("");
              search.focus();
            }}
          >
            <Icon name="close" size={12} />
          </button>
        </Show>
      </div>

      <nav class="side-list" aria-label="Threads">
        <Show when={baton.state.shell.ready} fallback={<Loading />}>
          <Show when={lists().needsYou.length}>
            <section class="side-group needs-you" aria-label="Needs you">
              <h2>
                Needs you <span class="faint">{lists().needsYou.length}</span>
              </h2>
              <ul>
                <For each={lists().needsYou}>{(thread) => <ThreadRow thread={thread} project={projectName(thread.project_id)} onChosen={props.onChosen} />}</For>
              </ul>
            </section>
          </Show>
          <For each={lists().groups.map((group) => group.project.id)}>
            {(id) => (
              <Show when={lists().groups.find((group) => group.project.id === id)}>
                {(group) => <ProjectGroup group={group()} filtering={filter() !== ""} onChosen={props.onChosen} />}
              </Show>
            )}
          </For>
          <Show when={isQuestion(filter())} fallback={<Show when={nothing()}><NoTitle words={filter()} /></Show>}>
            <MessageHits words={filter()} untitled={nothing()} onChosen={props.onChosen} />
          </Show>
          <Show when={!filter()}>
            <div class="side-more">
              <a class="side-action" href={hrefOf({ page: "add_project" })} onClick={() => props.onChosen()}>
                <Icon name="folder" size={14} /> Add project
              </a>
              <Show when={Object.keys(baton.state.shell.projects).length}>
                <a class="side-action" href={hrefOf({ page: "archive" })} onClick={() => props.onChosen()}>
                  <Icon name="archive" size={14} /> Archive
                </a>
              </Show>
            </div>
          </Show>
        </Show>
      </nav>

      <footer class="side-foot">
        <ConnectionState />
        <span class="grow" />
        <a
          class="btn quiet small"
          href={hrefOf({ page: "settings" })}
          aria-current={route().page === "settings" ? "page" : undefined}
          onClick={() => props.onChosen()}
        >
          <Icon name="settings" size={14} />
          Settings
        </a>
      </footer>
    </div>
  );
}

function Loading() {
  const baton = useBaton();
  return (
    <Show
      when={baton.state.shell.problem}
      fallback={
        <p class="side-note">
          <Spinner /> Loading threads…
        </p>
      }
    >
      {(problem) => (
        <div class="side-note bad" role="alert">
          <p><Words text={problem().title} /></p>
          <button type="button" class="btn small" onClick={() => baton.connection.resync({ topic: "shell" })}>
            Try again
          </button>
        </div>
      )}
    </Show>
  );
}

function ProjectGroup(props: { group: Group; filtering: boolean; onChosen: () => void }) {
  const baton = useBaton();
  const project = () => props.group.project;
  const key = () => `folded.${project().id}`;
  const [folded, setFolded] = createSignal(recall<boolean>(key()) ?? false);
  const [all, setAll] = createSignal(false);
  const [removing, setRemoving] = createSignal(false);
  const open = () => props.filtering || !folded();
  const shown = () => (all() || props.filtering ? props.group.threads : props.group.threads.slice(0, FIRST_SHOWN));
  // Those the server left out may be of any project.
  const older = () => baton.state.shell.leftOut !== null && !props.filtering;
  const fold = () => {
    setFolded(!folded());
    remember(key(), folded() || undefined);
  };
  return (
    <section class="side-group" aria-label={project().name} data-project={project().id}>
      <h2>
        <button type="button" class="side-project ellip" aria-expanded={open()} title={project().path} onClick={fold}>
          <span class="ellip">{project().name}</span>
          <Icon name={open() ? "chevronDown" : "chevronRight"} size={12} />
        </button>
        <Branch class="side-branch ellip" project={project().id} />
        <Popover
          label={`Actions for ${project().name}`}
          haspopup="menu"
          align="end"
          buttonClass="icon-btn side-tool"
          button={<Icon name="more" size={14} />}
        >
          {(close) => (
            <Menu
              close={close}
              entries={[
                { label: "New thread", icon: <Icon name="plus" />, run: () => navigate({ page: "home", project: project().id }) },
                { label: "Remove from Baton…", icon: <Icon name="trash" />, danger: true, run: () => setRemoving(true) },
              ]}
            />
          )}
        </Popover>
        <a
          class="icon-btn side-tool"
          href={hrefOf({ page: "home", project: project().id })}
          aria-label={`New thread in ${project().name}`}
          title={`New thread in ${project().name}`}
          onClick={() => props.onChosen()}
        >
          <Icon name="plus" size={14} />
        </a>
      </h2>
      <Show when={open()}>
        <ul>
          <For each={shown()} fallback={!props.group.elsewhere && !older() && <li class="side-note">No threads yet</li>}>
            {(thread) => <ThreadRow thread={thread} onChosen={props.onChosen} />}
          </For>
          <Show when={shown().length < props.group.threads.length}>
            <li>
              <button type="button" class="side-action" onClick={() => setAll(true)}>
                {props.group.threads.length - shown().length} more
              </button>
            </li>
          </Show>
          <Show when={older()}>
            <li>
              <a class="side-action" href={hrefOf({ page: "older", project: project().id })} onClick={() => props.onChosen()}>
                Older threads
              </a>
            </li>
          </Show>
        </ul>
      </Show>
      <Show when={removing()}>
        <RemoveProject project={project()} onClose={() => setRemoving(false)} />
      </Show>
    </section>
  );
}
