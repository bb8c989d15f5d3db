// The page as tests speak of it, and the watch that every test keeps on the console.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { test as base, expect, type Locator, type Page } from "@playwright/test";

import { baseURL } from "../server";

export { expect };

const pictures = join(import.meta.dirname, "../pictures");

export const picture = (name: "soup" | "egg" | "salad" | "bread"): string => join(pictures, `${name}.jpg`);

const folder = process.env.GOURMETGRAM_PHOTOS;

/**
 * Photos to fill a page with. GOURMETGRAM_PHOTOS names a folder with JPEG photos to take instead of the drawn ones;
 * pictures of such pages stay on the machine that took them.
 */
export const photos: readonly string[] = folder
  ? readdirSync(folder)
      .filter((name) => /\.jpe?g$/i.test(name))
      .slice(0, 6)
      .map((name) => join(folder, name))
  : (["soup", "egg", "bread", "salad"] as const).map(picture);

export const brokenPicture = (): { name: string; mimeType: string; buffer: Buffer } => ({
  name: "broken.jpg",
  mimeType: "image/jpeg",
  buffer: readFileSync(picture("soup")).subarray(0, 9_000),
});

export const notAPicture = { name: "recipe.txt", mimeType: "text/plain", buffer: Buffer.from("Two eggs, a pinch of salt.") };

/** A JPEG of this size, drawn by the page's browser; with an orientation, one that says in EXIF that it lies on its side. */
export async function drawn(page: Page, width: number, height: number, orientation?: number) {
  const base64 = await page.evaluate(async ([width, height]) => {
    const canvas = new OffscreenCanvas(width!, height!);
    const paper = canvas.getContext("2d")!;
    for (let row = 0; row < 40; row++) {
      paper.fillStyle = `hsl(${row * 9} 70% 50%)`;
      paper.fillRect(0, (row * height!) / 40, width!, height! / 40);
    }
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/jpeg", quality: 1 })).arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  }, [width, height]);
  const plain = Buffer.from(base64, "base64");
  // One entry, the orientation, in the shortest EXIF there is.
  const exif = Buffer.from("ffe1002245786966000049492a00080000000100120103000100000000000000" + "00000000", "hex");
  if (orientation) exif.writeUInt16LE(orientation, 28);
  const buffer = orientation ? Buffer.concat([plain.subarray(0, 2), exif, plain.subarray(2)]) : plain;
  return { name: "plate.jpg", mimeType: "image/jpeg", buffer };
}

/** A text that calls itself a picture: only the server can tell. */
export const disguisedText = { ...notAPicture, name: "recipe.jpg", mimeType: "image/jpeg" };

/** An answer of the server that says what is wrong, for a test to give in its place. */
export const problem = (status: number, type: string, detail: string, headers: Record<string, string> = {}) => ({
  status,
  contentType: "application/problem+json",
  headers,
  body: JSON.stringify({ type, title: type, status, detail }),
});

/** Sends a photo past the page, as whoever the page's browser is. Returns its id. */
export async function uploadedPhoto(page: Page, path: string): Promise<string> {
  const answer = await page.request.post("/api/v1/predictions", {
    headers: { Origin: new URL(baseURL).origin },
    multipart: { image: { name: basename(path), mimeType: "image/jpeg", buffer: readFileSync(path) } },
  });
  expect(answer.status()).toBe(201);
  return (await answer.json()).id as string;
}

/** Says what a photo shows, as the page's visitor. */
export async function correctPhoto(page: Page, id: string, label: string): Promise<void> {
  const answer = await page.request.put(`/api/v1/predictions/${id}/correction`, {
    headers: { Origin: new URL(baseURL).origin },
    data: { label },
  });
  expect(answer.ok()).toBe(true);
}

/** Waits until the classifier on the device can answer: it is loaded when the page has nothing better to do. */
export async function deviceReady(page: Page): Promise<void> {
  await page.locator("html[data-device=simd], html[data-device=plain]").waitFor({ state: "attached", timeout: 30_000 });
}

/**
 * A device with a model of its own: whatever the photo, it says this; in time for the upload to take it along, or too late
 * for that.
 */
export async function deviceSays(page: Page, predicted_class: string, isInTime = true): Promise<void> {
  const said = JSON.stringify(JSON.stringify({ device: { predicted_class, confidence: 0.5, model_version: "elder-1" } }));
  await page.route(/\/device\.js$/, (route) =>
    route.fulfill({
      contentType: "text/javascript",
      body: `const said = async () => ${said};
        globalThis.gourmetgramDevice = { classify: said, soon: async () => (${isInTime} ? said() : null) };`,
    }),
  );
}

export class HomePage {
  readonly answer: Locator;
  readonly label: Locator;
  readonly otherClasses: Locator;
  readonly flags: Locator;
  readonly album: Locator;
  readonly tiles: Locator;
  /** Places in the album that are kept for photos on their way. */
  readonly places: Locator;
  readonly confirmation: Locator;
  readonly trouble: Locator;
  /** The strip with the photos on their way, where several are. */
  readonly pass: Locator;
  readonly tickets: Locator;

  constructor(readonly page: Page) {
    this.answer = page.getByRole("region", { name: "The answer" });
    this.label = page.getByRole("figure").getByRole("heading", { level: 1 });
    this.otherClasses = page.getByRole("form", { name: "Is it something else?" });
    this.flags = page.getByRole("form", { name: "Anything wrong?" });
    this.album = page.getByRole("region", { name: "My photos" });
    this.tiles = this.album.getByRole("listitem");
    this.places = page.locator(".tile--coming");
    this.confirmation = page.locator(".confirmation");
    this.trouble = page.getByRole("alert");
    this.pass = page.getByRole("region", { name: "Photos on their way" });
    this.tickets = this.pass.getByRole("listitem");
  }

  /** Opens an address and waits until the page has come alive. */
  async open(path = "/"): Promise<void> {
    await this.page.goto(path);
    await this.alive();
  }

  /** A page that comes without scripts is a document, and as it will be. */
  async alive(): Promise<void> {
    if ((await this.page.locator("script[type=module]:not([src='/live.js'])").count()) === 0) return;
    await this.page.locator("html[data-alive]").waitFor({ state: "attached" });
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.alive();
  }

  /** The file input that takes a photo from the device: before the first answer, and after it. */
  get chooser(): Locator {
    return this.page.getByLabel(/^(Choose|More) photos$/);
  }

  async choose(file: Parameters<Locator["setInputFiles"]>[0]): Promise<void> {
    await this.chooser.setInputFiles(file);
  }

  /** Sends a photo and waits for its answer. Returns the label. */
  async classify(name: Parameters<typeof picture>[0] = "soup"): Promise<string> {
    await this.choose(picture(name));
    await expect(this.answer).toBeVisible();
    return await this.label.innerText();
  }

  /** A class that is not the answer, to correct it to. */
  choice(index = 0): Locator {
    return this.otherClasses.locator("button[name=label]").nth(index);
  }

  reason(name: string): Locator {
    return this.flags.getByRole("button", { name, exact: true });
  }
}

/**
 * A page that has come alive but for its parts, as it were interrupted: the page begins in a task of no delay, and so does each
 * of its parts, outer ones before those in them. After `parts` of them the others wait until they are let go.
 */
export async function halfAlive(page: Page, path: string, parts: number): Promise<() => Promise<void>> {
  await page.addInitScript((ran) => {
    const real = window.setTimeout;
    const held: (() => void)[] = [];
    const holding = (run: () => void, delay = 0, ...rest: unknown[]) => {
      if (delay > 0 || ran-- > 0) return real(run, delay, ...rest);
      held.push(run);
      return 0;
    };
    const letGo = () => {
      Object.assign(window, { setTimeout: real });
      for (const run of held.splice(0)) real(run);
    };
    Object.assign(window, { setTimeout: holding, held, letGo });
  }, 1 + parts);
  type Held = { held: unknown[]; letGo: () => void };
  await page.goto(path);
  await expect.poll(() => page.evaluate(() => (window as unknown as Held).held.length)).toBeGreaterThan(0);
  await expect(page.locator("html[data-alive]")).toHaveCount(0);
  return () => page.evaluate(() => (window as unknown as Held).letGo());
}

/** Watches from now on how far the page's elements jump; the returned function tells how far they did. */
export async function watchLayout(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen: string[] = [];
    (window as unknown as { jumped: string[] }).jumped = seen;
    type Shift = PerformanceEntry & { value: number; sources: { node: Node | null }[] };
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries() as Shift[]) {
        const moved = sources.map(({ node }) => (node instanceof Element ? node.className || node.tagName : node?.nodeName));
        if (value > 0) seen.push(`${value.toFixed(4)}: ${moved.join(", ")}`);
      }
    }).observe({ type: "layout-shift" });
  });
  return async () => {
    // Two frames, so that what was just drawn is counted too.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    return page.evaluate(() => (window as unknown as { jumped: string[] }).jumped);
  };
}

