import { explain } from "../api/client";
import { Words } from "../ui/Words";

/** Something could not be read, and can be asked for again. */
export function LoadFailed(props: { error: unknown; again: () => void }) {
  return (
    <div class="load-failed" role="alert">
      <span class="bad">
        <Words text={explain(props.error)} />
      </span>
      <button type="button" class="btn small" onClick={() => props.again()}>
        Try again
      </button>
    </div>
  );
}
