import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { accessToken } from "../server";
import { alive, enough, expect, sendEnough, test } from "./operator";
import { ReviewPage, annotations, campaign } from "./labelling";
import { halfAlive, picture, watchLayout } from "./page";

test.use({ expectedInConsole: /Failed to load resource/ });
// The first test sends the photos.
test.setTimeout(120_000);

test.beforeEach(async ({ request }) => sendEnough(request));

const cards = (page: Page) => page.locator(".print:not(.print--empty)");
const firstBox = (page: Page) => page.locator(".tick__box").first();

async function open(page: Page, path = "/photos"): Promise<void> {
  await page.goto(path);
  await alive(page);
}

/** Phones have the filters behind a switch. */
async function showFilters(page: Page): Promise<void> {
  const show = page.locator(".filters__show");
  if (await show.isVisible()) await show.click();
}

test("filters change the address without loading a document, and the back button undoes them", { tag: "@phone" }, async ({ home, page }) => {
  void home;
  await open(page);
  await page.evaluate(() => Object.assign(window, { stays: true }));
  const name = (await cards(page).first().locator(".print__label").innerText()).trim();
  await showFilters(page);
  await page.getByLabel("Class", { exact: true }).selectOption(name);
  await expect(page).toHaveURL(`/photos?class=${encodeURIComponent(name).replaceAll("%20", "+")}`);
  await expect(page.locator(".explorer__list[aria-busy=false]")).toBeVisible();
  // A browser has no inner text of what it does not draw.
  for (const label of await cards(page).locator(".print__label").allTextContents()) expect(label).toBe(name);

  await page.getByLabel("Flag", { exact: true }).selectOption("Flagged: Not food");
  await expect(page).toHaveURL(/flag=not_food/);
  await page.goBack();
  await page.goBack();
  await expect(page).toHaveURL("/photos");
  await expect(page.getByLabel("Class", { exact: true })).toHaveValue("");
  await expect(cards(page)).not.toHaveCount(0);
  expect(await page.evaluate(() => "stays" in window)).toBe(true);
});

// Alive around the page only, then the list's parts but not their content, then all but the photos.
for (const parts of [0, 3, 6]) {
  test(`the page comes alive part by part, and keeps what was ticked before, after ${parts} of its parts`, { tag: "@phone" }, async ({ home, page }) => {
    void home;
    const letGo = await halfAlive(page, "/photos", parts);
    const shown = await cards(page).count();
    expect(shown).toBeGreaterThan(1);
    // Without an event: by a browser, before any script of the page's ran.
    await firstBox(page).evaluate((box: HTMLInputElement) => void (box.checked = true));

    await letGo();
    await alive(page);
    await expect(cards(page)).toHaveCount(shown);
    await expect(firstBox(page)).toBeChecked();
    await expect(page.locator(".bulk__number")).toHaveText("1 ticked");
    await showFilters(page);
    await page.getByLabel("Flag", { exact: true }).selectOption("Not flagged");
    await expect(page).toHaveURL("/photos?flag=no");
  });

  test(`whoever ticks a photo before its part of the page is alive has ticked it, and can flag it, after ${parts} of its parts`, { tag: "@phone" }, async ({ home, page }) => {
    void home;
    await halfAlive(page, "/photos", parts);
    await firstBox(page).check();
    await alive(page);
    await expect(firstBox(page)).toBeChecked();
    await expect(page.locator(".bulk__number")).toHaveText("1 ticked");
    await page.keyboard.press("Escape");
    await expect(firstBox(page)).not.toBeChecked();
  });

  test(`whoever opens a photo before its part of the page is alive gets there, and back to a page that is, after ${parts} of its parts`, { tag: "@phone" }, async ({ home, page }) => {
    void home;
    const letGo = await halfAlive(page, "/photos", parts);
    await cards(page).first().locator("a").click();
    await expect(page).toHaveURL(/\/photos\/[0-9a-f-]{36}/);
    await letGo();
    await alive(page);
    await page.goBack();
    await expect(cards(page).first()).toBeVisible();
    await firstBox(page).check();
    await expect(page.locator(".bulk__number")).toHaveText("1 ticked");
  });
}

