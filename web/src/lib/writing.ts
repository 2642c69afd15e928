const fields = "input:not([type=radio],[type=checkbox]), textarea, select, [contenteditable]";

/** Whether keys pressed there are text, and no commands. */
export function takesText(target: EventTarget | null): boolean {
  return target instanceof Element && target.matches(fields);
}
