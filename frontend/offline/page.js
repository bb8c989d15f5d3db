// The page's side of working without reception: `gourmetgramOffline`, which keeps what cannot be sent yet, and the list of
// what waits, in the page's element #queue. Nothing of the page waits for this script; where it is missing, photos are
// sent from the page's memory as long as the page is open.

import { add, all, change, deliver, inCare, isToBeSent, mine, newId, onNews, pace, pause, remove, takeCare } from "./queue.js";

const root = document.documentElement;
const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

// Keeping and sending.

/** The sending under way, and what is asked of the next. */
let sending = null;
let wanted = null;
let timer;
/** How long until a photo in another page's care is looked for again, in milliseconds. */
const LOOK_AGAIN = 60_000;

/** Sends what waits; asked again while it does so, once more afterwards. */
function send(how = {}) {
  wanted = { ...wanted, ...how };
  sending ??= sendAll()
    .catch((error) => console.info(`What waits cannot be sent: ${error}`))
    .finally(() => (sending = null));
  return sending;
}

async function sendAll() {
  clearTimeout(timer);
  while (wanted) {
    const how = wanted;
    wanted = null;
    draw();
    if (!navigator.onLine) break;
    const { until, isLeft, isElsewhere } = await deliver(how);
    if (isLeft) timer = setTimeout(send, Math.min(Math.max(until - Date.now(), 250), 2 ** 31 - 1));
    // A page that has care of a photo may die without a word.
    else if (isElsewhere) timer = setTimeout(send, LOOK_AGAIN);
  }
  wanted = null;
  draw();
}

/** Asks the browser to wake the service worker when there is reception, where it can. */
async function wakeLater() {
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.sync?.register("gourmetgram-queue").catch(() => {});
}

/** What is sent of a photo: decided once, when it is chosen, so that every try sends the same bytes. */
const sent = new WeakMap();
/** One after the other: a photo takes a phone's memory while it is made smaller. */
let shrinking = Promise.resolve();

/** Promises the photo to send: smaller where the visitor wants that (the page's box says so) or the connection is slow. */
function toSend(file) {
  if (!sent.has(file)) {
    shrinking = shrinking.then(() => shrunk(file)).catch(() => undefined);
    sent.set(file, shrinking.then((smaller) => smaller ?? file));
  }
  return sent.get(file);
}

/** Whether the browser says that its visitor saves data, or that the connection is slow. */
function savesData() {
  const { saveData = false, effectiveType = "" } = navigator.connection ?? {};
  return saveData || effectiveType.endsWith("2g");
}

async function shrunk(file) {
  if (!savesData() && !localStorage.getItem("gourmetgram-smaller")) return;
  const { smaller } = await import("./smaller.js");
  return smaller(file);
}

/** What the device says a photo shows goes along with it: of the photo as it was chosen, whatever is sent of it. */
async function classify(photo, file) {
  const said = await globalThis.gourmetgramDevice?.classify(file);
  if (!said) return;
  const device = JSON.stringify(JSON.parse(said).device);
  const item = (await all()).find((item) => item.file && item.photo === photo);
  if (item) await change(item.order, { device });
}

function letGo(photo) {
  mine.get(photo)?.();
}

/** Tells whoever asked whether it worked. */
async function attempt(act) {
  try {
    await act();
    return true;
  } catch (error) {
    console.info(`Nothing is kept on this device: ${error}`);
    return false;
  }
}

/** Photos that nobody wants any more: what is still on its way into the queue goes out again. */
const unwanted = new Set();
/** Photos that are on their way into the queue. */
const coming = new Map();
/** Photos that the page shows by itself while the queue sends them: the list leaves them out. */
const shown = new Set();

/** Photos whose turn to be sent has come. */
const begun = new Set();
/** The photos before: they are kept one after the other, so that an answer waits for one of them at most. */
let later = Promise.resolve();

