import "./NewThread.css";
import { createEffect, createMemo, createSignal, For, on, Show } from "solid-js";
import { api, sentence } from "../api/client";
import { useBaton } from "../app/baton";
import { hrefOf, navigate } from "../app/router";
import type { Attachment, Project, ProviderId, ProviderStatus } from "../generated/wire";
import { newThreadId, newTurnId } from "../lib/ids";
import { ProviderFix } from "../settings/ProviderFix";
import { PlainHeader } from "../thread/Header";
import { lookAtTrust } from "../trust/TrustStrip";
import { asksTrust } from "../trust/words";
import { Icon } from "../ui/Icon";
import { later } from "../ui/later";
import { moveFocus, Popover } from "../ui/Popover";
import { named } from "./attachments";
import { lastChoices, rememberChoices, type Choices } from "./choices";
import { Composer } from "./Composer";
import { firstChoice } from "./models";
import { ModelPicker } from "./ModelPicker";
import { AccessPicker, ModeSwitch } from "./Pickers";

const TrustCard = later(async () => (await import("../trust/TrustCard")).TrustCard);
const ContinueSession = later(async () => (await import("../sessions/ContinueSession")).ContinueSession);

export function NewThread(props: { project: Project }) {
  const baton = useBaton();
  const providers = createMemo(() => baton.state.shell.providers.filter((p) => p.state !== "disabled"));
  const [continuing, setContinuing] = createSignal(false);
  const [chosen, setChosen] = createSignal<Partial<Choices>>({});

  createEffect(on(() => props.project.id, (id) => setChosen(lastChoices(id))));
  lookAtTrust(() => props.project);

  const provider = (): ProviderStatus | undefined =>
    providers().find((p) => p.id === chosen().provider) ?? providers().find((p) => p.state === "ready") ?? providers()[0];
  const models = () => {
    const id = provider()?.id;
    return id ? baton.models[id]?.list?.models : undefined;
  };
  createEffect(() => {
    const id = provider()?.id;
    if (id) baton.ensureModels(id);
  });
  const model = createMemo(() => {
    const list = models();
    const last = chosen().provider === undefined || chosen().provider === provider()?.id ? chosen().model : null;
    return list ? firstChoice(list, last) : (last ?? null);
  });
  const choices = (): Choices => ({
    provider: provider()?.id ?? "kilo",
    model: model(),
    access: chosen().access ?? "supervised",
    mode: chosen().mode ?? "build",
  });
  const choose = (patch: Partial<Choices>) => {
    setChosen((now) => ({ ...now, provider: choices().provider, model: choices().model, ...patch }));
    rememberChoices(props.project.id, choices());
  };

  const blocked = () => {
    if (!provider()) return "No agent is switched on: see the settings.";
    const { state, message } = provider()!;
    if (state !== "ready" && state !== "unknown") return sentence(message);
    if (!model()) return "Choose a model first.";
    return undefined;
  };
  const send = (text: string, files: Attachment[]) => {
    const id = newThreadId();
    const { provider, model, access, mode } = choices();
    rememberChoices(props.project.id, choices());
    const run = { ...(model && { model }), access, mode };
    baton.outbox.send(
      id,
      { id: newTurnId(), text, ...(files.length && { attachments: named(files) }), delivery: "queue", ...run },
      { create: { id, project_id: props.project.id, provider, ...run }, files },
    );
    navigate({ page: "thread", id });
  };
  const trouble = () => {
    const found = provider();
    return found && found.state !== "ready" && found.state !== "unknown" ? found : undefined;
  };

  return (
    <section class="thread new-thread">
      <PlainHeader title="New thread" />
      <div class="new-middle">
        <div class="new-column">
          <h2>What should be done in {props.project.name}?</h2>
          <ProjectChoice project={props.project} />
          <Show when={trouble()}>
            {(found) => (
              <div class="new-trouble">
                <ProviderFix provider={found()} />
              </div>
            )}
          </Show>
          <Show when={asksTrust(props.project)}>
            <TrustCard project={props.project} />
          </Show>
          <Show when={props.project.id} keyed>
            {(id) => (
              <Composer
                place={`new.${id}`}
                placeholder="Describe a task; @ names files, / has commands"
                working={false}
                blocked={blocked()}
                autofocus
                history={() => []}
                acts={(provider()?.capabilities.plan ?? true) ? { mode: (mode) => choose({ mode }) } : {}}
                filesOf={{ project: props.project.id }}
                commandsOf={provider() && { project: props.project, provider: provider()! }}
                onBegin={() => provider() && void api.warm(provider()!.id).catch(() => {})}
                onSend={send}
                pickers={
                  <>
                    <ModelPicker
                      provider={choices().provider}
                      providers={providers()}
                      model={model()}
                      onChoose={(to: ProviderId, next) => choose({ provider: to, model: next })}
                    />
                    <Show when={provider()?.capabilities.plan ?? true}>
                      <ModeSwitch mode={choices().mode} onChoose={(mode) => choose({ mode })} />
                    </Show>
                    <AccessPicker access={choices().access} onChoose={(access) => choose({ access })} />
                  </>
                }
              />
            )}
          </Show>
          <Show when={provider()?.state === "ready" && !asksTrust(props.project)}>
            <button type="button" class="btn new-continue" onClick={() => setContinuing(true)}>
              <Icon name="clock" size={14} />
              Continue a session of {provider()?.name}…
            </button>
          </Show>
          <Show when={continuing() && provider()}>
            {(found) => (
              <ContinueSession project={props.project} provider={found()} access={choices().access} onClose={() => setContinuing(false)} />
            )}
          </Show>
          <Show when={blocked() && !trouble() && provider() && models()}>
            <p class="faint new-note">{blocked()}</p>
          </Show>
        </div>
      </div>
    </section>
  );
}

function ProjectChoice(props: { project: Project }) {
  const baton = useBaton();
  const projects = createMemo(() => Object.values(baton.state.shell.projects).sort((a, b) => a.name.localeCompare(b.name)));
  return (
    <Popover
      label={`Project ${props.project.name} in ${props.project.path}`}
      haspopup="menu"
      buttonClass="pick new-project"
      title={props.project.path}
      button={
        <>
          <Icon name="folder" size={14} />
          <span class="mono ellip">{props.project.path}</span>
          <Icon name="chevronDown" size={12} />
        </>
      }
    >
      {(close) => (
        <div role="menu" class="menu" onKeyDown={(event) => moveFocus(event, event.currentTarget, "[role^=menuitem]")}>
          <For each={projects()}>
            {(project) => (
              <button
                type="button"
                role="menuitemradio"
                class="menu-item"
                aria-checked={project.id === props.project.id}
                onClick={() => {
                  close();
                  navigate({ page: "home", project: project.id });
                }}
              >
                <span class="model-check">
                  <Show when={project.id === props.project.id}>
                    <Icon name="check" size={14} />
                  </Show>
                </span>
                <b>{project.name}</b>
                <span class="faint ellip mono">{project.path}</span>
              </button>
            )}
          </For>
          <div role="separator" class="menu-line" />
          <a role="menuitem" class="menu-item" href={hrefOf({ page: "add_project" })} onClick={close}>
            <span class="model-check">
              <Icon name="plus" size={14} />
            </span>
            Add project…
          </a>
        </div>
      )}
    </Popover>
  );
}
