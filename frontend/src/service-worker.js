// Keeps the page's own files, so that it opens when the server cannot be reached, and can be installed. What the server
// says always comes from the server: no answer of the API is ever kept.
const VERSION = "__VERSION__";
const FILES = ["__FILES__"];
const CACHE = `gaemi-shell-${VERSION}`;

self.addEventListener("install", (event) => {
  // Where browsers can, they take the files from the cache themselves, without waking this worker up first.
  const files = { urlPattern: { pathname: "/assets/*" } };
  event.addRoutes?.({ condition: files, source: { cacheName: CACHE } })?.catch(() => {});
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers());
});

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  // The page is on its way while this worker is still being woken up.
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && !pathname.startsWith("/api/")) event.respondWith(page(event));
  else if (FILES.includes(pathname) && pathname !== "/") event.respondWith(file(request));
});

/** The page as the server has it now; where it cannot be reached, as it was. */
async function page(event) {
  const kept = () => caches.match("/");
  try {
    const answer = (await event.preloadResponse) ?? (await fetch(event.request));
    // Whoever stands before the server answers for it when it is away.
    return answer.status < 500 ? answer : ((await kept()) ?? answer);
  } catch (failure) {
    const page = await kept();
    if (page === undefined) throw failure;
    return page;
  }
}

/** A file that carries a hash of its content in its name never changes. */
async function file(request) {
  return (await caches.match(request)) ?? fetch(request);
}