async function keep(photo, file) {
  shown.delete(photo);
  await takeCare(photo);
  const kept = await toSend(file);
  const isHere = (await all()).some((item) => item.file && item.photo === photo);
  if (!isHere) await add({ photo, file: kept, name: kept.name, scaledFrom: kept.scaledFrom });
  if (unwanted.has(photo)) return globalThis.gourmetgramOffline.drop(photo);
  if (matchMedia("(display-mode: standalone)").matches) navigator.storage?.persist?.();
  if (!navigator.onLine) wakeLater();
  classify(photo, file);
}

globalThis.gourmetgramOffline = {
  toSend,
  /** Keeps a photo that the page is about to send, until it is dropped or let go of. Promises whether it could. */
  keep(photo, file) {
    begun.add(photo);
    if (!coming.has(photo)) coming.set(photo, attempt(() => keep(photo, file)).finally(() => coming.delete(photo)));
    return coming.get(photo);
  },
  /** Keeps a photo whose turn to be sent is still to come. Promises whether it did; `keep` may have been quicker. */
  keepSoon(photo, file) {
    later = later.then(() => !begun.has(photo) && !unwanted.has(photo) && this.keep(photo, file));
    return later;
  },
  /** The server has the photo, or the visitor wants it no more. */
  async drop(photo) {
    unwanted.add(photo);
    await attempt(() => remove((item) => item.photo === photo));
    letGo(photo);
  },
  /** The page sends it no longer: the queue does. */
  async letGo(photo) {
    shown.delete(photo);
    letGo(photo);
    if ((await all().catch(() => [])).length > 0) send();
  },
  /** The same for a photo that the page goes on to show. The server takes nothing for so many seconds, and `why`. */
  async handOver(photo, seconds, why) {
    shown.add(photo);
    await attempt(() => pause(seconds, why));
    letGo(photo);
    send();
  },
  /**
   * The visitor's cookie is gone, and with it what was sent under it. The photo stays, under an id that the server does not
   * know, and is sent when this browser has a cookie again. Promises whether it is kept.
   */
  renew: (photo) =>
    attempt(async () => {
      const item = (await all()).find((item) => item.file && item.photo === photo);
      if (!item) throw new Error(`${photo} is not kept`);
      await change(item.order, { photo: newId() });
      letGo(photo);
      send();
    }),
  /** Keeps what the visitor does with a recorded photo. Promises whether it could. */
  say: (photo, method, part, body, words) =>
    attempt(async () => {
      await add({ photo, method, part, body, words });
      wakeLater();
      send();
    }),
  /** Promises whether something about this photo waits: then what is said next waits behind it. */
  waits: (photo) => all().then((items) => items.some((item) => item.photo === photo), () => false),
};

onNews(({ arrived, isPhoto, isShared }) => {
  draw();
  if (!arrived) return;
  if (isPhoto && isShared && location.search === "?shared=1") location.replace(`/?photo=${arrived}`);
  else dispatchEvent(new CustomEvent("gourmetgram-arrived", { detail: arrived }));
});

// The list.

/** Elements of items, by their order. */
const rows = new Map();
let place = null;

function element(name, className, ...inside) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...inside);
  return made;
}

