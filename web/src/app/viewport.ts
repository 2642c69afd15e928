// The height that is left above an on-screen keyboard. Some browsers (iOS) lay the keyboard over
// the page without telling it: the page then takes the height of what is seen.

/** Less than this is no keyboard but a bar that comes and goes, in pixels. */
const KEYBOARD = 120;

/** The height to take, or nothing where the page's own is right. */
export function heightOf(seen: { height: number; scale: number }, page: number): number | undefined {
  // Whoever zooms in sees less of the page, not of a smaller one.
  return Math.abs(seen.scale - 1) < 0.01 && page - seen.height > KEYBOARD ? Math.round(seen.height) : undefined;
}

export function followKeyboard(): void {
  const seen = window.visualViewport;
  if (!seen) return;
  const fit = () => {
    const height = heightOf(seen, window.innerHeight);
    const root = document.documentElement;
    if (height === undefined) {
      root.style.removeProperty("--app");
      delete root.dataset.keyboard;
      return;
    }
    root.style.setProperty("--app", `${height}px`);
    root.dataset.keyboard = "";
    // It was scrolled to bring the field into view, which it is now anyway.
    window.scrollTo(0, 0);
  };
  seen.addEventListener("resize", fit);
  seen.addEventListener("scroll", fit);
}
