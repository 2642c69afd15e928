import { expect, test } from "vitest";
import { fit, pieces } from "./rank";

/** The titles that fit, best first. */
const order = (query: string, ...titles: string[]) =>
  titles
    .flatMap((title) => {
      const found = fit(query, title);
      return found ? [{ title, score: found.score }] : [];
    })
    .sort((a, b) => b.score - a.score)
    .map((found) => found.title);

test("the whole title comes before its beginning, a word, initials, the inside, and scattered letters", () => {
  const titles = ["xpaxrxsxexr", "comparser", "Pick a red sea elephant, rest", "The parser", "Parser tests", "parser"];
  expect(order("parser", ...titles)).toEqual(["parser", "Parser tests", "The parser", "Pick a red sea elephant, rest", "comparser", "xpaxrxsxexr"]);
  expect(order("pt", "Parser tests", "empty")).toEqual(["Parser tests", "empty"]);
  expect(order("np", "newProject", "An pa")).toEqual(["newProject"]);
});

test("every word has to be found, in any order, in the title or beside it", () => {
  expect(fit("tests pars", "Parser tests")).toBeDefined();
  expect(fit("tests lexer", "Parser tests")).toBeUndefined();
  expect(fit("baton pars", "Parser tests", "baton /home/me/baton")).toBeDefined();
  expect(fit("pars", "Parser tests")!.score).toBeGreaterThan(fit("pars", "Other", "parser")!.score);
  expect(fit("", "Anything")).toEqual({ score: 1, spans: [] });
});

test("letters far apart are no find", () => {
  expect(fit("abc", "ya long way to zb and then a longer way to yc")).toBeUndefined();
  expect(fit("zq", "ziq")).toBeUndefined();
});

test("the shorter of two is likelier meant, and places survive odd letters", () => {
  expect(order("fix", "Fix the long list of problems", "Fix it")).toEqual(["Fix it", "Fix the long list of problems"]);
  // İ gets longer in lower case.
  const title = "İstanbul parser";
  const found = fit("parser", title)!;
  expect(pieces(title, found.spans)).toEqual([{ text: "İstanbul ", found: false }, { text: "parser", found: true }]);
});

test("what was found is cut out of the text", () => {
  expect(pieces("Parser tests", fit("te pars", "Parser tests")!.spans)).toEqual([
    { text: "Pars", found: true },
    { text: "er ", found: false },
    { text: "te", found: true },
    { text: "sts", found: false },
  ]);
});