/**
 * Watches every page that is opened from now on; the returned function tells how far things jumped on the last one, in
 * sum and each by itself. What follows a touch or a key within half a second is no jump.
 */
export async function watchJumps(page: Page): Promise<() => Promise<{ sum: number; jumps: string[] }>> {
  await page.addInitScript(() => {
    const seen: [number, string][] = [];
    (window as unknown as { jumps: [number, string][] }).jumps = seen;
    type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node: Node | null }[] };
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput, sources } of list.getEntries() as Shift[]) {
        const moved = sources.map(({ node }) => (node instanceof Element ? node.outerHTML.slice(0, 80) : node?.nodeName));
        if (!hadRecentInput) seen.push([value, moved.join(", ")]);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  return async () => {
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const seen = await page.evaluate(() => (window as unknown as { jumps: [number, string][] }).jumps);
    return {
      sum: seen.reduce((total, [value]) => total + value, 0),
      jumps: seen.map(([value, what]) => `${value.toFixed(4)}: ${what}`),
    };
  };
}

/** Texts that may stand in the console of a test that breaks the connection or makes the server refuse on purpose. */
type Expected = { expectedInConsole: RegExp | null };

export const test = base.extend<Expected & { home: HomePage }>({
  expectedInConsole: [null, { option: true }],
  home: async ({ page, expectedInConsole }, use) => {
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // Most tests go without the service worker: see playwright.config.ts.
      if (message.text() === "Service Worker registration blocked by Playwright") return;
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    await use(new HomePage(page));
    // Hydration errors, violations of the content security policy and panics all end up here.
    expect(complaints.filter((text) => !expectedInConsole?.test(text))).toEqual([]);
  },
});
