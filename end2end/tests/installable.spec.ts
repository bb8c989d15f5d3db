// The page can be put on a phone's home screen like an app.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium as browsers, devices, type Page } from "@playwright/test";

import { chromium } from "../server";
import { expect, HomePage, test } from "./page";
import { Reception } from "./reception";

/** What keeps the page from being installed, as the browser sees it. */
async function errors(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  await session.detach();
  return installabilityErrors.map(({ errorId }) => errorId);
}

/** A window that is not private, in which nothing can be installed. */
async function inAWindow(reception: Reception, act: (page: Page) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gourmetgram-browser-"));
  const context = await browsers.launchPersistentContext(folder, {
    ...chromium,
    ...devices["Pixel 7"],
    locale: "en-GB",
    serviceWorkers: "allow",
  });
  try {
    const page = context.pages()[0]!;
    await new HomePage(page).open(`${reception.url}/`);
    await act(page);
  } finally {
    await context.close();
    reception.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

test("browsers find nothing that keeps the page from being installed", async () => {
  await inAWindow(await Reception.start(), async (page) => {
    await expect.poll(() => errors(page)).toEqual([]);
    const session = await page.context().newCDPSession(page);
    const manifest = await session.send("Page.getAppManifest");
    expect(manifest.errors).toEqual([]);
    for (const { src } of JSON.parse(manifest.data!).icons as { src: string }[]) {
      expect((await page.request.get(new URL(src, page.url()).href)).status(), src).toBe(200);
    }
  });
});

test("browsers that cannot have the page's icon say so", async () => {
  const reception = await Reception.start();
  // Whichever of them this browser would take.
  reception.instead = ({ path }) => (/^\/(icons\/|favicon)/.test(path) ? { status: 404 } : undefined);
  await inAWindow(reception, async (page) => {
    await expect.poll(() => errors(page)).toContainEqual(expect.stringMatching(/icon/));
  });
});
