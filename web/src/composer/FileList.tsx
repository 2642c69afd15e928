import { For } from "solid-js";
import type { FileMatch } from "../generated/wire";
import { Icon } from "../ui/Icon";
import { Suggestions, SuggestionsFoot, SuggestionsNote } from "../ui/Suggestions";
import type { FileListState } from "./fileSuggestions";
import { nameAt, pieces } from "./mentions";

/** The files that `@` finds, beside the message's box. */
export function FileList(props: { list: FileListState; beside: () => HTMLElement }) {
  const matches = () => props.list.answer()?.matches;
  const more = () => (matches()?.total ?? 0) - (matches()?.files.length ?? 0);
  const none = () => {
    if (matches()?.cut) return "Not among the files that were looked through: the directory has more.";
    return props.list.query() ? "No file fits." : "There are no files here.";
  };
  const nothing = () => (
    <SuggestionsNote
      problem={props.list.problem()}
      onAgain={props.list.again}
      waits={(!matches() || matches()!.indexing) && "Looking through the files…"}
      none={none()}
    />
  );
  return (
    <Suggestions
      list={props.list}
      beside={props.beside}
      label="Files"
      title={(file) => file.path}
      nothing={nothing()}
      row={(file) => (
        <>
          <Icon name={file.path.endsWith("/") ? "folder" : "read"} size={14} />
          <b class="ellip">
            <Marked file={file} from={nameAt(file.path)} to={file.path.length} />
          </b>
          <span class="suggestion-text ellip mono">
            <Marked file={file} from={0} to={nameAt(file.path)} />
          </span>
        </>
      )}
      foot={
        <SuggestionsFoot>
          {matches()?.cut
            ? "This directory has more files than are looked through: type the rest of a path that is not found."
            : more() > 0 && `${more().toLocaleString()} more: type on to find them.`}
        </SuggestionsFoot>
      }
    />
  );
}

function Marked(props: { file: FileMatch; from: number; to: number }) {
  return (
    <bdi>
      <For each={pieces(props.file.path, props.file.at, props.from, props.to)}>
        {(piece) => (piece.hit ? <mark>{piece.text}</mark> : piece.text)}
      </For>
    </bdi>
  );
}
