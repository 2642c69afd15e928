import "./Setup.css";
import { createSignal, onMount, Show } from "solid-js";
import { api, explain } from "../api/client";
import { pairingCode } from "../app/router";
import { Logo } from "../ui/Icon";
import { Words } from "../ui/Words";

/** Lets a browser in that the server does not know. */
export function Pairing(props: { problem?: string; onPaired: () => void }) {
  const [code, setCode] = createSignal("");
  const [problem, setProblem] = createSignal(props.problem ?? "");
  const [busy, setBusy] = createSignal(false);
  let input!: HTMLInputElement;
  onMount(() => input.focus());
  const pair = async () => {
    setBusy(true);
    setProblem("");
    try {
      await api.pair(codeOf(code()));
      props.onPaired();
    } catch (error) {
      setProblem(explain(error));
      input.select();
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="pairing">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void pair();
        }}
      >
        <h1>
          <span class="logo">
            <Logo />
          </span>
          Pair this browser
        </h1>
        <p class="muted">
          Only browsers you let in can use Baton. Run <code>baton</code> on the machine and open the link it prints, or paste its code here.
        </p>
        <label for="pairing-code">Pairing code or link</label>
        <div class="add-line">
          <input
            ref={input}
            id="pairing-code"
            class="field mono"
            type="text"
            autocomplete="off"
            spellcheck={false}
            aria-invalid={problem() !== ""}
            aria-describedby="pairing-problem"
            value={code()}
            onInput={(event) => setCode(event.currentTarget.value)}
          />
          <button type="submit" class="btn primary" disabled={busy() || !code().trim()}>
            Pair
          </button>
        </div>
        <Show when={problem()}>
          <p id="pairing-problem" class="bad" role="alert">
            <Words text={problem()} />
          </p>
        </Show>
      </form>
    </main>
  );
}

/** The code in what was pasted, which may be the whole link. */
function codeOf(text: string): string {
  const hash = text.indexOf("#");
  return (hash >= 0 ? pairingCode(text.slice(hash)) : undefined) ?? text.trim();
}
