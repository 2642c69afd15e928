import { createMemo, createSignal, For, Show } from "solid-js";
import type { Item } from "../generated/wire";
import { useThread, type ThreadScope } from "../thread/context";
import { StepNote, StepState } from "../thread/Step";
import { Icon } from "../ui/Icon";
import { Plain } from "../ui/Plain";
import { doing, subAgents, type SubAgent } from "./found";
import { Further } from "./Further";
import { goTo } from "./goTo";

/** Of those that ended so many are listed before a person asks for more. */
const FIRST_SHOWN = 50;

export function agentsCount(scope: ThreadScope): string | undefined {
  const { working, ended } = subAgents(scope.view());
  if (working.length) return `${working.length} at work`;
  return ended.length ? String(ended.length) : undefined;
}

/** The thread's sub-agents: what each of them does now, and what became of those that ended. */
export function Agents() {
  const scope = useThread();
  const all = createMemo(() => subAgents(scope.view()));
  const [whole, setWhole] = createSignal(false);
  const ended = () => (whole() ? all().ended : all().ended.slice(0, FIRST_SHOWN));
  return (
    <Show
      when={all().working.length || all().ended.length}
      fallback={
        <div class="panel-empty">
          <Icon name="agent" size={20} />
          <p>No sub-agents</p>
          <p class="muted">When {scope.agent()} hands a part of the work to another agent, what that one does is shown here.</p>
          <Further />
        </div>
      }
    >
      <Group title="At work" agents={all().working} />
      <Group title="Ended" agents={ended()} />
      <Show when={ended().length < all().ended.length}>
        <button type="button" class="btn quiet small panel-more" onClick={() => setWhole(true)}>
          {all().ended.length - ended().length} more
        </button>
      </Show>
      <Further />
    </Show>
  );
}

function Group(props: { title: string; agents: readonly SubAgent[] }) {
  const byId = createMemo(() => new Map(props.agents.map((agent) => [agent.item.id, agent])));
  return (
    <Show when={props.agents.length}>
      <section class="panel-part" aria-label={props.title}>
        <header class="panel-heading">
          <h2>{props.title}</h2>
          <span class="faint">{props.agents.length}</span>
        </header>
        <ul class="agents">
          <For each={props.agents.map((agent) => agent.item.id)}>
            {(id) => <Show when={byId().get(id)}>{(agent) => <Row item={agent().item} within={agent().within} />}</Show>}
          </For>
        </ul>
      </section>
    </Show>
  );
}

function Row(props: { item: Item; within?: string }) {
  const scope = useThread();
  const content = () => props.item.content as Extract<Item["content"], { kind: "sub_agent" }>;
  const now = createMemo(() => (props.item.status === "running" ? doing(scope.view(), props.item.id) : undefined));
  return (
    <li>
      <button type="button" class="agent-row" data-status={props.item.status} title="Show in the thread" onClick={() => goTo(scope, props.item)}>
        <StepState item={props.item} />
        <span class="agent-words">
          <span class="agent-task">
            <b><Plain text={content().agent} auto /></b> <Plain text={content().task} auto />
            <Show when={props.within}>
              <span class="faint">
                {" "}
                within <Plain text={props.within} auto />
              </span>
            </Show>
          </span>
          <Show when={now()}>
            {(does) => (
              <span class="agent-now">
                {does().words}{" "}
                <Show when={does().code} fallback={<bdi>{does().target}</bdi>}>
                  <code><Plain text={does().target} /></code>
                </Show>
              </span>
            )}
          </Show>
          <Show when={props.item.status === "failed" && props.item.error}>
            {(error) => <span class="agent-now bad"><Plain text={error().split("\n", 1)[0]} auto /></span>}
          </Show>
          <span class="agent-note">
            <StepNote item={props.item} steps={scope.list(props.item.id).length} />
          </span>
        </span>
      </button>
    </li>
  );
}
