import { createSignal, Show } from "solid-js";
import { api } from "../api/client";
import { keysOf } from "../app/actions";
import { useBaton } from "../app/baton";
import { bindingWords } from "../app/keymap";
import { attempt, toast } from "../app/toasts";
import type { Thread } from "../generated/wire";
import { newTurnId } from "../lib/ids";
import { copying, copyText } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { later } from "../ui/later";
import { Menu, Popover } from "../ui/Popover";
import { archiveThread, patchThread } from "./actions";

export const DeleteThread = later(async () => (await import("./Removal")).DeleteThread);
const McpDialog = later(async () => (await import("../extras/McpServers")).McpDialog);

/** The ⋯ of a thread. */
export function ThreadMenu(props: { thread: Thread; onRename: () => void; class?: string }) {
  const baton = useBaton();
  const [deleting, setDeleting] = createSignal(false);
  const [servers, setServers] = createSignal(false);
  const status = () => baton.state.shell.providers.find((p) => p.id === props.thread.provider);
  const project = () => baton.state.shell.projects[props.thread.project_id];
  const provider = () => status()?.name ?? "its own program";
  const copyCommand = () =>
    attempt("The command could not be copied", async () => {
      const { command } = await api.sessionCommand(props.thread.id);
      if (!command) return;
      await copyText(command);
      toast(`Copied. Run it in a terminal to open this session in ${provider()}; do not write in both at once.`);
    });
  const compact = () => attempt("The context could not be compacted", () => api.compact(props.thread.id, newTurnId()));
  const patch = (change: Parameters<typeof patchThread>[2], what: string) => void patchThread(baton, props.thread.id, change, what);
  return (
    <>
      <Popover
        label={`Actions for ${props.thread.title || "this thread"}`}
        haspopup="menu"
        align="end"
        buttonClass={`icon-btn ${props.class ?? ""}`}
        button={<Icon name="more" />}
      >
        {(close) => (
          <Menu
            close={close}
            entries={[
              { label: "Rename", keys: bindingWords(keysOf("thread.rename")[0] ?? ""), icon: <Icon name="pencil" />, run: props.onRename },
              {
                label: props.thread.pinned ? "Unpin" : "Pin",
                icon: <Icon name="pin" />,
                run: () => patch({ pinned: !props.thread.pinned }, "The thread could not be pinned"),
              },
              {
                label: props.thread.unread ? "Mark as read" : "Mark as unread",
                icon: <Icon name="check" />,
                run: () => patch({ unread: !props.thread.unread }, "The thread could not be marked"),
              },
              copying("Copy id", props.thread.id),
              ...(props.thread.session === null
                ? []
                : [
                    copying("Copy the session's id", props.thread.session),
                    { label: `Copy command to open in ${provider()}`, icon: <Icon name="terminal" />, run: () => void copyCommand() },
                    { label: "Compact the context", icon: <Icon name="compact" />, run: () => void compact() },
                  ]),
              ...(status()?.settings.enabled && project() ? [{ label: "MCP servers…", icon: <Icon name="plug" />, run: () => setServers(true) }] : []),
              "line",
              { label: "Archive", icon: <Icon name="archive" />, run: () => void archiveThread(baton, props.thread) },
              { label: "Delete…", icon: <Icon name="trash" />, danger: true, run: () => setDeleting(true) },
            ]}
          />
        )}
      </Popover>
      <Show when={servers() && project() && status()}>
        {(of) => <McpDialog project={project()!} provider={of()} onClose={() => setServers(false)} />}
      </Show>
      <Show when={deleting()}>
        <DeleteThread thread={props.thread} onClose={() => setDeleting(false)} />
      </Show>
    </>
  );
}
