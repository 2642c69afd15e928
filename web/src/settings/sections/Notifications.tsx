import { createSignal, Show } from "solid-js";
import { askPermission, notifySettings, permission, setNotify, showNotification, type Permission } from "../../notify/settings";
import { play } from "../../notify/sound";
import { Switch } from "../Switch";

const desktopWords: Record<Permission, string> = {
  granted: "Shown by the system when Baton is not in front. A click opens the thread.",
  ask: "Shown by the system when Baton is not in front. Your browser asks you first.",
  denied: "Your browser forbids them for this address. Allow them in its settings of this site, then switch this on.",
  insecure: `Browsers only show them for addresses that begin with https, or on the machine itself. This one is ${typeof location === "undefined" ? "" : location.origin}.`,
  unsupported: "This browser cannot show them.",
};

/** What is told when threads go on while a person looks elsewhere. */
export function Notifications() {
  const [said, setSaid] = createSignal("");
  const can = () => permission() === "granted" || permission() === "ask";
  const desktop = async (on: boolean) => {
    if (on && (await askPermission()) !== "granted") return setNotify({ desktop: false });
    setNotify({ desktop: on });
  };
  const tryIt = async () => {
    const done: string[] = [];
    if (notifySettings().desktop && permission() === "granted" && showNotification("Done", "This is how it looks", "baton-try", () => {})) done.push("A notification was given to the system.");
    if (notifySettings().sound) done.push((await play("done")) ? "A sound was played." : "The browser did not let a sound be played.");
    setSaid(done.join(" ") || "Only the page's title and icon tell: nothing else is switched on.");
  };
  return (
    <>
      <p class="muted">Kept on this device. Nothing is told of the thread you are looking at.</p>
      <section aria-labelledby="notify-what">
        <h3 id="notify-what">What is told</h3>
        <Switch label="A thread needs you" on={notifySettings().needs} onChange={(needs) => setNotify({ needs })}>
          The agent asks, or the queue waits for you.
        </Switch>
        <Switch label="A turn is done" on={notifySettings().done} onChange={(done) => setNotify({ done })} />
        <Switch label="A turn failed" on={notifySettings().failed} onChange={(failed) => setNotify({ failed })} />
      </section>
      <section aria-labelledby="notify-how">
        <h3 id="notify-how">How</h3>
        <Switch label="In the page's title and icon" on={notifySettings().title} onChange={(title) => setNotify({ title })} />
        <Switch label="On the desktop" on={notifySettings().desktop && permission() === "granted"} disabled={!can()} onChange={(on) => void desktop(on)}>
          {desktopWords[permission()]}
        </Switch>
        <Switch label="By a sound" on={notifySettings().sound} onChange={(sound) => setNotify({ sound })} />
        <button type="button" class="btn small" onClick={() => void tryIt()}>
          Try it
        </button>
        <p class="muted" role="status">
          <Show when={said()}>{said()}</Show>
        </p>
      </section>
    </>
  );
}
