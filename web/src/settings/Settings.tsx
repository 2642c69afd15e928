import "./Settings.css";
import { createEffect, For, on, Suspense, type Component } from "solid-js";
import { Dynamic } from "solid-js/web";
import { hrefOf, route } from "../app/router";
import { PlainHeader } from "../thread/Header";
import { Spinner } from "../ui/Mark";
import { About } from "./sections/About";
import { Appearance } from "./sections/Appearance";
import { Devices } from "./sections/Devices";
import { Diagnostics } from "./sections/Diagnostics";
import { Keys } from "./sections/Keys";
import { Notifications } from "./sections/Notifications";
import { Projects } from "./sections/Projects";
import { Providers } from "./sections/Providers";
import { Writing } from "./sections/Writing";
import { sectionOf, settingsSections, type SectionId } from "./sections";

const parts: Record<SectionId, Component> = {
  providers: Providers,
  projects: Projects,
  appearance: Appearance,
  writing: Writing,
  notifications: Notifications,
  keys: Keys,
  devices: Devices,
  diagnostics: Diagnostics,
  about: About,
};

/** The settings, one section at a time, each at an address of its own. */
export function Settings() {
  const section = () => {
    const at = route();
    return sectionOf(at.page === "settings" ? at.section : undefined);
  };
  let heading!: HTMLHeadingElement;
  let nav!: HTMLElement;
  // Who goes to another section goes on reading there.
  createEffect(on(section, () => heading.focus({ preventScroll: true }), { defer: true }));
  createEffect(on(section, () => queueMicrotask(() => nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }))));
  return (
    <section class="thread">
      <PlainHeader title="Settings" />
      <div class="scroll">
        <div class="settings">
          <nav ref={nav} class="settings-nav" aria-label="Sections of the settings">
            <For each={settingsSections}>
              {(entry) => (
                <a href={hrefOf({ page: "settings", section: entry.id })} aria-current={section().id === entry.id ? "page" : undefined}>
                  {entry.title}
                </a>
              )}
            </For>
          </nav>
          <section class="settings-part" aria-labelledby="settings-heading" data-section={section().id}>
            <h2 ref={heading} id="settings-heading" tabindex="-1">
              {section().title}
            </h2>
            <Suspense fallback={<p class="muted"><Spinner /> Reading…</p>}>
              <Dynamic component={parts[section().id]} />
            </Suspense>
          </section>
        </div>
      </div>
    </section>
  );
}
