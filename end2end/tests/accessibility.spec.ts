// What axe does not ask; what it asks of every page is in pages.spec.ts.

import { expect, test, watchJumps } from "./page";

test("everything to press is large enough for a finger", { tag: "@phone" }, async ({ home, page }) => {
  await home.open();
  await home.classify("soup");
  await home.classify("salad");
  await home.choice(1).click();
  await home.reason("Bad photo").click();
  await expect(home.flags).toContainText("Flagged: bad photo");
  await home.answer.getByText("Erase this photo", { exact: true }).click();
  await home.tiles.nth(1).locator("summary").click();
  await expect(home.tiles.nth(1).getByRole("button", { name: "Erase for good" })).toBeVisible();
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, summary, .source__choose, .tile__link, .wordmark")]
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 44 || box.height < 44))
      .map(({ element, box }) => `${element.outerHTML.slice(0, 80)} ${box.width}×${box.height}`),
  );
  expect(small).toEqual([]);
});

test("a thumb reaches what the page is for", { tag: "@phone" }, async ({ home, page, isMobile }) => {
  test.skip(!isMobile, "for phones");
  await home.open();
  const { height } = page.viewportSize()!;
  const sources = page.locator(".picker .source__choose");
  await expect(sources).toHaveCount(2);
  for (const source of await sources.all()) {
    const { y, height: high } = (await source.boundingBox())!;
    expect(y, "in the lower half").toBeGreaterThan(height / 2);
    expect(y + high, "without scrolling").toBeLessThanOrEqual(height);
  }
});

test("pages move little while they load", async ({ home, page }) => {
  const jumped = await watchJumps(page);
  await home.open();
  await home.classify("salad");
  await home.reload();
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  const { sum, jumps } = await jumped();
  expect(sum, jumps.join("\n")).toBeLessThan(0.05);
});
