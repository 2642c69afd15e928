// Threads of the agents beside Kilo.

import { join } from "node:path";
import { test } from "vitest";
import { rests, type Stage } from "./stage";

export function agents(at: () => Stage): void {
  test("a thread of Codex", async () => {
    const { world, shown, take, tidy } = at();
    const patch = { tool: "apply_patch", raw: "*** Begin Patch\n*** Add File: NOTES.md\n+# Notes\n+\n+Ties keep the order of appearance.\n*** End Patch" };
    const page = await shown("Write down how ties are ordered.", [[{ text: "I'll look first." }, { tool: "exec_command", args: { cmd: "cat src/tally.js" } }], [patch], [{ text: "Written to `NOTES.md`." }]], { provider: "codex", access: "full", title: "Write down the order of ties" });
    await rests(page);
    await take(page, "agents", "codex");
    const asks = await shown("Run the tests.", [[{ text: "Running them." }, { tool: "exec_command", args: { cmd: "npm test" } }]], { provider: "codex", title: "Run the tests with Codex" });
    await asks.locator(".ask").waitFor({ timeout: 60_000 });
    await take(asks, "agents", "codex-asks");
    await asks.locator(".send.stop").click();
    await world.ask("GET", "bootstrap");
    await tidy();
  });

  test("a thread of Claude Code", async () => {
    const { world, shown, take, tidy } = at();
    const write = { tool: "Write", args: { file_path: join(world.project, "NOTES.md"), content: "# Notes\n\nTies keep the order of appearance.\n" } };
    const page = await shown("Write down how ties are ordered, please.", [[{ text: "I'll look first." }, { tool: "Read", args: { file_path: join(world.project, "src/tally.js") } }], [write], [{ text: "Written to `NOTES.md`." }]], { provider: "claude", access: "full", title: "Write down ties, please" });
    await rests(page);
    await take(page, "agents", "claude-code");
    await tidy();
  });
}
