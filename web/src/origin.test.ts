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
