// `npm run publish-pictures`: the pictures that README and docs show, out of screenshots/ and into docs/pictures/, as
// WebP of at most 300 kB each. Chromium writes them, which is here anyway.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "@playwright/test";

const LARGEST = 300_000;

/** What is shown: the picture's name in docs/pictures/, its screenshot, its width, and how much of it from the top. */
const shown = {
  answer: { screenshot: "start-judged-desktop-light", width: 1280, height: 1500 },
  "answer-dark": { screenshot: "start-judged-desktop-dark", width: 1280, height: 1500 },
  dashboard: { screenshot: "dashboard-week-desktop-light", width: 1280, height: 1500 },
  "dashboard-dark": { screenshot: "dashboard-week-desktop-dark", width: 1280, height: 1500 },
};

const here = dirname(fileURLToPath(import.meta.url));
const screenshots = join(here, "../screenshots");
const pictures = join(here, "../../docs/pictures");

/** Runs in the browser. Returns the picture as WebP, in the best of some qualities that fits. */
async function shrink({ source, width, height, largest }) {
  const image = new Image();
  image.src = source;
  await image.decode();
  const whole = Math.round((image.naturalHeight * width) / image.naturalWidth);
  const canvas = Object.assign(document.createElement("canvas"), { width, height: Math.min(height, whole) });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, whole);
  for (const quality of [0.92, 0.86, 0.8, 0.7, 0.6]) {
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/webp", quality));
    if (blob.size <= largest) {
      const reader = new FileReader();
      await new Promise((resolve) => {
        reader.onload = resolve;
        reader.readAsDataURL(blob);
      });
      return reader.result;
    }
  }
  return null;
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();
mkdirSync(pictures, { recursive: true });
// Those of the statistics are drawn by others, and stay.
for (const file of readdirSync(pictures)) if (file.endsWith(".webp")) rmSync(join(pictures, file));
for (const [name, { screenshot, ...size }] of Object.entries(shown)) {
  const source = `data:image/png;base64,${readFileSync(join(screenshots, `${screenshot}.png`)).toString("base64")}`;
  const url = await page.evaluate(shrink, { source, ...size, largest: LARGEST });
  if (!url) throw new Error(`${screenshot} does not fit into ${LARGEST} bytes`);
  const bytes = Buffer.from(url.split(",")[1], "base64");
  writeFileSync(join(pictures, `${name}.webp`), bytes);
  console.log(`docs/pictures/${name}.webp: ${Math.round(bytes.length / 1000)} kB`);
}
await browser.close();
