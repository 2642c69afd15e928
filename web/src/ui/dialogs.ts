// Dialogs for those parts of the page that are there at the first paint: nobody has opened one by then.

import { later } from "./later";

export const Dialog = later(async () => (await import("./Dialog")).Dialog);
export const Confirm = later(async () => (await import("./Dialog")).Confirm);
