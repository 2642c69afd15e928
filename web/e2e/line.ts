// A bad line between a browser and Baton: everything takes its time, and it can be cut.

import { createServer, connect, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface Line {
  /** Where the page is found through it. */
  url: string;
  /** Ends every connection, as a train in a tunnel does. New ones are let through. */
  cut(): void;
  /** Lets nothing through until it is mended. */
  down(): void;
  mend(): void;
  close(): Promise<void>;
}

/** A line to what listens at a url, on which every piece takes so long, each way. */
export async function badLine(to: string, latency: number): Promise<Line> {
  const { hostname, port } = new URL(to);
  const open = new Set<Socket>();
  let isDown = false;
  const delay = (from: Socket, into: Socket) => {
    // Timers of one length fire in their order, so the pieces keep theirs.
    from.on("data", (piece) => setTimeout(() => into.writable && into.write(piece), latency));
    from.on("end", () => setTimeout(() => into.end(), latency));
    from.on("close", () => {
      open.delete(from);
      setTimeout(() => into.destroy(), latency);
    });
    from.on("error", () => into.destroy());
  };
  const server: Server = createServer((near) => {
    if (isDown) return void near.destroy();
    const far = connect(Number(port), hostname);
    open.add(near).add(far);
    delay(near, far);
    delay(far, near);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const cut = () => open.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    down() {
      isDown = true;
      cut();
    },
    mend: () => void (isDown = false),
    async close() {
      cut();
      await new Promise((done) => server.close(done));
    },
  };
}
