import { defineConfig } from "vitest/config";

// Each file has a Baton, a Kilo and a browser of its own, so they take turns.
export default defineConfig({
  test: {
    include: ["e2e/*.test.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
