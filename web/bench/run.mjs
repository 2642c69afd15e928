// Runs the browser's side of `cargo xtask bench page`, which is TypeScript, with what Vite brings.
import { runnerImport } from "vite";

await runnerImport("./bench/driver.ts", { root: new URL("..", import.meta.url).pathname, configFile: false, logLevel: "silent" });
