// Labels a campaign on /review by keyboard, as fast as keys can be pressed, as JSON.
//
//     node bench/review.mjs http://127.0.0.1:8080 NAME PASSWORD CAMPAIGN PHOTOS
//
// NAME may annotate on that server; the campaign's id is given. A time is that from a key until the next photo has been drawn,
// as the page itself sees it: loaded, decoded and on the screen.

import { createRequire } from "node:module";

const [address, name, password, campaign, photos] = process.argv.slice(2);
const { chromium } = createRequire(new URL("../end2end/", import.meta.url))("@playwright/test");
const wanted = Number(photos);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});

/** In the page: notes each key, and when the photo after it was drawn. */
function watch() {
  const shown = () => {
    const photo = document.querySelector(".review__photo--current");
    return photo && photo.complete && photo.naturalWidth > 0 ? photo.getAttribute("src") : undefined;
  };
  const bench = Object.assign(window, { bench: { times: [], seen: [shown()] } }).bench;
  addEventListener(
    "keydown",
    ({ timeStamp }) => {
      const before = bench.seen.at(-1);
      const look = () => {
        const now = shown();
        if (now === undefined || now === before) {
          requestAnimationFrame(look);
          return;
        }
        // Drawn with this frame: the next one begins when that is done.
        requestAnimationFrame((drawn) => {
          bench.times.push(drawn - timeStamp);
          bench.seen.push(now);
        });
      };
      requestAnimationFrame(look);
    },
    true,
  );
}

try {
  const context = await browser.newContext({ baseURL: address, serviceWorkers: "block" });
  const page = await context.newPage();
  await page.goto("/login");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
  await page.goto(`/review?campaign=${campaign}`);
  await page.locator("html[data-alive]").waitFor({ state: "attached" });
  await page.locator(".review__photo--current").waitFor();
  await page.waitForFunction(() => document.querySelector(".review__photo--current").naturalWidth > 0);
  await page.evaluate(watch);

  const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "q"];
  const began = performance.now();
  for (let number = 0; number < wanted; number++) {
    await page.keyboard.press(keys[number % keys.length]);
    // After the last one there is nothing more to come.
    if (number < wanted - 1) await page.waitForFunction((done) => window.bench.times.length > done, number, { timeout: 60_000 });
  }
  const seconds = (performance.now() - began) / 1000;
  const { times, seen } = await page.evaluate(() => window.bench);
  // What was said is on its way a moment longer than what is shown.
  await page.getByText("All done.", { exact: true }).waitFor({ timeout: 60_000 });
  const answer = await context.request.get("/api/v1/review/next", { params: { campaign } });
  const { campaigns } = await answer.json();
  const { labelled } = campaigns.find(({ id }) => id === campaign);
  const tasks = new Set(seen.map((source) => source.match(/tasks\/([^/]+)\//)[1]));
  if (tasks.size !== wanted) throw new Error(`${seen.length} photos were shown, ${tasks.size} different ones, and ${wanted} are there`);
  if (labelled !== wanted) throw new Error(`${labelled} of ${wanted} photos are labelled`);
  const sorted = times.sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const all = sorted.reduce((sum, time) => sum + time, 0) / 1000;
  console.log(JSON.stringify({ photos: wanted, seconds, machine_seconds: all, median_ms: at(0.5), p95_ms: at(0.95), longest_ms: at(1) }));
} finally {
  await browser.close();
}
