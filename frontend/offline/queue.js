// What waits for reception: photos, flags, corrections and erasures, in an IndexedDB of this origin. Page and service
// worker share this file, and what it does is done by one of them at a time.
//
// A photo has the id of its prediction from the moment it is chosen, and that id is its idempotency key: sent twice it is
// recorded once. What is said about a photo is sent after the photo and in the order in which it was said; the server
// takes the same word twice in a row for one. Something leaves the queue when the server has answered that it has it,
// when the visitor removes it, and never else.

const DATABASE = "gourmetgram";
const PREDICTIONS = "/api/v1/predictions";
/** The name of the lock that is held while something is sent. */
const SENDING = "gourmetgram-sending";
/** The longest wait between tries without a word of the server's, in seconds. */
const LONGEST_WAIT = 600;
/** How long one request may take, in milliseconds: longer than the server lets an upload take. */
const LONGEST_REQUEST = 6 * 60_000;
/** How long the browser may take to open its database, in milliseconds. */
const LONGEST_OPENING = 3000;
/** Answers after which the same request may succeed later. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504, 507]);

/** Tells every open page that the queue has changed, or which photo has `arrived`. */
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("gourmetgram-queue") : null;
const listeners = new Set();

function announce(news) {
  channel?.postMessage(news);
  for (const listener of listeners) listener(news);
}

/** Calls `listener` after each change, wherever it was made. */
export function onNews(listener) {
  listeners.add(listener);
  channel?.addEventListener("message", ({ data }) => listener(data));
}

const promised = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    // A browser whose storage is broken may never answer. Then nothing is kept, and nothing waits for it again.
    const giveUp = setTimeout(() => reject(new Error("the browser does not open its database")), LONGEST_OPENING);
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("queue", { keyPath: "order", autoIncrement: true });
      request.result.createObjectStore("pace");
    };
    request.onsuccess = () => {
      clearTimeout(giveUp);
      const connection = request.result;
      // A later version of this file may want another form: it is not kept waiting.
      connection.onversionchange = () => {
        connection.close();
        opened = null;
      };
      // Browsers take it away from pages in the background, and when their visitor deletes what a site has kept.
      connection.onclose = () => {
        opened = null;
        // Orders may begin anew.
        unwritten.clear();
      };
      opened = Promise.resolve(connection);
      resolve(connection);
    };
    request.onerror = () => {
      clearTimeout(giveUp);
      opened = null;
      reject(request.error);
    };
  });
  return opened;
}

/** Begins a transaction; over a new connection, where the browser has taken the last one away without a word. */
async function begin(store, mode) {
  const transaction = async () => (await database()).transaction(store, mode, { durability: "strict" });
  try {
    return await transaction();
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error;
    opened = null;
    return transaction();
  }
}

/** Does something with a store, and returns once it is on the disk. */
async function within(store, mode, act) {
  const transaction = await begin(store, mode);
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
  let asked;
  try {
    asked = promised(act(transaction.objectStore(store)));
  } catch (error) {
    // What was asked for before does not happen either.
    ended.catch(() => {});
    transaction.abort();
    throw error;
  }
  const [result] = await Promise.all([asked, ended]);
  return result;
}

/**
 * What has changed of items on a device without room for it, by their order: remembered by this page, or this service worker,
 * as long as it lives.
 */
const unwritten = new Map();

const asItIs = (item) => item && { ...item, ...unwritten.get(item.order) };

/** Everything that waits, in the order in which it is to be sent. */
export const all = async () => (await within("queue", "readonly", (store) => store.getAll())).map(asItIs);

const one = async (order) => asItIs(await within("queue", "readonly", (store) => store.get(order)));

/** Adds all of these, or fails where the device has no room for all of them. */
export async function add(...items) {
  await within("queue", "readwrite", (store) => items.map((item) => store.add({ since: Date.now(), tries: 0, ...item })).at(-1));
  announce({});
}

/** Changes something that waits, and says what it is then; nothing where it waits no more. */
export async function change(order, changes) {
  let changed;
  try {
    await within("queue", "readwrite", (store) => {
      const found = store.get(order);
      found.addEventListener("success", () => {
        if (found.result) store.put((changed = { ...asItIs(found.result), ...changes }));
      });
      return found;
    });
    unwritten.delete(order);
  } catch (error) {
    if (!changed) throw error;
    unwritten.set(order, { ...unwritten.get(order), ...changes });
  }
  announce({});
  return changed;
}

