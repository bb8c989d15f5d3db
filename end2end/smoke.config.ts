// `npm run smoke`: the main job in browsers that Playwright cannot drive, by WebDriver. Few tests, real engines.

import { defineConfig } from "@playwright/test";

import { baseURL, webServer } from "./server";
import type { SmokeOptions } from "./smoke/browser";

export default defineConfig<object, SmokeOptions>({
  testDir: "smoke",
  // File by file: the tests of one share a browser.
  fullyParallel: false,
  forbidOnly: !!process.env.CI,
  workers: 2,
  reporter: "list",
  outputDir: "test-results/smoke",
  timeout: 120_000,
  expect: { timeout: 15_000 },
  globalTeardown: "./clean-up.ts",
  webServer,
  use: { baseURL },
  projects: [
    { name: "firefox", use: { engine: "firefox" } },
    { name: "webkitgtk", use: { engine: "webkitgtk" } },
  ],
});