function button(text, label, act) {
  const made = element("button", "button button--small", text);
  made.type = "button";
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

const status = element("p", "visually-hidden");
status.setAttribute("role", "status");
const title = element("h2", "queue__title");
title.id = "queue-title";
title.tabIndex = -1;
const note = element("p", "queue__note");
const again = button("Try now", null, () => send({ now: true }));
const reload = element("a", "button button--small", "Show my photos");
reload.href = "/";
reload.rel = "external";
const list = element("ul", "queue__list");
const section = element("section", "queue", element("div", "queue__head", title, again, reload), note, list);
section.setAttribute("aria-labelledby", title.id);

function makeRow(item) {
  const name = element("p", "queue__name");
  const state = element("p", "queue__state");
  const retry = button("Try again", null, async () => {
    title.focus();
    // What was shared has not been sent yet, so it may still become smaller.
    const file = item.isHeld ? await toSend(item.file) : item.file;
    const scaledFrom = file?.scaledFrom ?? item.scaledFrom;
    await change(item.order, { refused: undefined, isHeld: undefined, file, scaledFrom });
    send({ now: true });
  });
  const drop = button("Remove", null, async () => {
    title.focus();
    await remove(({ order }) => order === item.order);
  });
  const made = element("li", "queue__item");
  let preview;
  if (item.file) {
    const picture = element("img", "queue__picture");
    picture.alt = "";
    picture.src = preview = URL.createObjectURL(item.file);
    picture.addEventListener("error", () => picture.classList.add("queue__picture--unseen"));
    made.append(picture);
    if (!item.device && !item.scaledFrom) classify(item.photo, item.file);
  }
  made.append(element("div", "queue__words", name, state), element("div", "queue__acts", retry, drop));
  return { made, name, state, retry, drop, forget: () => preview && URL.revokeObjectURL(preview) };
}

function nameOf({ words, device, name }) {
  if (words) return words;
  if (!device) return name || "Photo";
  const { predicted_class, confidence } = JSON.parse(device);
  return `${predicted_class}, ${Math.round(confidence * 100)}%, says this device`;
}

/** Why nothing moves, in words that end a sentence; nothing where something does. */
function standstill({ until, why }) {
  if (!navigator.onLine) return "for reception";
  if (Date.now() >= until) return "";
  return why === "unreachable" || why === "not ours" ? "for reception" : "for the server";
}

/** An API's detail begins and ends as it likes; on a page it is a sentence. */
const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".") : "");

function stateOf(item, { until, why }, stopped) {
  if (item.isHeld) return "Shared with GourmetGram. Send it?";
  if (item.refused) return `${sentence(item.refused.title)} ${sentence(item.refused.detail)}`;
  if (!stopped) return "Is being sent";
  if (!navigator.onLine) return "Waits for reception";
  const at = new Date(until).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const reason = { 429: "That was a lot at once", 503: "The server is busy", 507: "The server has no room just now", unreachable: "No connection" };
  return `${reason[why] ?? "The server did not answer as it should"}: next try at ${at}`;
}

const wordsFor = (items) => {
  const photos = items.filter(({ file }) => file).length;
  const changes = items.length - photos;
  return [photos && count(photos, "photo", "photos"), changes && count(changes, "change", "changes")].filter(Boolean).join(" and ");
};

function heading(items, stopped) {
  const waiting = items.filter(isToBeSent);
  const held = items.filter(({ isHeld }) => isHeld);
  if (waiting.length === 0 && held.length > 0) return `${wordsFor(held)} to send`;
  if (waiting.length === 0) return items.length ? `${wordsFor(items)} could not be sent` : "";
  if (!stopped) return `Sending ${wordsFor(waiting)}`;
  return `${wordsFor(waiting)} ${waiting.length === 1 ? "waits" : "wait"} ${stopped}`;
}

/** What to say beside the list: how the page was opened, and what could not be kept. */
function notice() {
  if (location.search === "?shared=no-room") return "This device has no room for what you shared, and there is no reception: share it again later.";
  if (location.search === "?shared=nothing") return "There was no photo in what you shared.";
  if (!("shell" in root.dataset)) return "";
  return navigator.onLine
    ? "There is reception again."
    : "Photos are classified on this device and wait here until there is reception. Those you sent before show again then.";
}

let drawing = Promise.resolve();

/** Shows what waits. One drawing follows another. */
function draw() {
  drawing = drawing.then(redraw).catch((error) => console.info(`What waits cannot be shown: ${error}`));
}

