// Every state of every page, for looking at. GOURMETGRAM_PHOTOS names a folder with JPEG photos to use instead of the
// drawn ones; such screenshots stay on the machine that took them.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { expect, test, type Page, type Route } from "@playwright/test";

import { brokenPicture, HomePage, notAPicture, picture, problem } from "./tests/page";

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

test("on its way", async ({ page, context }) => {
  const home = new HomePage(page);
  const cancel = page.getByRole("button", { name: /^(Cancel|Close)$/ });
  const posts = (answer: (route: Route) => unknown) =>
    page.route("**/api/v1/predictions", (route) =>
      route.request().method() === "POST" ? answer(route) : route.continue(),
    );
  await home.open();
  await posts(() => {});
  await home.choose(photos[0]!);
  await expect(page.getByRole("progressbar")).toBeVisible();
  await shoot(page, "sending");
  await expect(page.getByText(/connection is slow|takes longer/)).toBeVisible({ timeout: 15_000 });
  await shoot(page, "slow");
  await cancel.click();
  await page.unrouteAll({ behavior: "ignoreErrors" });

  await context.setOffline(true);
  await home.choose(photos[0]!);
  await expect(page.getByText("You are offline")).toBeVisible();
  await shoot(page, "offline");
  await cancel.click();
  await context.setOffline(false);

  for (const [name, status, type, headers] of [
    ["busy", 503, "unavailable", { "Retry-After": "20" }],
    ["too-often", 429, "rate-limited", { "Retry-After": "45" }],
    ["no-room", 507, "storage-full", {}],
    ["session-gone", 401, "unauthenticated", {}],
    ["too-many-pixels", 422, "too-many-pixels", {}],
  ] as const) {
    await posts((route) => route.fulfill(problem(status, type, "The server says what was wrong and what to do.", headers)));
    await home.choose(photos[0]!);
    await expect(page.locator(".sending .notice")).toBeVisible();
    await shoot(page, name);
    await page.unrouteAll();
    await cancel.click();
  }

  await home.choose(brokenPicture());
  await expect(home.trouble).toBeVisible();
  await shoot(page, "not-a-picture");
});

test("several", async ({ page }) => {
  const home = new HomePage(page);
  await home.open();
  let sent = 0;
  await page.route("**/api/v1/predictions", (route) => {
    if (route.request().method() !== "POST") return route.continue();
    sent += 1;
    if (sent === 4) return route.fulfill(problem(503, "unavailable", "Busy.", { "Retry-After": "100" }));
    return sent > 4 ? undefined : route.continue();
  });
  const files = photos.slice(0, 4).map((photo) => ({ name: basename(photo), mimeType: "image/jpeg", buffer: readFileSync(photo) }));
  await home.choose([...files, notAPicture, ...files]);
  await expect(home.pass).toContainText("again in");
  await expect(home.pass).toContainText("3 of 9");
  await shoot(page, "several");
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    for (let index = 0; index < 60; index++) transfer.items.add(new File(["x"], `${index}.jpg`, { type: "image/jpeg" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
  });
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.screenshot({ path: `screenshots/too-many-${test.info().project.name}.png` });
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
