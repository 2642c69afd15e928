// Files that are dropped on the page. A browser left to itself would leave the page for them.

import { createSignal, onCleanup, type Accessor } from "solid-js";

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

/** Keeps the page when files are dropped where nothing takes them. */
export function refuseDrops(): void {
  const refuse = (event: DragEvent) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer!.dropEffect = "none";
  };
  window.addEventListener("dragover", refuse);
  window.addEventListener("drop", refuse);
}

/** Takes the files that are dropped anywhere on the page, as long as the component lives; says whether some are held over it. */
export function takeDrops(take: (files: FileList) => void): Accessor<boolean> {
  const [over, setOver] = createSignal(false);
  // What lies over the page is not about the message.
  const takes = (event: DragEvent) => hasFiles(event) && !document.querySelector("dialog[open]");
  const listeners = {
    dragover: (event: DragEvent) => {
      if (!takes(event)) return;
      event.dataTransfer!.dropEffect = "copy";
      setOver(true);
    },
    dragleave: (event: DragEvent) => {
      if (!event.relatedTarget) setOver(false);
    },
    drop: (event: DragEvent) => {
      setOver(false);
      if (takes(event) && event.dataTransfer!.files.length) take(event.dataTransfer!.files);
    },
  };
  for (const [name, listener] of Object.entries(listeners)) {
    window.addEventListener(name, listener as EventListener);
    onCleanup(() => window.removeEventListener(name, listener as EventListener));
  }
  return over;
}
