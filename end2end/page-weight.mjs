// What the first page weighs and how long a first photo takes on a phone with a slow connection, as JSON.
//
//     node page-weight.mjs http://127.0.0.1:8080/ photo.jpg

import { chromium, devices } from "@playwright/test";

const [address, photo] = process.argv.slice(2);
// Lighthouse's mobile profile.
const network = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 };
const slowdown = 4;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
try {
  const page = await browser.newPage(devices["Pixel 7"]);
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", network);
  await session.send("Emulation.setCPUThrottlingRate", { rate: slowdown });

  const kinds = new Map();
  const bytes = {};
  session.on("Network.responseReceived", ({ requestId, type, response }) => {
    // The photo and its answer are the visitor's, not the page's.
    if (!new URL(response.url).pathname.startsWith("/api/v1/predictions")) kinds.set(requestId, type);
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (!kinds.has(requestId)) return;
    const kind = kinds.get(requestId).toLowerCase();
    bytes[kind] = (bytes[kind] ?? 0) + encodedDataLength;
  });

  const milliseconds = {};
  const began = performance.now();
  const isSent = (response) => response.request().method() === "POST" && response.ok();
  await page.goto(address, { waitUntil: "commit" });
  const chooser = page.locator("input[type=file]").first();
  await chooser.waitFor({ state: "attached" });
  milliseconds["the page can be read and used"] = performance.now() - began;
  // At once, as somebody does who came to do that: before the page is alive, which then takes the photo over.
  const answered = page.waitForResponse(isSent, { timeout: 60_000 });
  await chooser.setInputFiles(photo);
  await answered;
  milliseconds["a photo chosen at once is answered"] = performance.now() - began;
  await page.waitForLoadState("networkidle");
  milliseconds["everything that the page itself asks for is loaded"] = performance.now() - began;
  const weighed = { ...bytes };
  const profile = `a Pixel 7's screen with 1.6 Mbit/s down, 0.75 up, ${network.latency} ms and a processor ${slowdown} times slower`;
  console.log(JSON.stringify({ bytes: weighed, milliseconds, profile }));
} finally {
  await browser.close();
}
