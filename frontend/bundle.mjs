// Puts what the browser loads into target/site/: `node frontend/bundle.mjs dev|release STAGING`.
//
//   target/site/pkg/<hash>/   a .js and a _bg.wasm for each bundle, gourmetgram.css, pages.css (what only the pages of
//                             people who are signed in need), offline.js, smaller.js (which that fetches when it is
//                             wanted), the typeface: named by what is in them all, so they may be cached for ever
//   target/site/pkg/device-<hash>/
//                             device.js, worker.js, and the classifier's module with its JavaScript, with vector
//                             instructions (simd/) and without (plain/): fetched by the page when it has nothing better to
//                             do, and kept where only the page has changed
//   target/site/service-worker.js
//                             the service worker, which knows the names of the files that make up `/`
//   target/site/              everything of public/
//
// In release scripts and styles are minified, and each file that gains from it has a .br and a .gz beside it, so the
// server compresses nothing twice; a release that is too heavy or lacks one of these is none (PAGE_BUDGET, WORKER_BUDGET).
// Whatever else lies in target/site/ is removed.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { buildSync, transformSync } from "esbuild";

/** What `/` loads before it comes alive, in bytes after brotli, at most. */
const PAGE_BUDGET = 300_000;
/** What a browser loads to classify, without the model: the worker and one of its modules, in bytes after brotli, at most. */
const WORKER_BUDGET = 1_200_000;

const [mode, staging] = process.argv.slice(2);
if (!["dev", "release"].includes(mode) || !staging) {
  console.error("usage: node frontend/bundle.mjs dev|release STAGING");
  process.exit(2);
}

const repository = join(dirname(fileURLToPath(import.meta.url)), "..");
const site = join(repository, "target/site");
const compressible = new Set([".js", ".wasm", ".css", ".svg", ".txt", ".json", ".webmanifest", ".html"]);

/** Path, relative to `folder`, and content of each file below it, in a fixed order. */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
    .map((path) => [relative(folder, path), readFileSync(path)]);
}

/** The style sheet with its imports in place of the lines that name them: one request instead of a chain. */
function styleSheet(path) {
  return readFileSync(path, "utf8").replace(/^@import "([^"]+)";$/gm, (_, name) => styleSheet(join(dirname(path), name)));
}

/** A script or a style sheet as it is served: in release without what only people read. */
function served(name, content) {
  const loader = { ".js": "js", ".css": "css" }[extname(name)];
  if (mode !== "release" || !loader) return content;
  const { code } = transformSync(content.toString(), { loader, minify: true, target: "esnext", legalComments: "none" });
  return Buffer.from(code);
}

/** A script with the modules it imports, and with `__BUILD__` in the place of that name. */
function script(path, format, build = {}) {
  const { outputFiles } = buildSync({
    entryPoints: [join(repository, path)],
    bundle: true,
    write: false,
    external: ["./smaller.js"],
    format,
    target: "es2022",
    charset: "utf8",
    minify: mode === "release",
    define: { __BUILD__: JSON.stringify(build) },
  });
  return Buffer.from(outputFiles[0].contents);
}

/** The files with the compressed forms of those that gain from it, where this is a release. */
function* withCompressed(files) {
  for (const [name, content] of files) {
    yield [name, content];
    if (mode === "release" && compressible.has(extname(name))) {
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
      yield [`${name}.br`, brotliCompressSync(content, { params })];
      yield [`${name}.gz`, gzipSync(content, { level: 9 })];
    }
  }
}

