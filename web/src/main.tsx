import "./ui/tokens.css";
import "./ui/base.css";
import { render } from "solid-js/web";
import { api, explain } from "./api/client";
import { App } from "./app/App";
import { keepFocus } from "./app/focus";
import { followKeyboard } from "./app/viewport";
import { keepShell } from "./offline/offline";
import { pairingCode, startRouter } from "./app/router";
import { prune } from "./composer/drafts";
import { refuseDrops } from "./composer/drops";

async function start(): Promise<void> {
  let pairingProblem: string | undefined;
  const code = pairingCode(location.hash);
  if (code) {
    // The code is used once; it must not stay in the address or the history.
    history.replaceState(null, "", location.pathname + location.search);
    try {
      await api.pair(code);
    } catch (error) {
      pairingProblem = explain(error);
    }
  }
  startRouter();
  prune();
  followKeyboard();
  keepFocus();
  refuseDrops();
  keepShell();
  render(() => <App pairingProblem={pairingProblem} />, document.getElementById("app")!);
}

void start();
