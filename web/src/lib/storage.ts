// What this device remembers. Storage may be full, forbidden or absent; nothing depends on it.

const PREFIX = "baton.";

export function recall<T>(key: string): T | undefined {
  try {
    const text = localStorage.getItem(PREFIX + key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

/** Returns whether it is kept. What is kept already is not written again. */
export function remember(key: string, value: unknown): boolean {
  try {
    const [name, text] = [PREFIX + key, value === undefined ? null : JSON.stringify(value)];
    if (localStorage.getItem(name) === text) return true;
    if (text === null) localStorage.removeItem(name);
    else localStorage.setItem(name, text);
    return true;
  } catch {
    return false;
  }
}

/** Tells of what other tabs of this browser remember, until what is returned is called. */
export function onRemembered(changed: (key: string) => void): () => void {
  const listen = (event: StorageEvent) => event.key?.startsWith(PREFIX) && changed(event.key.slice(PREFIX.length));
  window.addEventListener("storage", listen);
  return () => window.removeEventListener("storage", listen);
}

/** Every key with this beginning, without Baton's own prefix. */
export function rememberedKeys(start: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX + start))
      .map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}
