// Where the focus goes when what had it is gone.

/**
 * Focuses the page's main part. It can be focused no longer than that: a press on words in it, or in
 * what lies over it, must not take the focus from where it is.
 */
export function focusMain(): void {
  const main = document.querySelector<HTMLElement>(".main");
  if (!main) return;
  main.tabIndex = -1;
  main.addEventListener("blur", () => main.removeAttribute("tabindex"), { once: true });
  main.focus({ preventScroll: true });
}
