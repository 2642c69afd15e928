/// <reference types="vitest/config" />
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import solid from "vite-plugin-solid";

/** Writes `sw.js`, which keeps the shell for when Baton cannot be reached, with the files' names. */
function shell(): Plugin {
  return {
    name: "shell",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const own = readdirSync(new URL("./public", import.meta.url)).filter((name) => !name.endsWith(".map"));
      const files = [...Object.keys(bundle).filter((name) => name.startsWith("assets/")), ...own].sort();
      const template = readFileSync(new URL("./src/offline/sw.js", import.meta.url), "utf8");
      const version = createHash("sha256").update(template).update(readFileSync(new URL("./index.html", import.meta.url))).update(JSON.stringify(files));
      for (const name of own) version.update(readFileSync(new URL(`./public/${name}`, import.meta.url)));
      const source = template.replace("__VERSION__", version.digest("hex").slice(0, 16)).replace("__FILES__", JSON.stringify(files));
      this.emitFile({ type: "asset", fileName: "sw.js", source });
    },
  };
}

/**
 * Says the order of the layers at the head of every style sheet: which of them comes first is the
 * bundler's to decide, and the first one to name a layer decides how they stand.
 */
const layersFirst: Plugin = {
  name: "layers-first",
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === "asset" && file.fileName.endsWith(".css")) file.source = `@layer reset,base,parts;${file.source}`;
    }
  },
};

/**
 * Says which modules are in the first paint: what the page's entry imports, directly or not. They
 * are one file. The bundler left to itself cuts it anew wherever a later part shares some of it, and
 * pieces are packed worse.
 */
function firstPaint() {
  let known: Set<string> | undefined;
  return (id: string, bundle: { getModuleInfo(id: string): { importedIds: readonly string[] } | null }): string | null => {
    if (!known) {
      known = new Set([fileURLToPath(new URL("./src/main.tsx", import.meta.url))]);
      for (const module of known) bundle.getModuleInfo(module)?.importedIds.forEach((next) => known!.add(next));
    }
    return known.has(id) ? "index" : null;
  };
}

export default defineConfig({
  // Relative, so that the page also works below a path prefix.
  base: "./",
  plugins: [solid(), layersFirst, shell()],
  worker: { format: "es" },
  build: {
    target: "es2022",
    outDir: process.env.BATON_WEB_OUT ?? "dist",
    emptyOutDir: true,
    // Everything is same-origin and allowed by a strict policy; nothing may be inlined into it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: firstPaint(), debugName: "first paint" }] } } },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.ts"],
  },
});
