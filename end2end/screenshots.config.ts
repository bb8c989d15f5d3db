// `npm run screenshots`: every scene (scenes/) at a desk, on a tablet, on a phone and on the narrowest one, light and dark, into screenshots/.

import { defineConfig, devices } from "@playwright/test";

import { baseURL, chromium, webServer } from "./server";

const devicesShown = {
  desktop: { ...devices["Desktop Chrome"], viewport: { width: 1280, height: 860 } },
  tablet: { ...devices["Desktop Chrome"], viewport: { width: 768, height: 1024 } },
  phone: devices["Pixel 7"],
  narrow: { ...devices["Pixel 7"], viewport: { width: 320, height: 640 } },
};

export default defineConfig({
  testDir: "picturing",
  testMatch: /scenes\.ts/,
  fullyParallel: true,
  workers: 2,
  reporter: "line",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  globalSetup: "./picturing/folder",
  globalTeardown: "./picturing/contact-sheet",
  webServer,
  use: { baseURL, launchOptions: chromium, locale: "en-GB", timezoneId: "Europe/Berlin", serviceWorkers: "block" },
  projects: Object.entries(devicesShown).flatMap(([device, use]) =>
    (["light", "dark"] as const).map((colorScheme) => ({
      name: `${device}-${colorScheme}`,
      use: { ...use, colorScheme, contextOptions: { reducedMotion: "reduce" as const } },
    })),
  ),
});
