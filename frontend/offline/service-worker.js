// The service worker: the page `/` opens without a connection, and what waits is sent when there is one again, also after
// the last tab was closed, where the browser can.
//
// It answers what is listed here and nothing else. What it keeps is the same for everybody: the page as somebody gets it
// whom the server does not know, its scripts and styles, and the classifier for devices. So there is nothing to remove
// when somebody signs out. A new version fetches everything of its own before it takes over; one that cannot is dropped
// whole, and the one before goes on.

import { add, all, deliver, isToBeSent, newId } from "./queue.js";

/** Made by bundle.mjs: `version`, `folder` of the page's files, `device` of the classifier's, `files` to keep. */
const BUILD = __BUILD__;

const SHELL = `gourmetgram-shell-${BUILD.version}`;
/** The classifier on the device: what a page has loaded of it. */
const DEVICE = "gourmetgram-device";
const LIVE = "/api/v1/models/live/device";
/** How old the kept page may be before it is fetched again, in milliseconds. */
const STALE = 24 * 3600_000;
/** How long somebody with a bad connection waits for page and model before they are given what is kept here, in milliseconds. */
const PATIENCE = 10_000;

const kept = new Set(BUILD.files);

addEventListener("install", (event) => {
  event.waitUntil(install().then(() => skipWaiting()));
});

async function install() {
  try {
    const cache = await caches.open(SHELL);
    await Promise.all([
      keepPage(cache),
      // Names made of content never mean anything else; the others are asked for again.
      cache.addAll(BUILD.files.map((path) => new Request(path, { credentials: "omit", cache: path.startsWith("/pkg/") ? "default" : "no-cache" }))),
    ]);
  } catch (error) {
    await caches.delete(SHELL);
    throw error;
  }
}

/** Keeps the page as it is for somebody whom the server does not know, if it is of this version. */
async function keepPage(cache) {
  const answer = await fetch("/", { credentials: "omit", cache: "no-store", headers: { Accept: "text/html" } });
  const text = await answer.text();
  if (!answer.ok || !text.includes(`/${BUILD.folder}/`)) throw new Error(`the page is not of this version (${answer.status})`);
  const headers = new Headers(answer.headers);
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  // Tells scripts and style sheet that this page knows nothing of its visitor.
  await cache.put("/", new Response(text.replace("<html ", "<html data-shell "), { headers }));
}

addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith("gourmetgram-shell-") && name !== SHELL) await caches.delete(name);
  }
  const device = await caches.open(DEVICE);
  for (const { url } of await device.keys()) {
    const { pathname } = new URL(url);
    if (pathname.startsWith("/pkg/") && !pathname.startsWith(`/${BUILD.device}/`)) await device.delete(url);
  }
  await clients.claim();
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, searchParams } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (request.method === "GET" && pathname === "/") event.respondWith(openPage(event));
    else if (request.method === "POST" && pathname === "/photos" && searchParams.has("share")) event.respondWith(takeShared(event));
  } else if (request.method === "GET") {
    if (kept.has(pathname)) event.respondWith(fromCache(SHELL, pathname, request));
    else if (pathname === LIVE) event.respondWith(findLive(request));
    else if (pathname.startsWith(`/${BUILD.device}/`) || pathname.startsWith("/api/v1/models/parts/")) {
      event.respondWith(fromCache(DEVICE, pathname, request));
    }
  }
});

async function fromCache(name, path, request) {
  const cache = await caches.open(name);
  return (await cache.match(path)) ?? fetch(request);
}