// A filter is chosen in a part that sleeps.
for (const parts of [0, 3]) {
  test(`whoever clears the filters before they are alive gets the list without them, after ${parts} of its parts`, { tag: "@phone" }, async ({ home, page }) => {
    void home;
    const letGo = await halfAlive(page, "/photos?flag=no&class=Nothing%20that%20is%20listed", parts);
    await page.locator(".filters__clear").evaluate((link: HTMLElement) => link.click());
    await expect(page).toHaveURL("/photos");
    await letGo();
    await alive(page);
    await expect(page.getByLabel("Flag", { exact: true })).toHaveValue("");
    await expect(page.getByLabel("Class", { exact: true })).toHaveValue("");
    await expect(cards(page).first()).toBeVisible();
    await showFilters(page);
    await page.getByLabel("Flag", { exact: true }).selectOption("Not flagged");
    await expect(page).toHaveURL("/photos?flag=no");
  });

  test(`whoever chooses a filter before the filters are alive goes back by one step, after ${parts} of its parts`, async ({ home, page }) => {
    void home;
    const letGo = await halfAlive(page, "/photos", parts);
    await page.getByLabel("Flag", { exact: true }).selectOption("Not flagged");
    await expect(page).toHaveURL("/photos?flag=no");
    await letGo();
    await alive(page);
    await page.goBack();
    await expect(page).toHaveURL("/photos");
    await expect(page.getByLabel("Flag", { exact: true })).toHaveValue("");
  });

  test(`a filter chosen before the filters are alive is asked for once they are, after ${parts} of its parts`, { tag: "@phone" }, async ({ home, page }) => {
    void home;
    const letGo = await halfAlive(page, "/photos", parts);
    const flag = page.getByLabel("Flag", { exact: true });
    await flag.evaluate((select: HTMLSelectElement) => void (select.value = "no"));
    await letGo();
    await alive(page);
    await expect(page).toHaveURL("/photos?flag=no");
    await expect(flag).toHaveValue("no");
    await expect(page.locator(".filters__number")).toHaveText("1 set");
  });
}

test("every filter shows what the API finds by it, and stands in the address", async ({ page, request }) => {
  // Seventeen of them, each with the page opened anew.
  test.slow();
  const labelled = await campaign(2);
  await new ReviewPage(page).open(labelled);
  await page.keyboard.press("1");
  await expect.poll(async () => (await annotations(labelled)).length).toBe(1);
  const { annotator, seen } = (await annotations(labelled))[0]!;
  const today = new Date().toISOString().slice(0, 10);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const version = (await (await request.get("/api/v1/models/live")).json()).version as string;
  // What is chosen, how the address has it, and what the API is asked for.
  const filters: [label: string, chosen: string, address: Record<string, string>, api: Record<string, string>][] = [
    ["Class", "Soup", { class: "Soup" }, { class: "Soup" }],
    ["Least confidence, percent", "40", { min: "40" }, { confidence_min: "0.4" }],
    ["Most confidence, percent", "60", { max: "60" }, { confidence_max: "0.6" }],
    ["Flag", "Not flagged", { flag: "no" }, { flagged: "false" }],
    ["Flag", "Flagged: Not food", { flag: "not_food" }, { reason: "not_food" }],
    ["Correction", "Corrected", { corrected: "yes" }, { corrected: "true" }],
    ["Correction", "Not corrected", { corrected: "no" }, { corrected: "false" }],
    ["Annotation", "Annotated", { annotated: "yes" }, { annotated: "true" }],
    ["Annotation", "Not annotated", { annotated: "no" }, { annotated: "false" }],
    ["Annotator", annotator, { annotator }, { annotator }],
    ["Annotated as", seen.label!, { label: seen.label! }, { label: seen.label! }],
    ["Chosen by campaign", labelled.name, { campaign: labelled.name }, { campaign: labelled.name }],
    ["Model version", version, { model: version }, { model_version: version }],
    ["Simulated by", "tests/labelling", { source: "tests/labelling" }, { source: "tests/labelling" }],
    ["Bucket", "Label-wait", { place: "label_wait" }, { place: "label_wait" }],
    ["First day", today, { from: today }, { from: `${today}T00:00:00Z` }],
    ["Last day", today, { to: today }, { to: `${tomorrow}T00:00:00Z` }],
  ];
  for (const [label, chosen, address, api] of filters) {
    await open(page);
    const control = page.getByRole("form", { name: "Filters" }).getByLabel(label, { exact: true });
    if (await control.evaluate((it) => it instanceof HTMLSelectElement)) await control.selectOption({ label: chosen });
    else {
      await control.fill(chosen);
      await control.blur();
    }
    await expect(page, label).toHaveURL(`/photos?${new URLSearchParams(address)}`);
    await expect(page.locator(".explorer__list[aria-busy=false]")).toBeVisible();
    // Other tests send photos meanwhile.
    await expect(async () => {
      await page.reload();
      await alive(page);
      await expect(page.getByText("Clear 1 filter")).toBeAttached();
      const asked = await request.get(`/api/v1/predictions?${new URLSearchParams({ ...api, limit: "10" })}`);
      expect(asked.status()).toBe(200);
      const found = ((await asked.json()).items as { id: string }[]).map(({ id }) => id);
      const links = await page.locator(".print__link").evaluateAll((all) => all.map((one) => one.getAttribute("href")!));
      expect(links.map((link) => link.match(/[0-9a-f-]{36}/)![0]).slice(0, 10), label).toEqual(found);
    }).toPass({ timeout: 20_000 });
  }
});

