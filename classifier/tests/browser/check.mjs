// Native code and the browser give the same answer: every probability within 0.001, on photos decoded by this crate.
//
//     node classifier/tests/browser/check.mjs
//
// Builds the classifier for WebAssembly, classifies the pictures of tests/pictures (and the real photos of ../shared,
// where there are some) natively and in headless Chromium, and compares. Exit code 0: they agree.
// Needs cargo with the target wasm32-unknown-unknown, wasm-bindgen and chromium on the PATH; the environment variables
// WASM_BINDGEN and CHROMIUM may name them instead.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const TOLERANCE = 1e-3;
const TIMEOUT_SECONDS = 300;
const repository = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const model = join(repository, "models/food64");
const work = mkdtempSync(join(tmpdir(), "browser-check-"));

function run(command, ...options) {
  try {
    return execFileSync(command, options, { cwd: repository, encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] });
  } catch (error) {
    const reason = error.code === "ENOENT" ? "is not installed" : "failed";
    throw new Error(`\`${command} ${options.slice(0, 6).join(" ")}\` ${reason}`);
  }
}

function photosIn(folder) {
  const isPhoto = (name) => /\.(jpg|png|webp|gif)$/.test(name);
  return readdirSync(folder, { recursive: true }).filter(isPhoto).sort().map((name) => join(folder, name));
}

function photos() {
  const own = photosIn(join(repository, "classifier/tests/pictures"));
  const shared = join(process.env.GOURMETGRAM_SHARED ?? join(repository, "../shared"), "images");
  if (!existsSync(shared)) {
    console.log(`skipped: the real photos, ${shared} is absent`);
    return own;
  }
  return [...own, ...photosIn(shared)];
}

// Where cargo puts what it builds is configuration, so it is asked.
function buildExample(name, ...options) {
  const messages = run("cargo", "build", "--quiet", "--example", name, ...options, "--message-format", "json");
  const artifacts = messages.trim().split("\n").map((line) => JSON.parse(line));
  return artifacts.find((message) => message.reason === "compiler-artifact" && message.target.name === name);
}

function buildModule() {
  const built = buildExample("browser_check", "--package", "gourmetgram-classifier", "--target", "wasm32-unknown-unknown");
  const module = built.filenames.find((name) => name.endsWith(".wasm"));
  run(process.env.WASM_BINDGEN ?? "wasm-bindgen", "--target", "web", "--no-typescript", "--out-dir", work, module);
}

function classifyNatively(paths) {
  // The whole workspace, because the tests are built so: alone, it would get its dependencies with other features, and
  // they would be compiled a second time.
  const built = buildExample("classify", "--workspace", "--exclude", "gourmetgram-frontend");
  const lines = run(built.executable, model, ...paths);
  return lines.trim().split("\n").map((line) => JSON.parse(line).probabilities);
}

const PAGE = `<!doctype html><script type="module">
  const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
  const report = (body) => fetch("/answers", { method: "POST", body: JSON.stringify(body) });
  try {
    const { default: load, Classifier } = await import("/browser_check.js");
    await load();
    const manifest = await (await fetch("/model/manifest.toml")).text();
    const classifier = new Classifier(manifest, await bytes("/model/backbone.onnx"), await bytes("/model/head.safetensors"));
    const answers = [];
    let milliseconds = 0;
    for (let index = 0; index < COUNT; index++) {
      const photo = await bytes("/photos/" + index);
      const began = performance.now();
      answers.push([...classifier.classify(photo)]);
      milliseconds += performance.now() - began;
    }
    await report({ answers, milliseconds });
  } catch (error) {
    await report({ error: String(error) });
  }
</script>`;

// Serves page, module, model and photos, and waits for what the page reports.
async function classifyInBrowser(paths) {
  const report = Promise.withResolvers ? Promise.withResolvers() : withResolvers();
  const server = createServer((request, response) => {
    const [, first, second] = request.url.split("/");
    const send = (type, body) => response.writeHead(200, { "content-type": type }).end(body);
    if (request.method === "POST") {
      let body = "";
      request.on("data", (part) => (body += part)).on("end", () => {
        send("text/plain", "");
        report.resolve(JSON.parse(body));
      });
    } else if (first === "") send("text/html", PAGE.replace("COUNT", paths.length));
    else if (first === "photos") send("application/octet-stream", readFileSync(paths[Number(second)]));
    else if (first === "model") send("application/octet-stream", readFileSync(join(model, second)));
    else if (first === "browser_check.js") send("text/javascript", readFileSync(join(work, first)));
    else if (first === "browser_check_bg.wasm") send("application/wasm", readFileSync(join(work, first)));
    else response.writeHead(404).end();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const browser = spawn(process.env.CHROMIUM ?? "chromium", [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", `--user-data-dir=${join(work, "profile")}`,
    `http://127.0.0.1:${server.address().port}/`,
  ], { stdio: "ignore", detached: true });
  browser.on("error", () => report.reject(new Error("chromium is not installed: apt-get install chromium, or set CHROMIUM")));
  browser.on("exit", () => report.reject(new Error("chromium ended before it had answered")));
  const timeout = setTimeout(() => report.reject(new Error(`no answer from the browser in ${TIMEOUT_SECONDS} s`)), TIMEOUT_SECONDS * 1000);
  try {
    const { answers, milliseconds, error } = await report.promise;
    if (error) throw new Error(`in the browser: ${error}`);
    return { answers, milliseconds };
  } finally {
    clearTimeout(timeout);
    const gone = browser.exitCode === null ? new Promise((done) => browser.once("exit", done)) : null;
    // Its helpers with it: they are of one process group.
    if (gone) process.kill(-browser.pid, "SIGKILL");
    await gone;
    server.close();
  }
}

function withResolvers() {
  const resolvers = {};
  resolvers.promise = new Promise((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return resolvers;
}

// The largest difference of all; every photo that differs too much is named.
function compare(paths, native, browser) {
  const differences = paths.map((_, index) => Math.max(...native[index].map((value, at) => Math.abs(value - browser[index][at]))));
  const wrong = paths.filter((_, index) => !(differences[index] <= TOLERANCE));
  for (const path of wrong) console.error(`differs by ${differences[paths.indexOf(path)]}: ${relative(repository, path)}`);
  return { largest: Math.max(...differences), wrong: wrong.length };
}

try {
  const paths = photos();
  buildModule();
  const native = classifyNatively(paths);
  const { answers, milliseconds } = await classifyInBrowser(paths);
  if (native.length !== paths.length || answers.length !== paths.length) throw new Error("some photos have no answer");
  const { largest, wrong } = compare(paths, native, answers);
  console.log(`${paths.length} photos, native and in Chromium: largest difference ${largest.toExponential(1)}, ` +
    `${(milliseconds / paths.length).toFixed(1)} ms a photo in the browser`);
  process.exitCode = wrong === 0 ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  // The browser's helpers may still be writing to its profile for a moment; what they leave is no reason to fail.
  try {
    rmSync(work, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  } catch (error) {
    console.error(`left behind: ${work} (${error.code})`);
  }
}
