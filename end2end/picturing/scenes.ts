// Takes the picture of every scene.

import { join } from "node:path";

import type { Page } from "@playwright/test";

import { become } from "../roles";
import { scenes, viewer } from "../scenes";
import { HomePage, test } from "../tests/page";
import { file, folder } from "./folder";

async function shoot(page: Page, path: string): Promise<void> {
  // No button looks as if a mouse were over it.
  await page.mouse.move(0, 0);
  // A window as tall as the page, because Chromium forgets that a phone is one when it takes a "full page".
  const window = page.viewportSize()!;
  const height = await page.evaluate(() => {
    scrollTo(0, 0);
    return Math.ceil(document.body.getBoundingClientRect().height);
  });
  await page.setViewportSize({ width: window.width, height: Math.max(height, window.height) });
  // A whole photo, not one half loaded, and in our typeface.
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  await page.screenshot({ path });
}

for (const scene of scenes) {
  test.describe(() => {
    test.use({ javaScriptEnabled: !scene.scriptsOff });

    test(scene.name, async ({ page, context }, { project }) => {
      if (scene.onlyPictured) test.setTimeout(300_000);
      await become(viewer(scene), context);
      await scene.reach({ page, home: new HomePage(page) });
      await shoot(page, join(folder, file(scene.name, project.name)));
    });
  });
}