test("no match is said so, and the filters can be cleared", async ({ page }) => {
  await open(page, "/photos?class=Soup&max=0");
  await expect(page.getByRole("heading", { name: "No photo is like that." })).toBeVisible();
  await page.getByRole("link", { name: "Clear the filters" }).click();
  await expect(page).toHaveURL("/photos");
  await expect(cards(page)).not.toHaveCount(0);
});

test("simulated photos are found by the replay that sent them", async ({ home, page, request }) => {
  void home;
  const replay = `replay/${randomUUID().slice(0, 8)}`;
  const answer = await request.post("/api/v1/predictions", {
    headers: { Authorization: `Bearer ${accessToken("predictions:write,predictions:backdate")}` },
    multipart: {
      image: { name: "soup.jpg", mimeType: "image/jpeg", buffer: readFileSync(picture("soup")) },
      source: replay,
      created_at: "2024-01-01T12:00:00Z",
    },
  });
  expect(answer.status()).toBe(201);
  await open(page, `/photos/${(await answer.json()).id}`);
  await page.getByRole("link", { name: replay }).click();
  await expect(page).toHaveURL(`/photos?source=${encodeURIComponent(replay)}`);
  await expect(cards(page)).toHaveCount(1);

  await showFilters(page);
  const field = page.getByLabel("Simulated by");
  await expect(field).toHaveValue(replay);
  await field.fill(`${replay}-other`);
  await field.press("Enter");
  await expect(page.getByRole("heading", { name: "No photo is like that." })).toBeVisible();
  await field.fill("");
  await field.press("Enter");
  await expect(page).toHaveURL("/photos");
  await expect(cards(page)).not.toHaveCount(0);
});

test("an address that cannot be meant is explained", async ({ page }) => {
  const answer = await page.goto("/photos?min=90&max=10");
  expect(answer!.status()).toBe(400);
  await expect(page.getByRole("alert")).toContainText("exchange them");
});

test("scrolling brings every photo once, and the document stays small", async ({ home, page }) => {
  void home;
  await open(page);
  const seen = new Set<string>();
  let most = 0;
  await expect(async () => {
    const drawn = await page.locator(".tick__box").evaluateAll((boxes) => boxes.map((box) => (box as HTMLInputElement).value));
    expect(new Set(drawn).size, "no photo is drawn twice").toBe(drawn.length);
    for (const id of drawn) seen.add(id);
    most = Math.max(most, drawn.length);
    await page.mouse.wheel(0, 900);
    await page.evaluate(() => scrollBy(0, 600));
    expect(seen.size).toBeGreaterThanOrEqual(enough);
  }).toPass({ intervals: [100], timeout: 60_000 });
  await page.evaluate(() => scrollTo(0, 0));
  await expect(firstBox(page)).toBeVisible();
  expect(most).toBeLessThanOrEqual(300);
});

