// `npm run screenshots`: every state of every page, at desktop and phone width, light and dark, into screenshots/.

import { defineConfig, devices } from "@playwright/test";

import { baseURL, chromium, webServer } from "./server";

const sizes = {
  desktop: { ...devices["Desktop Chrome"], viewport: { width: 1280, height: 860 } },
  tablet: { ...devices["Desktop Chrome"], viewport: { width: 768, height: 1024 } },
  phone: { ...devices["Pixel 7"] },
  narrow: { ...devices["Pixel 7"], viewport: { width: 320, height: 640 } },
};

export default defineConfig({
  testDir: ".",
  testMatch: /screenshots\.ts/,
  workers: 2,
  reporter: "line",
  globalTeardown: "./clean-up.ts",
  webServer,
  use: { baseURL, launchOptions: chromium, locale: "en-GB", timezoneId: "Europe/Berlin" },
  projects: Object.entries(sizes).flatMap(([size, device]) =>
    (["light", "dark"] as const).map((colorScheme) => ({
      name: `${size}-${colorScheme}`,
      use: { ...device, colorScheme, contextOptions: { reducedMotion: "reduce" as const } },
    })),
  ),
});
