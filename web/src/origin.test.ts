import { expect, test } from "vitest";

const sources = import.meta.glob<string>("./**/*.{ts,tsx,css,html}", {
  query: "?raw",
  import: "default",
  eager: true,
});

test("the page names no host: it asks where it came from", () => {
  const product = Object.entries(sources).filter(([path]) => !/\.test\.tsx?$|\/dev\//.test(path));
  expect(product.length).toBeGreaterThan(20);
  const naming = product.filter(([, text]) => /localhost|127\.0\.0\.1|\[::1\]/.test(text));
  expect(naming.map(([path]) => path)).toEqual([]);
});

test("no two modules differ only by the case of their names, which some file systems do not tell apart", () => {
  const names = Object.keys(sources).filter((path) => /\.tsx?$/.test(path)).map((path) => path.replace(/\.tsx?$/, ""));
  const seen = new Map<string, string>();
  const alike = names.filter((name) => seen.has(name.toLowerCase()) || !seen.set(name.toLowerCase(), name));
  expect(alike).toEqual([]);
});
