import { useBaton } from "../app/baton";

export const connectionWords = {
  connecting: "Connecting…",
  connected: "Connected",
  silent: "No answer from Baton…",
  reconnecting: "Reconnecting…",
  unauthorized: "Not paired",
} as const;

export function ConnectionState() {
  const baton = useBaton();
  return (
    <span class="connection" data-status={baton.status()} title={baton.bootstrap()?.host}>
      <span class="connection-dot" aria-hidden="true" />
      {connectionWords[baton.status()]}
    </span>
  );
}