/** What is answered before patience ends; nothing where the connection breaks, or the answer takes longer. */
function inTime(asked) {
  return Promise.race([asked.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
}

const isJson = (answer) => Boolean(answer?.ok && answer.headers.get("content-type")?.includes("json"));

/** Which model is live, from the server; the one kept here where the server is away or cannot say. */
async function findLive(request) {
  const kept = await (await caches.open(DEVICE)).match(LIVE);
  if (!kept) return fetch(request);
  const answer = await inTime(fetch(request));
  // Something between us and the server, or a limit, says nothing about the model.
  return answer?.status === 404 || isJson(answer) ? answer : kept;
}

/** The page from the server, which knows its visitor; the one kept here where the server is away. */
async function openPage(event) {
  const cache = await caches.open(SHELL);
  const page = await cache.match("/");
  const asked = fetch(event.request);
  const answer = await (page ? inTime(asked) : asked);
  if (!page || (answer && ![502, 503, 504].includes(answer.status))) {
    if (page) event.waitUntil(freshen(cache, page));
    return answer;
  }
  // The kept page shows no photo; its address must not name one either.
  const { search } = new URL(event.request.url);
  return search === "" || search.startsWith("?shared") ? page : Response.redirect("/");
}

/** Fetches the kept page again where limits or the model may have changed since; a new version has its own worker. */
async function freshen(cache, page) {
  if (Date.now() - Date.parse(page.headers.get("date") ?? 0) > STALE) await keepPage(cache).catch(() => {});
}

/**
 * Photos that another app shares: they join the queue, and the page asks whether to send them. A form of any other site's
 * could be posted here as well, and nothing tells it from an app's.
 */
async function takeShared(event) {
  const copy = event.request.clone();
  try {
    const photos = (await event.request.formData()).getAll("image").filter((part) => part instanceof File && part.size > 0);
    if (photos.length === 0) return Response.redirect("/?shared=nothing", 303);
    // All of them or none: what is kept is not sent by the form as well.
    await add(...photos.map((file) => ({ photo: newId(), file, name: file.name, isShared: true, isHeld: true })));
    return Response.redirect(`/?shared=${photos.length}`, 303);
  } catch {
    // No room on this device: then at once, or not at all.
    return fetch(copy).catch(() => Response.redirect("/?shared=no-room", 303));
  }
}

addEventListener("message", (event) => {
  if (!event.data?.keepDevice) return;
  keeping = keeping.then(() => keepDevice(event.data.keepDevice)).catch((error) => console.info(`The classifier is not kept: ${error}`));
  event.waitUntil(keeping);
});

/** One page's wish after the other's. */
let keeping = Promise.resolve();

/** Keeps the classifier that a page has loaded, `simd` or `plain`, and the live model; what it takes the place of goes. */
async function keepDevice(kind) {
  const cache = await caches.open(DEVICE);
  const live = await inTime(fetch(LIVE));
  if (!isJson(live)) return;
  const { manifest, backbone, head } = await live.clone().json();
  const module = ["worker.js", `${kind}/classifier.js`, `${kind}/classifier_bg.wasm`].map((name) => `/${BUILD.device}/${name}`);
  const paths = [...module, manifest, backbone, head].filter(Boolean);
  for (const path of paths) {
    if (!(await cache.match(path))) await cache.add(path);
  }
  await cache.put(LIVE, live);
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url);
    if (pathname !== LIVE && !paths.includes(pathname)) await cache.delete(url);
  }
}

// Background Sync: the browser says that there is reception, open page or not. What is left asks it to come again.
addEventListener("sync", (event) => {
  if (event.tag === "gourmetgram-queue") event.waitUntil(sendInBackground());
});

/** So long it is waited for a server that is busy for a moment, in milliseconds: a browser asks a few times only, minutes apart. */
const LONGEST_SYNC = 120_000;

async function sendInBackground() {
  const end = Date.now() + LONGEST_SYNC;
  if (!(await all()).some(isToBeSent)) return;
  let outcome = await deliver({ afresh: true });
  while (outcome.isLeft && outcome.until < end) {
    await new Promise((over) => setTimeout(over, Math.max(outcome.until - Date.now(), 250)));
    outcome = await deliver();
  }
  if (outcome.isLeft || outcome.isElsewhere) throw new Error(`the queue waits (${outcome.why})`);
}
