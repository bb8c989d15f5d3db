// The classifier on this device, as the page sees it: `gourmetgramDevice`, with `classify(file)` and `soon(file)`. Both
// promise what `Classifier` says (JSON), or null where there is no answer; neither ever fails.
//
// The page does not wait for any of this. The worker starts when the page has come alive and the browser has nothing
// better to do, and not at all where the visitor saves data.

/** How long an upload waits for an answer that is under way, in milliseconds: then it goes without. */
const SOON = 400;
/** How long after the page has loaded and come alive the worker starts at the latest, in milliseconds. */
const IDLE = 2000;

let worker = null;
let isReady = false;
let given = 0;
const asked = new Map();
const answers = new WeakMap();

function start() {
  try {
    worker = new Worker(new URL("worker.js", import.meta.url), { type: "module", name: "classifier" });
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

const connection = navigator.connection;
if (connection?.saveData || /2g$/.test(connection?.effectiveType ?? "")) {
  stop("this visitor saves data");
} else {
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
