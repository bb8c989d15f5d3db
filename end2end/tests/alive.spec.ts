// The page `/` comes alive part by part: whoever is faster loses nothing.

import { expect, halfAlive, picture, test } from "./page";

// Alive around the page only, then the page without what is on it, then all but the visitor's photos.
for (const parts of [0, 2, 3]) {
  test(`a photo chosen after ${parts} of the page's parts came alive is sent once all have, and once`, { tag: "@phone" }, async ({ home, page }) => {
    let sent = 0;
    page.on("request", (request) => (sent += Number(request.method() === "POST" && request.url().endsWith("/predictions"))));
    const letGo = await halfAlive(page, "/", parts);
    await home.choose(picture("soup"));
    await letGo();
    await expect(home.answer).toBeVisible();
    await expect(home.tiles).toHaveCount(1);
    expect(sent).toBe(1);
  });

  test(`whoever opens a photo of theirs after ${parts} of the page's parts came alive stays on the page`, { tag: "@phone" }, async ({ home, page }) => {
    await home.open();
    const labels = [await home.classify("egg"), await home.classify("soup")];
    const letGo = await halfAlive(page, "/", parts);
    await page.evaluate(() => Object.assign(window, { stays: true }));
    await home.tiles.nth(1).getByRole("link").click();
    await expect(home.label).toHaveText(labels[0]!);
    await expect(home.label, "what is new on the page takes the focus").toBeFocused();
    expect(await page.evaluate(() => "stays" in window)).toBe(true);
    await letGo();
    await page.goBack();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("What’s on your plate?");
    await expect(home.tiles).toHaveCount(2);
  });

  test(`what is said after ${parts} of the page's parts came alive is said once`, { tag: "@phone" }, async ({ home, page }) => {
    await home.open();
    await home.classify("egg");
    let sent = 0;
    page.on("request", (request) => (sent += Number(request.url().endsWith("/flag"))));
    await halfAlive(page, page.url(), parts);
    await home.reason("Bad photo").click();
    await expect(home.confirmation).toContainText("Flagged: bad photo");
    await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "true");
    await expect(home.tiles.first()).toContainText("Flagged");
    expect(sent).toBe(1);
  });

  test(`a page that comes alive leaves the focus where it is, after ${parts} of its parts as well`, async ({ home, page }) => {
    await home.open();
    await home.classify("egg");
    const letGo = await halfAlive(page, page.url(), parts);
    await home.chooser.focus();
    await letGo();
    await home.alive();
    await page.evaluate(() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen))));
    await expect(home.chooser).toBeFocused();
  });
}
