import "./AttachmentStrip.css";
import { For, Show } from "solid-js";
import type { Attachment } from "../generated/wire";
import { size } from "../lib/format";
import { Icon } from "../ui/Icon";
import { Spinner } from "../ui/Mark";
import { Plain } from "../ui/Plain";
import { attachmentUrl, isImage, type Drafts } from "./attachments";

/** The files that are to go with the message, each of which can be taken out again. */
export function AttachmentStrip(props: { drafts: Drafts }) {
  return (
    <>
      <Show when={props.drafts.notes().length}>
        <div class="files-notes" role="alert">
          <ul class="grow">
            <For each={props.drafts.notes()}>{(note) => <li>{note}</li>}</For>
          </ul>
          <button type="button" class="icon-btn" aria-label="Dismiss" onClick={() => props.drafts.heard()}>
            <Icon name="close" size={14} />
          </button>
        </div>
      </Show>
      <Show when={props.drafts.all().length}>
        <ul class="files" aria-label="Attached files">
          <For each={props.drafts.all()}>
            {(draft) => (
              <li class="file" data-state={draft.file ? "ready" : "uploading"}>
                <Show when={draft.picture} fallback={<Icon name="read" size={14} />}>
                  {(picture) => <img src={picture()} alt="" />}
                </Show>
                <span class="ellip"><Plain text={draft.name} /></span>
                <Show when={!draft.file}>
                  <Spinner />
                </Show>
                <button type="button" class="icon-btn" aria-label={`Remove ${draft.name}`} title="Remove" onClick={() => props.drafts.remove(draft.key)}>
                  <Icon name="close" size={14} />
                </button>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </>
  );
}

/** The files that went with a message. */
export function SentFiles(props: { files: readonly Attachment[] | undefined }) {
  return (
    <Show when={props.files?.length}>
      <ul class="files sent" aria-label="Attached files">
        <For each={props.files}>
          {(file) => (
            <li>
              <a class="file" href={attachmentUrl(file)} target="_blank" rel="noreferrer" download={isImage(file.kind) ? undefined : file.name} title={`${file.name}, ${size(file.bytes)}`}>
                <Show when={isImage(file.kind)} fallback={<Icon name="read" size={14} />}>
                  <img src={attachmentUrl(file)} alt="" loading="lazy" />
                </Show>
                <span class="ellip"><Plain text={file.name} /></span>
              </a>
            </li>
          )}
        </For>
      </ul>
    </Show>
  );
}
