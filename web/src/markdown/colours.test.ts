import { expect, test } from "vitest";
import { createColours, type Helper } from "./colours";

function fake() {
  const sent: unknown[] = [];
  const helper: Helper = { postMessage: (message) => void sent.push(message), onmessage: null, onerror: null, terminate: () => void sent.push("ended") };
  return { sent, helper };
}
const here = async () => (code: string) => `here:${code}`;
const settled = async () => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

test("each answer goes to whoever asked, and what is cancelled is told to nobody", () => {
  const { sent, helper } = fake();
  const colours = createColours(() => helper, here);
  const got: unknown[] = [];
  colours.ask("a", "ts", (html) => got.push(["a", html]));
  const cancel = colours.ask("b", "ts", (html) => got.push(["b", html]));
  colours.ask("c", "ts", (html) => got.push(["c", html]));
  cancel();
  cancel();
  for (const id of [3, 2, 1]) helper.onmessage!({ data: { id, html: `<${id}>` } });
  expect(got).toEqual([["c", "<3>"], ["a", "<1>"]]);
  expect(sent.filter((message) => JSON.stringify(message).includes("cancel"))).toEqual([{ id: 2, cancel: true }]);
});

test("without a worker the page does it itself", async () => {
  const got: unknown[] = [];
  const colours = createColours(() => {
    throw new Error("forbidden");
  }, here);
  colours.ask("a", "ts", (html) => got.push(html));
  await settled();
  expect(got).toEqual(["here:a"]);
});

test("when the worker breaks, what waited for it is done by the page", async () => {
  const { sent, helper } = fake();
  const got: unknown[] = [];
  const colours = createColours(() => helper, here);
  colours.ask("a", "ts", (html) => got.push(html));
  helper.onerror!("broken");
  colours.ask("b", "ts", (html) => got.push(html));
  await settled();
  expect(got).toEqual(["here:a", "here:b"]);
  expect(sent.at(-1)).toBe("ended");
});

test("code that cannot be had in colours is told as such", async () => {
  const got: unknown[] = [];
  const colours = createColours(() => {
    throw new Error("forbidden");
  }, () => Promise.reject(new Error("offline")));
  colours.ask("a", "ts", (html) => got.push(html));
  await settled();
  expect(got).toEqual([undefined]);
});
