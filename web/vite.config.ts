/// <reference types="vitest/config" />
import { defineConfig } from "vite";
import solid from "vite-plugin-solid";

export default defineConfig({
  // Relative, so that the page also works below a path prefix.
  base: "./",
  plugins: [solid()],
  worker: { format: "es" },
  build: {
    target: "es2022",
    outDir: process.env.BATON_WEB_OUT ?? "dist",
    emptyOutDir: true,
    // Everything is same-origin and allowed by a strict policy; nothing may be inlined into it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.ts"],
  },
});
