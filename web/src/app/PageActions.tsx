import { useBaton } from "./baton";
import { announce } from "./announce";
import { useAction } from "./actions";
import { showSidebar, toggleSidebar } from "./drawer";
import { navigate, route } from "./router";
import { setTheme, theme, type Theme } from "../settings/theme";
import { listing } from "../sidebar/groups";
import { waitsForPerson } from "../thread/status";

const themes: Theme[] = ["system", "light", "dark"];

/** What can be done on every page. */
export function PageActions() {
  const baton = useBaton();
  const here = () => {
    const at = route();
    return at.page === "thread" ? at.id : undefined;
  };
  const project = () => {
    const id = here();
    return id ? baton.row(id)?.project_id : undefined;
  };
  /** The threads as the sidebar has them. */
  const threads = () => {
    const { needsYou, groups } = listing(Object.values(baton.state.shell.projects), Object.values(baton.state.shell.threads));
    return [...needsYou, ...groups.flatMap((group) => group.threads)];
  };
  const waiting = () => threads().filter((thread) => waitsForPerson(thread) && thread.id !== here());
  const step = (by: 1 | -1) => {
    const all = threads();
    const at = all.findIndex((thread) => thread.id === here());
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length;
    if (all[next]) navigate({ page: "thread", id: all[next].id });
  };

  useAction("thread.new", () => navigate(project() ? { page: "home", project: project()! } : { page: "home" }));
  useAction("thread.next", () => step(1), () => threads().length > 0);
  useAction("thread.previous", () => step(-1), () => threads().length > 0);
  useAction("thread.needs", () => navigate({ page: "thread", id: waiting()[0]!.id }), () => waiting().length > 0);
  useAction("archive.open", () => navigate({ page: "archive" }));
  useAction("settings.open", () => navigate({ page: "settings" }));
  useAction("project.add", () => navigate({ page: "add_project" }));
  useAction("sidebar.toggle", toggleSidebar);
  useAction("threads.filter", () => {
    showSidebar();
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".side-search input")?.focus());
  });
  useAction("theme.next", () => {
    const next = themes[(themes.indexOf(theme()) + 1) % themes.length]!;
    setTheme(next);
    announce(`Theme: ${next}`);
  });
  return null;
}