/** Takes out what `meant` says. */
export async function remove(meant) {
  for (const item of await all()) {
    if (!meant(item)) continue;
    await within("queue", "readwrite", (store) => store.delete(item.order));
    unwritten.delete(item.order);
  }
  announce({});
}

/** A UUID version 7: the time in milliseconds, then random bits. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  for (let index = 0; index < 6; index++) bytes[index] = Math.floor(now / 2 ** (8 * (5 - index)));
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The photos that this page sends by itself, with what lets go of each. */
export const mine = new Map();
const CARE = "gourmetgram-photo-";
/** The photos that are about to be among them. */
const asked = new Map();

/** Takes a photo out of the queue's hands, until `mine.get(photo)` is called or this page is no more. */
export function takeCare(photo) {
  if (mine.has(photo)) return Promise.resolve();
  if (!asked.has(photo)) asked.set(photo, beginCare(photo).finally(() => asked.delete(photo)));
  return asked.get(photo);
}

function beginCare(photo) {
  return new Promise((taken) => {
    const hold = () =>
      new Promise((release) => {
        mine.set(photo, () => {
          mine.delete(photo);
          release();
        });
        taken();
      });
    if (navigator.locks) navigator.locks.request(CARE + photo, hold).catch(taken);
    else hold();
  });
}

/** The photos that some page sends by itself. */
export async function inCare() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const theirs = held.filter(({ name }) => name.startsWith(CARE)).map(({ name }) => name.slice(CARE.length));
  return new Set([...mine.keys(), ...theirs]);
}

/** How the next try stands: `until` when to wait, `why`, and whether the server said so. */
export const pace = async () => (await within("pace", "readonly", (store) => store.get("pace"))) ?? { until: 0, tries: 0 };

const setPace = (pace) => within("pace", "readwrite", (store) => store.put(pace, "pace"));

/** The server has said that it takes nothing for so many seconds: then the queue does not ask before either. */
export async function pause(seconds, why) {
  const until = Date.now() + seconds * 1000;
  const now = await pace();
  if (until > now.until) await setPace({ ...now, until, isServers: true, why });
}

/** Runs `act` while nobody else sends. */
function alone(act) {
  return navigator.locks ? navigator.locks.request(SENDING, act) : act();
}

/**
 * Sends what there is to send, one after the other. `afresh`: the connection may be another one, so waits that nobody
 * but us has chosen are over; `now`: so are the server's.
 *
 * Says until when to wait and why, and whether something is left: for the next call, or with a page that sends it.
 */
export const deliver = ({ afresh = false, now = false } = {}) =>
  alone(async () => {
    let { until, tries, isServers, why } = await pace();
    if (now || (afresh && !isServers)) until = 0;
    let isKnown = false;
    while (Date.now() >= until) {
      const item = next(await all(), await inCare());
      if (!item) break;
      let trouble = null;
      if (item.file && !isKnown) {
        trouble = await becomeKnown();
        isKnown = !trouble;
      }
      // It may have been removed meanwhile.
      if (!trouble && !(await stillWaits(item))) continue;
      const outcome = trouble ?? (await send(item));
      if (outcome.done) {
        tries = 0;
        if (item.file) await sayWhatDeviceSaid(item, outcome);
        // With an erased photo goes what was still to be said about it.
        const isErased = item.method === "DELETE" && !item.part;
        await remove(({ order, photo }) => order === item.order || (isErased && photo === item.photo));
        announce({ arrived: item.photo, isPhoto: Boolean(item.file), isShared: Boolean(item.isShared) });
      } else if (outcome.refused) {
        await change(item.order, { refused: outcome.refused });
      } else {
        tries += 1;
        isServers = outcome.seconds !== undefined;
        why = outcome.why;
        const seconds = outcome.seconds ?? Math.min(2 ** tries, LONGEST_WAIT) * (1 + Math.random() / 5);
        until = Date.now() + seconds * 1000;
      }
      // A device without room forgets it, and sends all the same: what is sent makes room.
      await setPace({ until, tries, isServers, why }).catch(() => {});
    }
    announce({});
    const left = (await all()).filter(isToBeSent);
    return { until, why, isLeft: Boolean(next(left, await inCare())), isElsewhere: left.length > 0 };
  });

/** Whether it waits still; notes that it is tried. */
const stillWaits = ({ order, tries }) => change(order, { tries: tries + 1 });

