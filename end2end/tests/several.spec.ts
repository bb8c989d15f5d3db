import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { brokenPicture, deviceReady, expect, HomePage, notAPicture, picture, problem, test, watchLayout } from "./page";

test.use({ expectedInConsole: /Failed to load resource|Connecting to 'blob:/ });

const names = ["soup", "egg", "bread", "salad"] as const;
const pictures = names.map(picture);

/** Drops so many copies of a picture on the page, and a folder if wanted. */
async function drop(home: HomePage, number: number): Promise<void> {
  const transfer = await home.page.evaluateHandle(
    ([bytes, number]) => {
      const transfer = new DataTransfer();
      for (let index = 0; index < number; index++) {
        // A byte more at the end is still the same picture, and another file.
        transfer.items.add(new File([new Uint8Array(bytes), new Uint8Array([index])], `${index}.jpg`, { type: "image/jpeg" }));
      }
      return transfer;
    },
    [[...readFileSync(picture("egg"))], number] as const,
  );
  await home.page.dispatchEvent("main", "drop", { dataTransfer: transfer });
}

test("several photos chosen at once are all answered, each with its own preview and state", { tag: "@phone" }, async ({ home, page }) => {
  await home.open();
  await home.choose(pictures);
  await expect(home.tickets).toHaveCount(4);
  await expect(home.pass).toContainText("4 of 4 photos answered");
  await expect(home.tiles).toHaveCount(4);
  await expect(home.answer, "the first one's answer is on stage").toBeVisible();
  for (const ticket of await home.tickets.all()) {
    await expect(ticket.getByRole("link")).toHaveAttribute("href", /^\/\?photo=/);
  }
  const third = home.tickets.nth(2).getByRole("link");
  const address = await third.getAttribute("href");
  await third.click();
  await expect(home.album.locator(`a[href="${address}"]`)).toHaveAttribute("aria-current", "page");
  await home.pass.getByRole("button", { name: "Close" }).click();
  await expect(home.pass).toBeHidden();
  await home.reload();
  await expect(home.tiles).toHaveCount(4);
  expect(page.url()).toContain("photo=");
});

test("at most three are under way at once, and one can be cancelled", async ({ home, page }) => {
  let underWay = 0;
  let most = 0;
  const releases: (() => void)[] = [];
  await home.open();
  await page.route("**/api/v1/predictions", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    most = Math.max(most, ++underWay);
    await new Promise<void>((release) => releases.push(release));
    underWay -= 1;
    await route.continue().catch(() => {});
  });
  await home.choose([...pictures, ...pictures.slice(0, 2)]);
  await expect(home.tickets).toHaveCount(6);
  await expect.poll(() => releases.length).toBe(3);
  await expect(home.tickets.nth(5)).toContainText("waits");
  await home.tickets.nth(5).getByRole("button", { name: /^Cancel/ }).click();
  await expect(home.tickets).toHaveCount(5);
  while (releases.length) {
    releases.shift()!();
    await page.waitForTimeout(50);
  }
  const letThrough = setInterval(() => releases.shift()?.(), 50);
  await expect(home.pass).toContainText("5 of 5 photos answered");
  clearInterval(letThrough);
  expect(most).toBe(3);
  await expect(home.tiles).toHaveCount(5);
});

test("those that fail say so beside those that do not, and can be sent again", { tag: "@phone" }, async ({ home, page }) => {
  let posts = 0;
  await home.open();
  // The second photo, and only the first time.
  await page.route("**/api/v1/predictions", (route) =>
    route.request().method() === "POST" && ++posts === 2
      ? route.fulfill(problem(507, "storage-full", "The disk is full."))
      : route.continue(),
  );
  const files = ["soup", "salad"].map((name) => ({
    name: `${name}.jpg`,
    mimeType: "image/jpeg",
    buffer: readFileSync(picture(name as "soup")),
  }));
  await home.choose([...files, brokenPicture(), notAPicture]);
  await expect(home.pass).toContainText("1 of 4 photos answered, 3 not");
  await expect(home.tickets.filter({ hasText: "did not work" })).toHaveCount(3);

  const noRoom = home.tickets.nth(1);
  await noRoom.getByRole("button", { name: /^Show/ }).click();
  await expect(home.trouble).toContainText("There is no room for new photos right now");
  await expect(home.tickets.nth(3).getByRole("button", { name: /again/ }), "it would fail again").toBeHidden();
  await noRoom.getByRole("button", { name: /again/ }).click();
  await expect(home.pass).toContainText("2 of 4 photos answered, 2 not");
  await expect(home.tiles).toHaveCount(2);
});

test("the photo the visitor asks for goes first", async ({ home, page }) => {
  const sent: (string | undefined)[] = [];
  const releases: (() => void)[] = [];
  await home.open();
  await page.route("**/api/v1/predictions", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    sent.push(route.request().headers()["idempotency-key"]);
    await new Promise<void>((release) => releases.push(release));
    await route.continue();
  });
  await drop(home, 6);
  await expect.poll(() => sent.length).toBe(3);
  await home.tickets.nth(5).getByRole("button", { name: /^Show/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("In the line");
  releases.shift()!();
  await expect.poll(() => sent.length).toBe(4);
  const letThrough = setInterval(() => releases.shift()?.(), 50);
  await expect(home.pass).toContainText("6 of 6 photos answered");
  clearInterval(letThrough);
  await expect(home.answer).toBeVisible();
  await expect(home.tickets.nth(5).getByRole("link")).toHaveAttribute("href", `/?photo=${sent[3]}`);
});

test("more than fifty are not sent without a question", async ({ home, page }) => {
  await home.open();
  await page.route("**/api/v1/predictions", (route) => (route.request().method() === "POST" ? undefined : route.continue()));
  await drop(home, 60);
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("60 photos are too many at once.");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(home.pass, "nothing was sent").toBeHidden();

  await drop(home, 60);
  await dialog.getByRole("button", { name: "Send the first 50" }).click();
  await expect(home.tickets).toHaveCount(50);
  await drop(home, 1);
  await expect(dialog).toContainText("50 photos are on their way already.");
  await dialog.getByRole("button", { name: "All right" }).click();
  await home.pass.getByRole("button", { name: "Cancel the rest" }).click();
  await expect(home.pass).toBeHidden();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What’s on your plate?");
});

test("all wait while offline, and all go on by themselves", async ({ home, context }) => {
  await home.open();
  await context.setOffline(true);
  await home.choose(pictures.slice(0, 3));
  await expect(home.tickets.filter({ hasText: "offline" })).toHaveCount(3);
  await context.setOffline(false);
  await expect(home.pass).toContainText("3 of 3 photos answered");
  await expect(home.tiles).toHaveCount(3);
});

test("the beginning and the end are read out, and not each step", async ({ home, page }) => {
  await home.open();
  await page.evaluate(() => {
    const heard: string[] = [];
    (window as unknown as { heard: string[] }).heard = heard;
    const region = [...document.querySelectorAll("[role=status]")].find((element) => element.matches(".visually-hidden:not(#queue *)"))!;
    new MutationObserver(() => heard.push(region.textContent!)).observe(region, { childList: true, characterData: true, subtree: true });
  });
  await home.choose(pictures);
  await expect(home.pass).toContainText("4 of 4 photos answered");
  expect(await page.evaluate(() => (window as unknown as { heard: string[] }).heard)).toEqual([
    "4 photos are on their way.",
    "4 of 4 photos answered",
  ]);
});

test("nothing on the page jumps from choosing a photo to its answer", async ({ home, page }) => {
  await home.open();
  await deviceReady(page);
  await page.evaluate(() => document.fonts.ready);
  const letThrough = await holdUploads(page);
  const jumped = await watchLayout(page);
  await home.choose(picture("salad"));
  await expect(page.locator(".plaque--preliminary"), "what the device says comes first").toBeVisible();
  letThrough();
  await expect(home.answer).toBeVisible();
  expect(await jumped()).toEqual([]);
});

/** Holds uploads back; the returned function lets them through. */
async function holdUploads(page: Page): Promise<() => void> {
  let letThrough!: () => void;
  const held = new Promise<void>((release) => (letThrough = release));
  await page.route("**/api/v1/predictions", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue().catch(() => {});
  });
  return letThrough;
}

test("answers move nothing: each fills the place that was kept for its photo", { tag: "@phone" }, async ({ home, page }) => {
  await home.open();
  await home.classify("salad");
  const letThrough = await holdUploads(page);
  await home.choose(pictures);
  await expect(home.places).toHaveCount(4);
  await page.evaluate(() => document.querySelector(".tile--coming")!.scrollIntoView());
  const jumped = await watchLayout(page);
  letThrough();
  await expect(home.pass).toContainText("4 of 4 photos answered");
  await expect(home.tiles).toHaveCount(5);
  await expect(home.places).toHaveCount(0);
  expect(await jumped()).toEqual([]);
});

test("a place in the album is kept for each photo on its way, and given up with it", async ({ home, page }) => {
  await home.open();
  const letThrough = await holdUploads(page);
  await home.choose(pictures.slice(0, 3));
  await expect(home.places).toHaveCount(3);
  await expect(home.tiles, "no photo yet, for whoever listens").toHaveCount(0);
  await home.tickets.nth(1).getByRole("button", { name: /^Cancel/ }).click();
  await expect(home.places).toHaveCount(2);
  letThrough();
  await expect(home.tiles).toHaveCount(2);
  await expect(home.places).toHaveCount(0);
  const ofTiles = await home.tiles.getByRole("link").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  const ofTickets = await home.tickets.getByRole("link").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  expect(ofTiles, "the last chosen comes first").toEqual(ofTickets.reverse());
});

test("whoever asks for less motion gets none", async ({ home, page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await home.open();
  await deviceReady(page);
  await page.route("**/api/v1/predictions", () => {});
  await home.choose(pictures);
  await expect(home.tickets).toHaveCount(4);
  await expect(page.locator(".plaque--preliminary")).toBeVisible();
  const moving = await page.evaluate(() =>
    document.getAnimations().filter((animation) => {
      const { duration } = animation.effect!.getComputedTiming();
      return animation.playState === "running" && Number(duration) > 0;
    }).length,
  );
  expect(moving).toBe(0);
});
