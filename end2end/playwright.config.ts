import { defineConfig, devices } from "@playwright/test";

import { baseURL, chromium, webServer } from "./server";

const withScripts = { testIgnore: /no-javascript\.spec\.ts/ };

// An iPhone's size, pixels and fingers, in Chromium: Debian packages no Safari.
const { defaultBrowserType: _, ...iPhone } = devices["iPhone 15"]!;

export default defineConfig({
  testDir: "tests",
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  workers: 2,
  reporter: [["list"], ["html", { open: "never" }]],
  timeout: 30_000,
  expect: { timeout: 10_000 },
  globalTeardown: "./clean-up.ts",
  webServer,
  use: {
    baseURL,
    launchOptions: chromium,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    trace: "retain-on-failure",
  },
  projects: [
    { name: "desktop", use: { ...devices["Desktop Chrome"] }, ...withScripts },
    { name: "android", use: { ...devices["Pixel 7"] }, ...withScripts },
    { name: "iphone", use: { ...iPhone, browserName: "chromium" }, ...withScripts },
    {
      name: "no-javascript",
      use: { ...devices["Desktop Chrome"], javaScriptEnabled: false },
      testMatch: /no-javascript\.spec\.ts/,
    },
  ],
});
