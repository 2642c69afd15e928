import { defineConfig } from "vitest/config";

// The pictures of `cargo xtask shots`: one world for all of them.
export default defineConfig({
  test: {
    include: ["e2e/shots/shots.ts"],
    environment: "node",
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
