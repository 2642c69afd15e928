// What answers for the page while Baton cannot be reached: the shell of the web app, which then
// says so. It keeps nothing else. Whatever is of Baton's own making (/api) it never touches.
// The build puts the names of the shell's files here, and a version that changes with them.

const VERSION = "__VERSION__";
const FILES = __FILES__;
const CACHE = `baton-shell-${VERSION}`;
const PAGE = new URL("./", self.registration.scope).href;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll([PAGE, ...FILES.map((file) => new URL(file, PAGE).href)]);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith("baton-shell-") && name !== CACHE);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(PAGE)) return;
  const path = new URL(request.url).pathname.slice(new URL(PAGE).pathname.length);
  if (path === "api" || path.startsWith("api/")) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (FILES.includes(path)) event.respondWith(file(request, path));
});

/** The page as the server has it now; what is kept only where there is none. */
async function page(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(PAGE, { cacheName: CACHE });
    if (!kept) throw error;
    // The page is told, so that it asks for a fresh one once Baton is back.
    const text = (await kept.text()).replace("<html ", "<html data-offline ");
    return new Response(text, { headers: kept.headers });
  }
}

/** A file whose name changes with its content is taken from here, another one only in need. */
async function file(request, path) {
  const kept = await caches.match(request, { cacheName: CACHE });
  if (kept && path.startsWith("assets/")) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