/** Writes what is not there yet to the letter. A file left alone keeps its time, and the server is not built anew. */
function write(path, content) {
  if (!existsSync(path) || !readFileSync(path).equals(content)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

const font = "node_modules/@fontsource-variable/bricolage-grotesque/files/bricolage-grotesque-latin-wght-normal.woff2";
const hashed = [
  ...filesBelow(join(repository, staging)),
  ["gourmetgram.css", Buffer.from(styleSheet(join(repository, "style/gourmetgram.css")))],
  ["pages.css", Buffer.from(styleSheet(join(repository, "style/pages.css")))],
  ["offline.js", script("frontend/offline/page.js", "esm")],
  ["smaller.js", script("frontend/offline/smaller.js", "esm")],
  ["bricolage-grotesque.woff2", readFileSync(join(repository, "frontend", font))],
].map(([name, content]) => [name, served(name, content)]);
const device = [
  ...["device.js", "worker.js"].map((name) => [name, readFileSync(join(repository, "frontend/worker", name))]),
  ...filesBelow(join(repository, "target/frontend/worker")).filter(([name]) => /^(simd|plain)\//.test(name)),
].map(([name, content]) => [name, served(name, content)]);

/** A name for what is in these files. */
function nameOf(files) {
  const digest = createHash("sha256");
  for (const [name, content] of files) {
    digest.update(`${name}\0${content.length}\0`).update(content);
  }
  return digest.digest("hex").slice(0, 16);
}

/** Puts files into a folder of pkg/ that is named by what is in them all. */
function place(files, prefix, example) {
  const name = prefix + nameOf(files);
  // A folder gets its name once it is complete, so one that has it needs no second look.
  const folder = join(site, "pkg", name);
  if (!existsSync(folder) || existsSync(join(folder, `${example}.br`)) !== (mode === "release")) {
    const unfinished = join(site, "unfinished");
    rmSync(unfinished, { recursive: true, force: true });
    for (const [name, content] of withCompressed(files)) write(join(unfinished, name), content);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(unfinished, folder);
  }
  return name;
}
const placed = [place(hashed, "", "gourmetgram.css"), place(device, "device-", "device.js")];

const publicFiles = filesBelow(join(repository, "public")).map(([name, content]) => [name, served(name, content)]);

/** The service worker, by the files that `/` is made of. Its own text is part of its version. */
function serviceWorker() {
  const path = "frontend/offline/service-worker.js";
  const [folder, device] = placed.map((name) => `pkg/${name}`);
  const ofThePage = ["home.js", "home_bg.wasm", "gourmetgram.css", "offline.js", "smaller.js", "bricolage-grotesque.woff2"];
  const icons = ["favicon.svg", "gourmetgram.webmanifest", "icons/apple-touch-180.png"];
  const files = [...ofThePage.map((name) => `${folder}/${name}`), `${device}/device.js`, ...icons].map((name) => `/${name}`);
  const version = nameOf([
    ...[folder, device].map((name) => [name, Buffer.from(name)]),
    ...publicFiles.filter(([name]) => icons.includes(name)),
    ["service-worker.js", script(path, "iife")],
  ]);
  return script(path, "iife", { version, folder, device, files });
}

const wanted = new Set();
for (const [name, content] of withCompressed([...publicFiles, ["service-worker.js", serviceWorker()]])) {
  write(join(site, name), content);
  wanted.add(name);
}
for (const [name] of filesBelow(site)) {
  const isPlaced = placed.some((folder) => name.startsWith(join("pkg", folder, "/")));
  if (!wanted.has(name) && !isPlaced) rmSync(join(site, name));
}
for (const old of readdirSync(join(site, "pkg"))) {
  if (!placed.includes(old)) rmSync(join(site, "pkg", old), { recursive: true });
}

const kilobytes = (folder, name) => {
  const bytes = readFileSync(join(site, "pkg", folder, mode === "release" ? `${name}.br` : name)).length;
  return `${name} ${Math.ceil(bytes / 1000)} kB`;
};
const shown = [hashed, device].map((files) => files.map(([name]) => name).filter((name) => compressible.has(extname(name))));
for (const [index, folder] of placed.entries()) {
  const sizes = shown[index].map((name) => kilobytes(folder, name)).join(", ");
  console.log(`frontend: target/site/pkg/${folder}: ${sizes}${mode === "release" ? " (brotli)" : ""}`);
}

/** What is wrong with a release: what is too heavy, and what lies there in one form only. Says what it weighs. */
function problemsOfRelease() {
  const there = new Map(filesBelow(site).map(([name, content]) => [name, content.length]));
  const gaining = [...there.keys()].filter((name) => compressible.has(extname(name)));
  const problems = gaining.flatMap((name) =>
    [".br", ".gz"].filter((form) => !there.has(name + form)).map((form) => `${name} has no ${form} beside it`),
  );
  const [page, device] = placed;
  const worker = (kind) => ["worker.js", `${kind}/classifier.js`, `${kind}/classifier_bg.wasm`];
  for (const [what, folder, names, budget] of [
    ["/", page, ["home.js", "home_bg.wasm", "gourmetgram.css", "offline.js"], PAGE_BUDGET],
    ["the classifier (simd)", device, worker("simd"), WORKER_BUDGET],
    ["the classifier (plain)", device, worker("plain"), WORKER_BUDGET],
  ]) {
    const bytes = names.reduce((sum, name) => sum + (there.get(`pkg/${folder}/${name}.br`) ?? Infinity), 0);
    const weight = `${what} weighs ${bytes} bytes of ${budget} (brotli)`;
    console.log(`frontend: ${weight}`);
    if (bytes > budget) problems.push(`${weight}: too many`);
  }
  return problems;
}

if (mode === "release") {
  const problems = problemsOfRelease();
  for (const problem of problems) console.error(`frontend: ${problem}`);
  if (problems.length > 0) process.exit(1);
}