async function redraw() {
  if (!place) return;
  const [everything, cared, now] = await Promise.all([all(), inCare(), pace()]);
  const isSeen = (item) => cared.has(item.photo) || (shown.has(item.photo) && isToBeSent(item));
  const items = everything.filter((item) => !item.file || !isSeen(item));
  const stopped = standstill(now);
  for (const item of items) {
    if (!rows.has(item.order)) rows.set(item.order, makeRow(item));
    const row = rows.get(item.order);
    const name = nameOf(item);
    row.name.textContent = name;
    row.state.textContent = stateOf(item, now, stopped);
    row.made.classList.toggle("queue__item--refused", Boolean(item.refused));
    row.retry.hidden = isToBeSent(item);
    row.retry.textContent = item.isHeld ? "Send" : "Try again";
    row.retry.setAttribute("aria-label", `${row.retry.textContent}: ${name}`);
    row.drop.setAttribute("aria-label", `Remove: ${name}`);
  }
  const orders = new Set(items.map(({ order }) => order));
  for (const [order, row] of rows) {
    if (orders.has(order)) continue;
    row.made.remove();
    row.forget();
    rows.delete(order);
  }
  const wantedRows = items.map(({ order }) => rows.get(order).made);
  if (wantedRows.some((made, index) => list.children[index] !== made)) list.replaceChildren(...wantedRows);
  list.hidden = items.length === 0;

  const told = notice();
  const isShell = "shell" in root.dataset;
  title.textContent = heading(items, stopped) || (isShell ? (navigator.onLine ? "Back online" : "No reception") : "Shared photos");
  note.textContent = told;
  note.hidden = told === "";
  again.hidden = !navigator.onLine || !stopped || !items.some(isToBeSent);
  reload.hidden = !isShell || !navigator.onLine;
  const isEmpty = items.length === 0 && told === "";
  if (isEmpty) section.remove();
  else if (!section.isConnected) place.append(section);
  const spoken = isEmpty ? "" : title.textContent;
  if (status.textContent !== spoken) status.textContent = spoken;
}

// When.

/** Calls `act` once an element or its attribute is there. */
function once(selector, act) {
  const look = () => document.querySelector(selector);
  const found = look();
  if (found) return void act(found);
  const observer = new MutationObserver(() => {
    const found = look();
    if (!found) return;
    observer.disconnect();
    act(found);
  });
  observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready", "data-device"] });
}

// The page marks the place once it has come alive: before that it is the server's document, letter by letter.
once("#queue[data-ready]", (found) => {
  place = found;
  place.append(status);
  send({ afresh: true });
});
addEventListener("online", () => send({ afresh: true }));
addEventListener("offline", draw);
document.addEventListener("visibilitychange", async () => {
  if (document.visibilityState === "visible") send({ afresh: true });
  else if ((await all().catch(() => [])).length > 0) wakeLater();
});

/** A new version takes this one's files away, on the device and at the server: what the page has not fetched yet comes now. */
function makeReadyForNextVersion(registration) {
  const fetchRest = () => navigator.serviceWorker.controller && import("./smaller.js").catch(() => {});
  registration.addEventListener("updatefound", fetchRest);
  if (registration.installing) fetchRest();
}

async function beginService() {
  try {
    makeReadyForNextVersion(await navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" }));
  } catch (error) {
    console.info(`The page will not open without reception: ${error}`);
    return;
  }
  once("html[data-device=simd], html[data-device=plain]", async (html) => {
    // What is kept would be held against the server's model, and a newer one fetched.
    if (savesData()) return;
    const tell = async () => (await navigator.serviceWorker.ready).active.postMessage({ keepDevice: html.dataset.device });
    // A new version has a classifier of its own to keep.
    navigator.serviceWorker.addEventListener("controllerchange", tell);
    await tell();
  });
}

if ("serviceWorker" in navigator) {
  const whenIdle = () => ("requestIdleCallback" in globalThis ? requestIdleCallback(beginService, { timeout: 5000 }) : setTimeout(beginService, 1000));
  if (document.readyState === "complete") whenIdle();
  else addEventListener("load", whenIdle, { once: true });
}
