import "./Setup.css";
import { For, Show } from "solid-js";
import { useBaton } from "../app/baton";
import { navigate } from "../app/router";
import { ProviderCard } from "../settings/ProviderCard";
import { PlainHeader } from "../thread/Header";
import { Logo } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { AddProject } from "./AddProject";

/** Nothing is set up yet: the two things that are needed, and nothing else. */
export function FirstRun() {
  const baton = useBaton();
  return (
    <section class="thread" data-page="first-run">
      <PlainHeader title="" />
      <div class="scroll">
        <div class="column setup">
          <div class="setup-welcome">
            <span class="logo">
              <Logo />
            </span>
            <h1>Welcome to Baton</h1>
            <p class="muted">
              Conduct your coding agents{baton.bootstrap() ? ` on ${baton.bootstrap()!.host}` : ""} from here, on any of your screens.
            </p>
          </div>
          <section aria-labelledby="setup-project">
            <h2 id="setup-project">Add a project</h2>
            <p class="muted">A directory your agents work in. Baton keeps nothing in it.</p>
            <AddProject autofocus onAdded={(project) => navigate({ page: "home", project: project.id })} />
          </section>
          <section aria-labelledby="setup-agents">
            <h2 id="setup-agents">Agents</h2>
            <p class="muted">What Baton found on this machine.</p>
            <Show
              when={baton.state.shell.providers.length}
              fallback={
                <p class="side-note">
                  <Spinner /> Looking…
                </p>
              }
            >
              <For each={baton.state.shell.providers}>{(provider) => <ProviderCard provider={provider} />}</For>
            </Show>
          </section>
        </div>
      </div>
    </section>
  );
}

export function AddProjectPage() {
  return (
    <section class="thread" data-page="add-project">
      <PlainHeader title="Add project" />
      <div class="scroll">
        <div class="column setup">
          <section aria-label="Add a project">
            <p class="muted">A directory your agents work in. Baton keeps nothing in it.</p>
            <AddProject autofocus onAdded={(project) => navigate({ page: "home", project: project.id })} />
          </section>
        </div>
      </div>
    </section>
  );
}
