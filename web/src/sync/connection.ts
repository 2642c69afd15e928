// The page's one WebSocket: opened, watched, and opened again for as long as the page lives.
// It knows topics and their cursors, and nothing of what messages mean.

import type { ClientMessage, Cursor, ServerMessage, Topic } from "../generated/wire";

export type ConnectionStatus =
  /** A connection is being made: the first, or another since a moment. */
  | "connecting"
  | "connected"
  /** The link is there, but nothing comes back on it. */
  | "silent"
  /** It is down for long enough that a person should know. */
  | "reconnecting"
  /** The server does not know this browser; nothing is tried until `start` is called again. */
  | "unauthorized";

export interface ConnectionEvents {
  message(message: ServerMessage): void;
  status(status: ConnectionStatus): void;
}

/** The part of a WebSocket that is used. */
export type Socket = Pick<WebSocket, "send" | "close" | "onopen" | "onmessage" | "onclose">;

export interface ConnectionOptions {
  open(): Socket;
  /** Asks by HTTP whether this browser is let in: a refused socket does not say why. */
  isAuthorized(): Promise<boolean | "unknown">;
}

interface Followed {
  topic: Topic;
  cursor: () => Cursor | null;
  resyncedAt: number;
}

/** How long an interruption stays silent. */
const QUIET_MS = 2_000;
const MAX_BACKOFF_MS = 5_000;
const OPEN_TIMEOUT_MS = 10_000;
const PING_EVERY_MS = 5_000;
const PONG_WITHIN_MS = 10_000;
/** When an answer that is awaited is late enough to be told. */
const DOUBT_AFTER_MS = 4_500;
/** After waking up the link is doubted sooner. */
const PONG_WITHIN_AWAKE_MS = 2_500;
/** A topic is followed afresh at most this often. */
const RESYNC_EVERY_MS = 1_000;

type Timer = ReturnType<typeof setTimeout>;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #followed = new Map<string, Followed>();
  #socket: Socket | null = null;
  #welcomed = false;
  #attempt = 0;
  #status: ConnectionStatus = "connecting";
  #retry: Timer | undefined;
  #quiet: Timer | undefined;
  #ping: Timer | undefined;
  #deadline: Timer | undefined;
  #doubt: Timer | undefined;
  #stopped = true;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Connects and stays connected. */
  start(): void {
    this.#stopped = false;
    this.#attempt = 0;
    if (this.#status === "unauthorized") this.#say("connecting");
    if (!this.#socket) this.#open();
  }

  stop(): void {
    this.#stopped = true;
    this.#drop();
    for (const timer of [this.#retry, this.#quiet]) clearTimeout(timer);
    this.#quiet = undefined;
  }

  /** Follows a topic from the cursor it is asked for at each (re)connection. */
  follow(topic: Topic, cursor: () => Cursor | null): void {
    const key = keyOf(topic);
    if (this.#followed.has(key)) return;
    this.#followed.set(key, { topic, cursor, resyncedAt: -Infinity });
    this.#subscribe(topic, cursor());
  }

  unfollow(topic: Topic): void {
    if (this.#followed.delete(keyOf(topic))) this.#send({ type: "unsubscribe", ...topic });
  }

  /** Asks for a fresh snapshot of a topic. */
  resync(topic: Topic): void {
    const followed = this.#followed.get(keyOf(topic));
    const now = Date.now();
    if (!followed || now - followed.resyncedAt < RESYNC_EVERY_MS) return;
    followed.resyncedAt = now;
    this.#subscribe(topic, null);
  }

  /** The network or the person is back: doubt an open link, try a broken one at once. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#welcomed) this.#probe(PONG_WITHIN_AWAKE_MS);
    else if (!this.#socket) {
      this.#attempt = 0;
      this.#open();
    }
  }

  #open(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const socket = this.#options.open();
    this.#socket = socket;
    this.#deadline = setTimeout(() => this.#lost(socket), OPEN_TIMEOUT_MS);
    this.#await();
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      for (const { topic, cursor } of this.#followed.values()) this.#subscribe(topic, cursor());
    };
    socket.onmessage = (event) => {
      if (this.#socket !== socket) return;
      this.#alive();
      let message: ServerMessage;
      try {
        message = JSON.parse(String(event.data)) as ServerMessage;
      } catch {
        this.#lost(socket);
        return;
      }
      if (message.type === "pong") return;
      this.#events.message(message);
    };
    socket.onclose = () => this.#lost(socket);
  }

  /** Something was heard. */
  #alive(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#ping);
    clearTimeout(this.#doubt);
    this.#doubt = undefined;
    this.#ping = setTimeout(() => this.#probe(PONG_WITHIN_MS), PING_EVERY_MS);
    if (this.#welcomed) {
      this.#say("connected");
      return;
    }
    this.#welcomed = true;
    this.#attempt = 0;
    clearTimeout(this.#quiet);
    this.#quiet = undefined;
    this.#say("connected");
  }

  #probe(within: number): void {
    const socket = this.#socket;
    if (!socket) return;
    clearTimeout(this.#deadline);
    clearTimeout(this.#ping);
    this.#deadline = setTimeout(() => this.#lost(socket), within);
    this.#send({ type: "ping" });
    this.#await();
  }

  /** Something should be heard soon. */
  #await(): void {
    this.#doubt ??= setTimeout(() => {
      if (this.#status !== "reconnecting") this.#say("silent");
    }, DOUBT_AFTER_MS);
  }

  #lost(socket: Socket): void {
    if (this.#socket !== socket) return;
    const neverOpened = !this.#welcomed;
    this.#drop();
    if (this.#stopped) return;
    if (this.#status === "connected") this.#say("connecting");
    this.#quiet ??= setTimeout(() => this.#say("reconnecting"), QUIET_MS);
    const wait = backoff(this.#attempt++, Math.random());
    this.#retry = setTimeout(() => this.#open(), wait);
    if (neverOpened) void this.#checkAuthorized();
  }

  async #checkAuthorized(): Promise<void> {
    const authorized = await this.#options.isAuthorized();
    if (authorized !== false || this.#stopped || this.#welcomed) return;
    this.stop();
    this.#say("unauthorized");
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#welcomed = false;
    clearTimeout(this.#deadline);
    clearTimeout(this.#ping);
    clearTimeout(this.#doubt);
    this.#doubt = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close();
    } catch {
      // It was never open.
    }
  }

  #subscribe(topic: Topic, cursor: Cursor | null): void {
    this.#send({ type: "subscribe", ...topic, ...(cursor ? { cursor } : {}) });
    if (this.#welcomed) this.#await();
  }

  /** What cannot be sent now needs no queue: everything is said again when the socket opens. */
  #send(message: ClientMessage): void {
    try {
      this.#socket?.send(JSON.stringify(message));
    } catch {
      // The socket is not open yet.
    }
  }

  #say(status: ConnectionStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#events.status(status);
  }
}

/** At once, then longer and longer with some chance, so that many pages do not come together. */
export function backoff(attempt: number, chance: number): number {
  if (attempt === 0) return 0;
  const full = Math.min(MAX_BACKOFF_MS, 250 * 2 ** (attempt - 1));
  return Math.round(full * (0.75 + 0.25 * chance));
}

function keyOf(topic: Topic): string {
  return topic.topic === "shell" ? "shell" : topic.id;
}