/**
 * What this device took a photo for, and has said so in the list, follows the photo that left without it: then, or on a try
 * before, of which the server has kept what it was sent. A device without room forgets it.
 */
async function sayWhatDeviceSaid({ order, photo, device: sent }, { isReplayed }) {
  const device = (await one(order))?.device;
  if (!device || (sent && !isReplayed)) return;
  await add({ photo, method: "PUT", part: "device", body: device, words: "What this device took it for" }).catch(() => {});
}

/** Whether the server may still take it, and the visitor has said that it is to go: what is shared waits for their word. */
export const isToBeSent = ({ refused, isHeld }) => !refused && !isHeld;

/** The first thing to be sent: nothing about a photo before what was said about it earlier. */
function next(items, cared) {
  const seen = new Set(cared);
  return items.find((item) => {
    if (seen.has(item.photo)) return false;
    seen.add(item.photo);
    return isToBeSent(item);
  });
}

async function ask(path, options) {
  return fetch(path, {
    credentials: "same-origin",
    cache: "no-store",
    signal: AbortSignal.timeout?.(LONGEST_REQUEST),
    ...options,
    headers: { Accept: "application/json", ...options?.headers },
  });
}

/**
 * Makes sure that the server knows whose photo this will be. A browser whose cookie is gone gets another one with the
 * page: what waits here is this browser's, whatever it is called.
 */
async function becomeKnown() {
  try {
    const whoami = () => ask(`${PREDICTIONS}?mine=true&limit=1`);
    let answer = await whoami();
    if (answer.status === 401) {
      await ask("/", { headers: { Accept: "text/html" } });
      answer = await whoami();
    }
    if (answer.status === 401) {
      return { refused: { title: "This browser keeps no cookies", detail: "Without one nobody could see or erase the photo. Allow them, and try again." } };
    }
    return answer.ok ? null : later(answer, await problemOf(answer));
  } catch {
    return { why: "unreachable" };
  }
}

async function problemOf(answer) {
  try {
    return (await answer.json()) ?? {};
  } catch {
    return {};
  }
}

function later(answer, problem) {
  const said = answer.headers.get("Retry-After") ?? problem.retry_after;
  const inSeconds = said === null || said === undefined ? NaN : Number(said);
  const seconds = Number.isNaN(inSeconds) ? (Date.parse(said) - Date.now()) / 1000 : inSeconds;
  return { why: answer.status, seconds: Number.isFinite(seconds) ? Math.max(seconds, 1) : undefined };
}

async function send(item) {
  try {
    const answer = await ask(...requestOf(item));
    const body = await problemOf(answer);
    if (answer.ok) {
      // Something between us and the server may say that all is well, and have nothing of it.
      const isOurs = answer.status === 204 || body.id === item.photo;
      const isReplayed = answer.headers.has("Idempotency-Replayed");
      return isOurs ? { done: true, isReplayed } : { why: "not ours" };
    }
    if (PASSING.has(answer.status)) return later(answer, body);
    // Nobody has asked for it to be said, so nobody is told that it is not wanted any more.
    if (item.part === "device") return { done: true };
    // Erased meanwhile: then there is nothing left to be sent or said.
    if (answer.status === 410) return { done: true };
    if (answer.status === 409 && item.file) {
      return { refused: { title: "This photo has arrived under a cookie that is gone", detail: "It is recorded, and this browser cannot show it any more. Choose the photo again to send it anew." } };
    }
    if (answer.status === 404 || answer.status === 401) {
      return { refused: { title: "This photo belongs to a cookie that is gone", detail: "Only the browser that sent it could say something about it. It runs out, or is deleted with the browser’s data." } };
    }
    return { refused: { title: body.title ?? `The server refused it (status ${answer.status})`, detail: body.detail ?? "" } };
  } catch {
    return { why: "unreachable" };
  }
}

function requestOf({ photo, file, name, device, scaledFrom, method, part, body }) {
  if (!file) {
    const path = [PREDICTIONS, photo, part].filter(Boolean).join("/");
    return [path, { method, body: body || undefined, headers: body ? { "Content-Type": "application/json" } : {} }];
  }
  const form = new FormData();
  // Before the file, so that the server can recognise it before it reads it.
  form.append("id", photo);
  if (device) form.append("device", device);
  if (scaledFrom) form.append("scaled_from", scaledFrom);
  form.append("image", file, name);
  return [PREDICTIONS, { method: "POST", body: form, headers: { "Idempotency-Key": photo } }];
}
