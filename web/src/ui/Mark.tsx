import "./Mark.css";
import { markWords, type Mark as State } from "../thread/status";

/** Where a thread stands: a colour, a shape of its own, and words. */
export function Mark(props: { state: State; label?: string }) {
  return (
    <span class="mark" data-state={props.state} role="img" aria-label={props.label ?? markWords[props.state]} title={props.label ?? markWords[props.state]} />
  );
}

export function Spinner() {
  return <span class="spinner" aria-hidden="true" />;
}
