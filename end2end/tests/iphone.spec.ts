// What only an iPhone asks of a page.

import type { Page } from "@playwright/test";

import { expect, picture, test } from "./page";

interface Insets {
  top?: number;
  bottom?: number;
  left?: number;
  right?: number;
}

/** The parts of the screen that the camera's island and the home bar take. */
async function take(page: Page, insets: Insets): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setSafeAreaInsetsOverride", { insets });
  // The page is told so, or this test would be about nothing.
  const known = await page.evaluate(() => {
    const probe = document.body.appendChild(document.createElement("div"));
    probe.style.cssText = "position: fixed; padding: 0 env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left)";
    const { paddingLeft, paddingBottom } = getComputedStyle(probe);
    probe.remove();
    return { left: parseFloat(paddingLeft), bottom: parseFloat(paddingBottom) };
  });
  expect(known).toEqual({ left: insets.left ?? 0, bottom: insets.bottom ?? 0 });
}

/** Words and pictures that lie in those parts once the page is scrolled to its end. What a button has around its words may. */
const under = (page: Page, insets: Insets): Promise<string[]> =>
  page.evaluate(({ left = 0, right = 0, bottom = 0 }) => {
    const faults: string[] = [];
    scrollTo(0, document.documentElement.scrollHeight);
    for (const element of document.querySelectorAll("a, button, summary, label, h1, h2, p, span, img, time")) {
      if (!element.checkVisibility() || element.closest(".visually-hidden, .skip")) continue;
      const box = element.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      const around = getComputedStyle(element);
      const isSideways =
        box.left + parseFloat(around.paddingLeft) < left - 1 ||
        box.right - parseFloat(around.paddingRight) > innerWidth - right + 1;
      const isBelow = box.bottom - parseFloat(around.paddingBottom) > innerHeight - bottom + 1;
      if (isSideways || isBelow) faults.push(element.outerHTML.slice(0, 100));
    }
    scrollTo(0, 0);
    return faults;
  }, insets);

test("nothing lies under the home bar", async ({ home, page }) => {
  await home.open();
  await home.classify("soup");
  const insets = { top: 59, bottom: 34 };
  await take(page, insets);
  expect(await under(page, insets)).toEqual([]);
});

test("held sideways, nothing lies under the camera's island", async ({ home, page }) => {
  await home.open();
  await home.classify("soup");
  await page.setViewportSize({ width: 852, height: 393 });
  const insets = { left: 59, right: 59, bottom: 21 };
  await take(page, insets);
  expect(await under(page, insets)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(852);
});

test("a confirmation is shown above the home bar", async ({ home, page }) => {
  await home.open();
  await home.classify("egg");
  await take(page, { bottom: 34 });
  await home.reason("Bad photo").tap();
  await expect(home.confirmation).toContainText("Flagged: bad photo");
  const box = (await home.confirmation.boundingBox())!;
  expect(box.y + box.height).toBeLessThanOrEqual(page.viewportSize()!.height - 34);
});

test("the whole way works by finger", async ({ home, page }) => {
  await home.open();
  await page.getByLabel("Take a photo", { exact: true }).setInputFiles(picture("bread"));
  await expect(home.answer).toBeVisible();
  await home.reason("Not food").tap();
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "true");
  await home.flags.getByRole("button", { name: "Undo the flag" }).tap();
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "false");
  await home.choice(0).tap();
  await expect(home.choice(0)).toHaveAttribute("aria-pressed", "true");
  await home.answer.getByText("Erase this photo", { exact: true }).tap();
  await home.answer.getByRole("button", { name: "Erase for good" }).tap();
  await expect(home.tiles).toHaveCount(0);
});

test("photos are asked for as JPEG, so that the phone turns its HEIC into one", async ({ home, page }) => {
  await home.open();
  const inputs = page.locator("input[type=file]");
  await expect(inputs).not.toHaveCount(0);
  for (const input of await inputs.all()) {
    const accepted = (await input.getAttribute("accept"))!.split(",");
    expect(accepted).toContain("image/jpeg");
    for (const type of accepted) expect(["image/jpeg", "image/png", "image/webp", "image/gif"]).toContain(type);
  }
});

test("Safari neither zooms into a field nor is kept from zooming", async ({ home, page }) => {
  await home.open();
  const viewport = (await page.locator("meta[name=viewport]").getAttribute("content"))!;
  expect(viewport).toContain("viewport-fit=cover");
  expect(viewport).not.toMatch(/user-scalable|maximum-scale/);
  // It zooms into whatever is written in with less than 16 pixels.
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("input:not([type=file], [type=hidden], [type=checkbox], [type=radio]), select, textarea")]
      .filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16)
      .map((field) => field.outerHTML.slice(0, 100)),
  );
  expect(small).toEqual([]);
});
