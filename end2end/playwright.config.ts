// Who runs what. A test runs where it can come out differently, and nowhere else:
//
//   desktop         everything that is in no project of its own
//   android,iphone  what carries the tag @phone, by finger; iphone also what is an iPhone's own
//   pages-…         every state of every page (scenes/), by axe and others, at a desk and on a phone
//   no-javascript   scripts off
//   slow-network    a connection as in a cellar
//   keyboard        no mouse
//   offline         with the service worker, which all others go without: what they answer in the server's place would
//                   not be asked for
//
// Firefox and WebKitGTK are driven by smoke.config.ts.

import { defineConfig, devices } from "@playwright/test";

import { baseURL, chromium, chromiumShell, webServer } from "./server";

const desktop = devices["Desktop Chrome"];

// An iPhone's size, pixels and fingers, in Chromium: Debian packages no Safari. WebKitGTK is nearest to its engine.
const { defaultBrowserType: _, ...iPhone } = devices["iPhone 15"]!;

const ofItsOwn = {
  pages: /pages\.spec\.ts/,
  withoutScripts: /no-javascript\.spec\.ts/,
  slow: /slow-network\.spec\.ts/,
  keyboard: /keyboard\.spec\.ts/,
  iPhone: /iphone\.spec\.ts/,
  offline: /(offline|waiting|installable)\.spec\.ts/,
};
const shared = { testIgnore: Object.values(ofItsOwn) };

export default defineConfig({
  testDir: "tests",
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  // A second try where machines are shared; what needed it is reported as flaky, not as passed.
  retries: process.env.CI ? 1 : 0,
  workers: 2,
  reporter: [["list"], ["html", { open: "never" }]],
  timeout: 60_000,
  expect: { timeout: 10_000 },
  globalTeardown: "./clean-up.ts",
  webServer,
  use: {
    baseURL,
    launchOptions: chromiumShell,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    serviceWorkers: "block",
    // To record one takes as long as the test itself: by hand, --trace on.
    trace: "on-first-retry",
  },
  projects: [
    { name: "desktop", use: desktop, ...shared },
    { name: "android", use: { ...devices["Pixel 7"] }, grep: /@phone/, ...shared },
    { name: "iphone", use: { ...iPhone, browserName: "chromium" }, grep: /@phone/, ...shared },
    { name: "iphone-only", use: { ...iPhone, browserName: "chromium" }, testMatch: ofItsOwn.iPhone },
    { name: "pages-desktop", use: desktop, testMatch: ofItsOwn.pages },
    { name: "pages-phone", use: { ...devices["Pixel 7"] }, testMatch: ofItsOwn.pages },
    { name: "no-javascript", use: { ...desktop, javaScriptEnabled: false }, testMatch: ofItsOwn.withoutScripts },
    { name: "slow-network", use: { ...devices["Pixel 7"] }, testMatch: ofItsOwn.slow },
    { name: "keyboard", use: desktop, testMatch: ofItsOwn.keyboard },
    {
      name: "offline",
      // They kill the browser, and have it send what waits when no page is open: what an engine alone cannot do.
      use: { ...devices["Pixel 7"], serviceWorkers: "allow", launchOptions: chromium },
      testMatch: ofItsOwn.offline,
    },
  ],
});
