// The classifier on this device, as the page sees it: `gourmetgramDevice`, with `classify(file)` and `soon(file)`. Both
// promise what `Classifier` says (JSON), or null where there is no answer; neither ever fails.
//
// The page does not wait for any of this. The worker starts when the page has come alive and the browser has nothing
// better to do. Where the visitor saves data, it starts only if all that it takes is kept on this device already.

/** How long an upload waits for an answer that is under way, in milliseconds: then it goes without. */
const SOON = 400;
/** How long after the page has loaded and come alive the worker starts at the latest, in milliseconds. */
const IDLE = 2000;
/** Where the service worker keeps the classifier, and which model that is. */
const KEPT = { cacheName: "gourmetgram-device" };
const LIVE = "/api/v1/models/live/device";

const { saveData = false, effectiveType = "" } = navigator.connection ?? {};
const isSaving = saveData || effectiveType.endsWith("2g");

let worker = null;
let isReady = false;
let given = 0;
const asked = new Map();
const answers = new WeakMap();

function start() {
  try {
    worker = new Worker(new URL("worker.js", import.meta.url), { type: "module", name: isSaving ? "kept" : "classifier" });
    worker.onmessage = ({ data }) => {
      if (data.ready) {
        isReady = true;
        document.documentElement.dataset.device = data.ready;
      } else if (data.failed) {
        stop(data.failed);
      } else {
        asked.get(data.id)?.(data.said);
        asked.delete(data.id);
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      stop(event.message ?? "the worker did not start");
    };
  } catch (error) {
    stop(String(error));
  }
}

/** Nobody waits any longer; the page goes on without. */
function stop(reason) {
  console.info(`The classifier on this device is off: ${reason}`);
  document.documentElement.dataset.device = "off";
  worker?.terminate();
  worker = null;
  isReady = false;
  gourmetgramDevice.classify = gourmetgramDevice.soon = async () => null;
  for (const answer of asked.values()) answer(null);
  asked.clear();
}

const gourmetgramDevice = {
  /** What the photo shows, as soon as it is known. */
  classify(file) {
    let answer = answers.get(file);
    if (!answer) {
      const id = (given += 1);
      answer = new Promise((resolve) => asked.set(id, resolve));
      answers.set(file, answer);
      if (worker) worker.postMessage({ id, file });
      else waiting.push({ id, file });
    }
    return answer;
  },
  /** The same, if it is known in a moment. */
  soon(file) {
    if (!isReady) return Promise.resolve(null);
    return Promise.race([this.classify(file), new Promise((resolve) => setTimeout(resolve, SOON, null))]);
  },
};
/** Photos chosen before the worker was started. */
const waiting = [];

globalThis.gourmetgramDevice = gourmetgramDevice;

/** Calls `act` once the page has come alive: until then the line is the page's own. A page that never does needs none of this. */
function onceAlive(act) {
  const root = document.documentElement;
  if ("alive" in root.dataset) return void act();
  const watching = new MutationObserver(() => {
    watching.disconnect();
    act();
  });
  watching.observe(root, { attributeFilter: ["data-alive"] });
}

/** Starts the worker, and gives it what it was asked meanwhile, once the browser has nothing better to do. */
function startWhenIdle() {
  const whenIdle = () => {
    const begin = () => {
      start();
      for (const photo of waiting.splice(0)) worker?.postMessage(photo);
    };
    if ("requestIdleCallback" in globalThis) requestIdleCallback(begin, { timeout: IDLE });
    else setTimeout(begin, IDLE / 2);
  };
  onceAlive(() => {
    if (document.readyState === "complete") whenIdle();
    else addEventListener("load", whenIdle, { once: true });
  });
}

/** Whether module and model are kept on this device, and the page gets them from there: then they cost nothing. */
async function isKept() {
  if (!navigator.serviceWorker?.controller) return false;
  const live = await caches.match(LIVE, KEPT);
  if (!live) return false;
  const { manifest, backbone, head } = await live.json();
  const are = async (paths) => {
    const found = await Promise.all(paths.map((path) => caches.match(new URL(path, import.meta.url).href, KEPT)));
    return found.every(Boolean);
  };
  const module = (kind) => are(["worker.js", `${kind}/classifier.js`, `${kind}/classifier_bg.wasm`]);
  return (await are([manifest, backbone, head].filter(Boolean))) && ((await module("simd")) || (await module("plain")));
}

if (!isSaving) startWhenIdle();
else if (await isKept().catch(() => false)) startWhenIdle();
else stop("this visitor saves data, and it is not kept on this device");
