import { ErrorBoundary, lazy, Suspense, type Component } from "solid-js";
import { explain } from "../api/client";
import { toast } from "../app/toasts";

/** A part that is loaded when it is first shown; the page around it stays as it is meanwhile. */
export function later<Props extends Record<string, unknown>>(load: () => Promise<Component<Props>>): Component<Props> {
  const Part = lazy(async () => ({ default: await load() }));
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