test("going back from a photo finds the list where it was left", { tag: "@phone" }, async ({ page }) => {
  await open(page);
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect(page.locator(".cards")).not.toHaveCount(1);
  await page.evaluate(() => scrollTo(0, 1500));
  const link = page.locator(".print__link:visible").nth(40);
  // Rows outside the window are taken away while it moves: the one that is there when it rests is meant.
  await expect(() => link.scrollIntoViewIfNeeded({ timeout: 1_000 })).toPass();
  const before = await page.evaluate(() => scrollY);
  expect(before).toBeGreaterThan(1000);
  const address = await link.getAttribute("href");
  await link.click();
  await expect(page.getByRole("heading", { name: "History" })).toBeVisible();
  await page.goBack();
  await expect(page.locator(`.print__link[href="${address}"]`), "the photo it was left for").toBeInViewport();
  await expect.poll(() => page.evaluate(() => scrollY)).toBeCloseTo(before, -1);

  // And once more, from the list as it was come back to.
  await page.locator(`.print__link[href="${address}"]`).click();
  await expect(page.getByRole("heading", { name: "History" })).toBeVisible();
  await page.goBack();
  await expect(page.locator(`.print__link[href="${address}"]`)).toBeInViewport();
});

test("photos ticked with Shift are flagged together, confirmed, and unflagged by undo", async ({ home, page }) => {
  void home;
  await open(page, "/photos?flag=no");
  const boxes = page.locator(".tick__box");
  await boxes.nth(1).check();
  await boxes.nth(4).click({ modifiers: ["Shift"] });
  await expect(page.getByText("4 ticked")).toBeVisible();
  await page.getByLabel("Reason").selectOption("Bad photo");
  await page.getByRole("button", { name: "Flag", exact: true }).click();
  const done = page.locator(".done");
  await expect(done).toContainText("4 photos flagged for review.");
  await expect(cards(page).nth(1)).toContainText("Bad photo");
  await done.getByRole("button", { name: "Undo" }).click();
  await expect(done).toContainText("Taken back.");
  await expect(cards(page).nth(1)).not.toContainText("Bad photo");
});

test("the list is walked over and ticked by keyboard alone", async ({ page, isMobile }) => {
  test.skip(isMobile, "phones have none");
  await open(page);
  await firstBox(page).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".tick__box").nth(2)).toBeFocused();
  await page.keyboard.press("Shift+Space");
  await expect(page.getByText("3 ticked")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText("Tick photos to flag them.")).toBeVisible();
});

test("the list does not grow while the keyboard is past its end, and what it is on stays in sight", async ({ home, page, isMobile }) => {
  void home;
  test.skip(isMobile, "phones have none");
  await open(page);
  const sheets = page.locator(".cards");
  await expect(sheets).toHaveCount(1);
  await page.getByRole("link", { name: "Next page" }).focus();
  await page.keyboard.press("Tab");
  const at = page.locator(".colophon :focus");
  await expect(at).toBeVisible();
  // Long enough for a page of the list to come.
  await page.waitForTimeout(1_000);
  await expect(sheets).toHaveCount(1);
  await expect(at).toBeInViewport();
  // Back at the top it is forgotten.
  await firstBox(page).focus();
  await expect(firstBox(page)).toBeInViewport();
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect(sheets).not.toHaveCount(1);
});

test("the box of a photo says in UTC when it came, and in the visitor's clock once they are at it", async ({ page }) => {
  await open(page, "/photos?view=table");
  const line = page.locator(".line").first();
  const box = line.locator(".tick__box");
  await expect(box).toHaveAccessibleName(/^Select \S.*, \d+ \w{3} \d{4}, \d\d:\d\d UTC$/);
  const label = await line.locator(".line__link").innerText();
  await expect(line.locator("time")).not.toContainText("UTC");
  const local = await line.locator("time").innerText();
  await box.focus();
  await expect(box).toHaveAccessibleName(`Select ${label}, ${local}`);
});

test("the table sorts by its columns and says so", async ({ page }) => {
  await open(page);
  await page.getByRole("link", { name: "Table", exact: true }).click();
  await expect(page).toHaveURL("/photos?view=table");
  const column = page.getByRole("columnheader", { name: /Confidence/ });
  await column.getByRole("link").click();
  await expect(column).toHaveAttribute("aria-sort", "ascending");
  await column.getByRole("link").click();
  await expect(column).toHaveAttribute("aria-sort", "descending");
  await expect(page).toHaveURL(/sort=confidence/);
  await expect(page.locator(".explorer__list[aria-busy=false]")).toBeVisible();
  const numbers = (await page.locator(".line__percent").allInnerTexts()).map((text) => Number(text.replace(/\D/g, "")));
  expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
});

