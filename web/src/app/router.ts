// Where the page is, in the fragment of its address: it works below any path prefix and needs
// nothing of the server.

import { createSignal } from "solid-js";

export type Route =
  | { page: "home"; project?: string }
  | {
      page: "thread";
      id: string;
      /** The message to show: an item, or the turn that a message began. */
      at?: string;
    }
  | { page: "settings"; section?: string }
  | { page: "archive" }
  | { page: "older"; project: string }
  | { page: "add_project" }
  | { page: "nowhere" };

export function parseRoute(hash: string): Route {
  const [first, second, third] = hash.replace(/^#\/?/, "").split("/").map(decode);
  if (first === "t" && second) return third ? { page: "thread", id: second, at: third } : { page: "thread", id: second };
  if (first === "new") return second ? { page: "home", project: second } : { page: "home" };
  if (first === "settings") return second ? { page: "settings", section: second } : { page: "settings" };
  if (first === "older" && second) return { page: "older", project: second };
  if (first === "archive") return { page: "archive" };
  if (first === "add") return { page: "add_project" };
  // An address that leads nowhere says so; what is no path, e.g. a pairing code, is not one.
  if (first && /^#?\//.test(hash) && !first.startsWith("?")) return { page: "nowhere" };
  return { page: "home" };
}

export function hrefOf(route: Route): string {
  switch (route.page) {
    case "home":
      return route.project ? `#/new/${encodeURIComponent(route.project)}` : "#/";
    case "thread":
      return `#/t/${encodeURIComponent(route.id)}${route.at ? `/${encodeURIComponent(route.at)}` : ""}`;
    case "settings":
      return route.section ? `#/settings/${encodeURIComponent(route.section)}` : "#/settings";
    case "older":
      return `#/older/${encodeURIComponent(route.project)}`;
    case "archive":
      return "#/archive";
    case "add_project":
      return "#/add";
    case "nowhere":
      return "#/nowhere";
  }
}

/** The pairing code of a link like `/#pair=CODE`. */
export function pairingCode(hash: string): string | undefined {
  const code = new URLSearchParams(hash.replace(/^#\/?/, "")).get("pair");
  return code?.trim() || undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const [route, setRoute] = createSignal<Route>({ page: "home" });

export { route };

export function startRouter(): void {
  const read = () => setRoute(parseRoute(location.hash));
  window.addEventListener("hashchange", read);
  read();
}

export function navigate(to: Route, replace = false): void {
  const href = hrefOf(to);
  if (replace) history.replaceState(null, "", href);
  else if (location.hash !== href) history.pushState(null, "", href);
  setRoute(to);
}
