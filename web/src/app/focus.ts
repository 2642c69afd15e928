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

/** Sees to it that the focus is somewhere also when what had it is taken away, e.g. a question that was answered. */
export function keepFocus(): void {
  let had: Node | null = null;
  document.addEventListener("focusin", (event) => (had = event.target as Node));
  new MutationObserver(() => {
    if (!had || had.isConnected) return;
    had = null;
    // Whoever took it away may have a better place for it, and says so at once.
    requestAnimationFrame(() => document.activeElement === document.body && !document.querySelector("dialog[open]") && focusMain());
  }).observe(document.body, { childList: true, subtree: true });
}
