import { expect, test } from "vitest";
import { hrefOf, pairingCode, parseRoute, type Route } from "./router";

test("routes survive their address", () => {
  const routes: Route[] = [
    { page: "home" },
    { page: "home", project: "prj_1" },
    { page: "thread", id: "thr_1" },
    { page: "thread", id: "thr_1", at: "itm_1" },
    { page: "settings" },
    { page: "settings", section: "keys" },
    { page: "archive" },
    { page: "older", project: "prj_1" },
    { page: "add_project" },
  ];
  for (const route of routes) expect(parseRoute(hrefOf(route))).toEqual(route);
  for (const odd of ["", "#", "#/", "#nonsense", "#/?pair=x"]) expect(parseRoute(odd)).toEqual({ page: "home" });
  for (const wrong of ["#/thread/thr_1", "#/t", "#/t/", "#/older", "#/%E0"]) expect(parseRoute(wrong)).toEqual({ page: "nowhere" });
});

test("a pairing code is read from the fragment", () => {
  expect(pairingCode("#pair=ABCD-1234")).toBe("ABCD-1234");
  expect(pairingCode("#/?pair=")).toBeUndefined();
  expect(pairingCode("#/t/thr_1")).toBeUndefined();
});
