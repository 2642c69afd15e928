// The sidebar as a drawer, where it has no place of its own.

import { createSignal } from "solid-js";

const [drawer, setDrawer] = createSignal(false);

export { drawer };
export const openDrawer = () => setDrawer(true);
export const closeDrawer = () => setDrawer(false);
