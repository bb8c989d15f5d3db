// The classifier for devices in Chromium beside onnxruntime-web, as JSON.
//
//     node bench/device.mjs http://127.0.0.1:8080/ MODEL_DIRECTORY ROUNDS SAMPLES PHOTO...
//
// The server at the address serves MODEL_DIRECTORY. Both sides run in one page of its origin, on one thread, and take
// turns. Then each photo is chosen on the real page, and the time until the device's answer is on it is taken.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [address, model, rounds, runs, ...photos] = process.argv.slice(2);
const { chromium } = createRequire(new URL("../end2end/", import.meta.url))("@playwright/test");
const peer = new URL("peers/node_modules/onnxruntime-web/dist/", import.meta.url).pathname;
const graph = readFileSync(join(model, "backbone.onnx"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});

/** In the page: seconds of each run, round by round. */
async function takeTurns({ module, rounds, runs }) {
  const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
  const { default: load, Classifier } = await import(module);
  await load();
  const { manifest, backbone, head } = await (await fetch("/api/v1/models/live/device")).json();
  const classifier = new Classifier(await (await fetch(manifest)).text(), await bytes(backbone), head && (await bytes(head)));
  const side = classifier.side;

  const ort = await import("/bench/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/bench/";
  const session = await ort.InferenceSession.create(await bytes("/bench/backbone.onnx"), { executionProviders: ["wasm"] });

  const pixels = Uint8Array.from({ length: side * side * 4 }, (_, index) => (index * 7919) % 251);
  const values = Float32Array.from({ length: 3 * side * side }, (_, index) => ((index * 7919) % 251) / 125 - 1);
  const input = new ort.Tensor("float32", values, [1, 3, side, side]);
  const sides = {
    ours: async () => classifier.classify_pixels(side, side, pixels),
    "onnxruntime-web": async () => session.run({ [session.inputNames[0]]: input }),
  };
  // A page's clock ticks every 0.1 ms, which is a share of one run: so many go by between two looks at it.
  const batch = 10;
  const measure = async (run, count) => {
    const seconds = [];
    for (let index = 0; index < count; index++) {
      const began = performance.now();
      for (let time = 0; time < batch; time++) await run();
      seconds.push((performance.now() - began) / 1000 / batch);
    }
    return seconds;
  };
  for (const run of Object.values(sides)) await measure(run, 2);
  const measured = [];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 ? Object.entries(sides) : Object.entries(sides).reverse();
    const found = {};
    for (const [name, run] of order) found[name] = await measure(run, runs);
    measured.push(found);
  }
  return measured;
}

/** In the page: from choosing a photo until the device's answer is on the page, in milliseconds. */
function watch() {
  window.answeredIn = new Promise((resolve) => {
    let began;
    document.addEventListener("change", () => (began = performance.now()), { capture: true, once: true });
    const watching = new MutationObserver(() => {
      if (began === undefined || !document.querySelector(".plaque--preliminary")) return;
      watching.disconnect();
      resolve(performance.now() - began);
    });
    watching.observe(document.body, { subtree: true, childList: true });
  });
}

try {
  const page = await browser.newPage();
  await page.goto(address);
  const script = await page.locator("script[src$='/device.js']").getAttribute("src");
  await page.route("**/bench/**", (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    if (name === "page.html") return route.fulfill({ contentType: "text/html", body: "<!doctype html><title>Benchmark</title>" });
    if (name === "backbone.onnx") return route.fulfill({ contentType: "application/octet-stream", body: graph });
    const contentType = name.endsWith(".wasm") ? "application/wasm" : "text/javascript";
    return route.fulfill({ contentType, body: readFileSync(join(peer, name)) });
  });
  await page.goto(new URL("/bench/page.html", address).href);
  const turns = await page.evaluate(takeTurns, {
    module: script.replace("device.js", "simd/classifier.js"),
    rounds: Number(rounds),
    runs: Number(runs),
  });

  // The server's answer is kept back, so that the device's is the one that comes.
  await page.route(/\/api\/v1\/predictions$/, () => {});
  const answered = [];
  for (const photo of photos) {
    await page.goto(address);
    await page.locator("html[data-device=simd]").waitFor({ state: "attached" });
    // What a worker does once it has done before, for photos as people choose them.
    for (let time = 0; time < 3; time++) {
      await page.evaluate(watch);
      await page.locator("input[type=file][multiple]").setInputFiles(photo);
      answered.push(await page.evaluate(() => window.answeredIn));
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await page.locator(".plaque--preliminary").waitFor({ state: "detached" });
    }
  }
  console.log(JSON.stringify({ turns, answered_ms: answered }));
} finally {
  await browser.close();
}
