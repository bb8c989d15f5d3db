// Every state of every page, for looking at. GOURMETGRAM_PHOTOS names a folder with JPEG photos to use instead of the
// drawn ones; such screenshots stay on the machine that took them.

import { readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test, type Page } from "@playwright/test";

import { brokenPicture, HomePage, notAPicture, picture } from "./tests/page";

const folder = process.env.GOURMETGRAM_PHOTOS;
const photos = folder
  ? readdirSync(folder).filter((name) => /\.jpe?g$/i.test(name)).slice(0, 6).map((name) => join(folder, name))
  : (["soup", "egg", "bread", "salad"] as const).map(picture);

async function shoot(page: Page, name: string): Promise<void> {
  const { project } = test.info();
  // A window as tall as the page, because Chromium forgets that a phone is one when it takes a "full page".
  const window = page.viewportSize()!;
  const height = await page.evaluate(() => {
    scrollTo(0, 0);
    return Math.ceil(document.body.getBoundingClientRect().height);
  });
  await page.setViewportSize({ width: window.width, height: Math.max(height, window.height) });
  // A whole photo, not one half loaded.
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await page.screenshot({ path: `screenshots/${name}-${project.name}.png` });
  await page.setViewportSize(window);
}

test("welcome, refusals and other pages", async ({ page }) => {
  const home = new HomePage(page);
  await home.open();
  await shoot(page, "welcome");
  await home.choose(notAPicture);
  await expect(home.trouble).toBeVisible();
  await shoot(page, "refused");
  await home.open("/?photo=nonsense");
  await shoot(page, "missing");
  await home.open("/nowhere");
  await shoot(page, "not-found");
});

test("on its way", async ({ page }) => {
  const home = new HomePage(page);
  await home.open();
  await page.route("**/api/v1/predictions", () => {});
  await home.choose(photos[0]!);
  await expect(page.getByRole("progressbar")).toBeVisible();
  await shoot(page, "sending");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.unrouteAll({ behavior: "ignoreErrors" });

  await page.route("**/api/v1/predictions", (route) => route.abort());
  await home.choose(photos[0]!);
  await expect(home.trouble).toBeVisible();
  await shoot(page, "offline");
  await page.unrouteAll();

  await page.route("**/api/v1/predictions", (route) =>
    route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      headers: { "Retry-After": "20" },
      body: JSON.stringify({ type: "unavailable", title: "Busy", status: 503, detail: "Too many photos at once." }),
    }),
  );
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("next try in")).toBeVisible();
  await shoot(page, "busy");
  await page.unrouteAll();
  await page.getByRole("button", { name: "Cancel" }).click();

  await home.choose(brokenPicture());
  await expect(home.trouble).toBeVisible();
  await shoot(page, "not-a-picture");
});

test("answers", async ({ page }) => {
  const home = new HomePage(page);
  await home.open();
  for (const photo of photos) {
    const before = page.url();
    await home.choose(photo);
    await expect(home.answer).toBeVisible();
    await expect(page).not.toHaveURL(before);
  }
  await home.reload();
  await shoot(page, "answer");
  await home.choice(1).click();
  await expect(home.choice(1)).toHaveAttribute("aria-pressed", "true");
  await home.reason("Bad photo").click();
  await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "true");
  await shoot(page, "judged");
  await home.answer.getByText("Erase this photo", { exact: true }).click();
  await home.tiles.nth(1).locator("summary").click();
  await shoot(page, "erase");
});

test.describe("scripts off", () => {
  test.use({ javaScriptEnabled: false });
  test("plain", async ({ page }) => {
    await page.goto("/");
    await shoot(page, "plain");
  });
});
