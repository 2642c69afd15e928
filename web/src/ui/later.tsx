import { ErrorBoundary, lazy, Suspense, type Component } from "solid-js";
import { explain } from "../api/client";
import { toast } from "../app/toasts";

/** Parts wait for the first paint, not longer: then they are there at once, also when the line is not. */
function whenIdle(act: () => void): void {
  if ("requestIdleCallback" in window) requestIdleCallback(act, { timeout: 5_000 });
  else setTimeout(act, 500);
}

/**
 * A part that is no part of the first paint; it is loaded soon after, or when it is shown. The page
 * around it stays as it is meanwhile.
 */
export function later<Props extends object>(load: () => Promise<Component<Props>>): Component<Props> {
  const Part = lazy(async () => ({ default: await load() }));
  // One that cannot be had is asked for again when it is shown.
  whenIdle(() => void load().catch(() => {}));
  return (props) => (
    <ErrorBoundary
      fallback={(error: unknown) => {
        toast(`That part of the page could not be loaded: ${explain(error)}`, { tone: "bad" });
        return null;
      }}
    >
      <Suspense>
        <Part {...props} />
      </Suspense>
    </ErrorBoundary>
  );
}
