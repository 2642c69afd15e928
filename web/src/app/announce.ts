// Words for who cannot see what a key just did.

import { createSignal } from "solid-js";

const [announced, setAnnounced] = createSignal("", { equals: false });

export { announced };
export const announce = (words: string): void => void setAnnounced(words);