test("one photo shows its tags and history, and its neighbours in the list it was found in", async ({ home, page }) => {
  void home;
  await open(page, "/photos?sort=confidence");
  await page.locator(".print__link").nth(1).click();
  await expect(page).toHaveURL(/\/photos\/[0-9a-f-]{36}\?sort=confidence$/);
  const here = page.url();
  await expect(page.locator(".record__object").first()).toContainText("predicted_class");
  await page.getByRole("button", { name: "Not food" }).click();
  await expect(page.getByRole("button", { name: "Not food" })).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator(".record__step").first()).toContainText("Flagged: not food");
  await expect(page.locator(".record__step").first()).toContainText("operator");
  await page.getByRole("button", { name: "Not food" }).click();
  await expect(page.locator(".record__step").first()).toContainText("Flag taken back");

  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toMatch(/^[0-9a-f-]{36}\.jpg$/);

  await page.getByRole("link", { name: "Next" }).click();
  await expect(page).not.toHaveURL(here);
  // The photo before it stays on the page until the next one is there.
  const next = new URL(page.url()).pathname.split("/").at(-1)!;
  await expect(page.locator(".one__picture img")).toHaveAttribute("src", new RegExp(next));
  await page.getByRole("link", { name: "Previous" }).click();
  await expect(page).toHaveURL(here);
});

test("whoever is not known is sent to sign in, and back from there", async ({ browser }) => {
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const answer = await context.request.get("/photos?class=Soup", { maxRedirects: 0 });
  expect(answer.status()).toBe(303);
  expect(answer.headers().location).toBe("/login?next=%2Fphotos%3Fclass%3DSoup");
  await context.close();
});

test("a phone shows three photos a line and keeps the filters behind a switch", { tag: "@phone" }, async ({ page, isMobile }) => {
  test.skip(!isMobile, "for phones");
  await open(page);
  const tops = await cards(page).evaluateAll((tiles) => tiles.slice(0, 4).map((tile) => tile.getBoundingClientRect().top));
  expect(new Set(tops.slice(0, 3)).size).toBe(1);
  expect(tops[3]).toBeGreaterThan(tops[0]!);
  await expect(page.getByLabel("Class", { exact: true })).toBeHidden();
  await showFilters(page);
  await expect(page.getByLabel("Class", { exact: true })).toBeVisible();
});

for (const size of ["100%", "150%"]) {
  test(`a tile that a phone has not drawn yet takes up the space that it takes drawn, with text at ${size}`, { tag: "@phone" }, async ({ page, isMobile }) => {
    test.skip(!isMobile, "for phones");
    await open(page);
    await page.evaluate((size) => (document.documentElement.style.fontSize = size), size);
    const tiles = await cards(page).evaluateAll((tiles) =>
      tiles.map((tile) => ({
        height: Math.round(tile.getBoundingClientRect().height * 10) / 10,
        isDrawn: tile.firstElementChild!.checkVisibility({ contentVisibilityAuto: true }),
      })),
    );
    expect(tiles[0]!.isDrawn).toBe(true);
    expect(tiles.at(-1)!.isDrawn).toBe(false);
    expect(new Set(tiles.map(({ height }) => height)).size, "all are as high as each other").toBe(1);
  });
}

test("on a phone, what is done with ticked photos comes up over the lower edge and moves nothing", { tag: "@phone" }, async ({ home, page, isMobile }) => {
  void home;
  test.skip(!isMobile, "for phones");
  await open(page, "/photos?flag=no");
  const flag = page.getByRole("button", { name: "Flag", exact: true });
  await expect(flag).toBeHidden();
  const jumped = await watchLayout(page);
  await firstBox(page).tap();
  await expect(page.getByText("1 ticked")).toBeVisible();
  await expect(flag).toBeInViewport({ ratio: 1 });
  const navigation = (await page.getByRole("navigation", { name: "Pages" }).boundingBox())!;
  const button = (await flag.boundingBox())!;
  expect(button.y + button.height).toBeLessThanOrEqual(navigation.y);
  expect(await jumped()).toEqual([]);
  await flag.tap();
  await expect(page.locator(".done")).toContainText("1 photo flagged for review.");
  await page.locator(".done").getByRole("button", { name: "Undo" }).tap();
  await expect(page.locator(".done")).toContainText("Taken back.");
});
