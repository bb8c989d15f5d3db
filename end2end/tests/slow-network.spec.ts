// A connection as in a cellar: little comes through, and every answer takes its time. Nothing may give up before the
// connection does, and whatever is not there yet says so.

import type { CDPSession, Page } from "@playwright/test";

import { deviceReady, expect, picture, test, watchJumps } from "./page";

/** Bytes a second, each way, and milliseconds before anything comes. */
interface Line {
  bytesPerSecond: number;
  latency: number;
}

const slow3G: Line = { bytesPerSecond: 50_000, latency: 400 };
const trickle: Line = { bytesPerSecond: 20_000, latency: 400 };

class Network {
  private constructor(private readonly session: CDPSession) {}

  static async of(page: Page): Promise<Network> {
    return new Network(await page.context().newCDPSession(page));
  }

  async is({ bytesPerSecond, latency }: Line): Promise<void> {
    await this.conditions({ offline: false, latency, throughput: bytesPerSecond });
  }

  async isGone(): Promise<void> {
    await this.conditions({ offline: true, latency: 0, throughput: -1 });
  }

  async isFast(): Promise<void> {
    await this.conditions({ offline: false, latency: 0, throughput: -1 });
  }

  private async conditions({ throughput, ...rest }: { offline: boolean; latency: number; throughput: number }) {
    await this.session.send("Network.enable");
    await this.session.send("Network.emulateNetworkConditions", {
      ...rest,
      downloadThroughput: throughput,
      uploadThroughput: throughput,
    });
  }
}

/** From now on, keeps every text that the panel of an upload shows. */
async function watchSending(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const seen: string[] = ((window as unknown as { seen: string[] }).seen = []);
    new MutationObserver(() => {
      const panel = document.querySelector<HTMLElement>("main")?.innerText ?? "";
      for (const said of panel.match(/\d+% sent|Having a look|No connection/g) ?? []) {
        if (seen.at(-1) !== said && !seen.includes(said)) seen.push(said);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return () => page.evaluate(() => (window as unknown as { seen: string[] }).seen);
}

test("an upload shows how far it is, and ends with the answer", async ({ home, page }) => {
  const network = await Network.of(page);
  await home.open();
  const seen = await watchSending(page);
  await network.is(trickle);
  await home.choose(picture("salad"));
  await expect(page.getByRole("progressbar", { name: "Sent" })).toBeVisible();
  await expect(page.getByText(/^\d+% sent$/)).toBeVisible();
  await expect(home.answer).toBeVisible({ timeout: 60_000 });

  const said = await seen();
  const percents = said.filter((text) => text.endsWith("% sent")).map((text) => parseInt(text));
  expect(percents.length, said.join(", ")).toBeGreaterThan(3);
  expect(percents).toEqual([...percents].sort((a, b) => a - b));
  expect(percents.at(-1)).toBeLessThan(100);
  expect(said.at(-1)).toBe("Having a look");
});

test("on a slow phone with a slow line the device has answered while the photo is still on its way", async ({ home, page }) => {
  const network = await Network.of(page);
  await home.open();
  await deviceReady(page);
  // A processor a quarter as fast.
  await (await page.context().newCDPSession(page)).send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await network.is(trickle);
  await home.choose(picture("salad"));
  await expect(page.locator(".plaque--preliminary")).toBeVisible();
  await expect(page.getByText(/^\d+% sent$/)).toBeVisible();
  await expect(home.answer).toBeHidden();
  await expect(home.answer).toBeVisible({ timeout: 60_000 });
  await expect(page.locator(".plaque--preliminary")).toBeHidden();
});

test("an answer is waited for as long as it takes", async ({ home, page }) => {
  await page.clock.install();
  let letThrough = () => {};
  const held = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route("**/api/v1/predictions", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });
  await home.open();
  await home.choose(picture("soup"));
  await expect(page.getByRole("progressbar")).toBeVisible();
  await page.clock.runFor("05:00");
  await expect(page.getByRole("progressbar")).toBeVisible();
  await expect(page.getByRole("button", { name: "Cancel" })).toBeVisible();
  await expect(home.trouble).toBeHidden();
  letThrough();
  await expect(home.answer).toBeVisible();
  await expect(home.tiles).toHaveCount(1);
});

test.describe(() => {
  test.use({ expectedInConsole: /Failed to load resource/ });

  test("a connection lost on the way is told, and the photo goes on by itself when it is back", async ({ home, page }) => {
    const network = await Network.of(page);
    await home.open();
    await network.is({ bytesPerSecond: 6_000, latency: 100 });
    await home.choose(picture("salad"));
    await expect(page.getByText(/^[1-9]\d*% sent$/)).toBeVisible();
    await network.isGone();
    await expect(page.getByText("You are offline")).toBeVisible();
    await expect(page.getByText("goes on by itself once you have a connection")).toBeVisible();
    await network.isFast();
    await expect(home.answer).toBeVisible();
    await home.reload();
    await expect(home.tiles, "sent in two halves, it is one photo").toHaveCount(1);
  });
});

test("a judgement is shown once it has arrived, and pressed twice it is sent once", async ({ home, page }) => {
  const network = await Network.of(page);
  await home.open();
  await home.classify("egg");
  let sent = 0;
  page.on("request", (request) => (sent += Number(request.url().endsWith("/flag"))));
  await network.is({ ...slow3G, latency: 1_500 });
  await home.reason("Bad photo").dispatchEvent("click");
  await home.reason("Bad photo").dispatchEvent("click");
  await expect(home.answer).toHaveAttribute("aria-busy", "true");
  await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "false");
  await expect(home.confirmation).toContainText("Flagged: bad photo");
  await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "true");
  await expect(home.answer).not.toHaveAttribute("aria-busy", "true");
  expect(sent).toBe(1);
});

test("a photo can be sent long before the page's scripts are there", async ({ home, page }) => {
  const network = await Network.of(page);
  await page.route(/\.(js|wasm)$/, () => {});
  await network.is(slow3G);
  await page.goto("/", { waitUntil: "commit" });
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await home.choose(picture("bread"));
  await page.getByRole("button", { name: "Send", exact: true }).last().click({ noWaitAfter: true });
  await expect(home.answer).toBeVisible();
  await expect(page).toHaveURL(/\/\?photo=[0-9a-f-]{36}$/);
  await expect(page.locator("html[data-alive]")).toHaveCount(0);
  await home.reason("Wrong label").click({ noWaitAfter: true });
  await expect(home.flags).toContainText("Flagged: wrong label");
});

test("what comes late finds its place kept", async ({ home, page }) => {
  const network = await Network.of(page);
  await home.open();
  for (const name of ["soup", "egg", "salad"] as const) await home.classify(name);
  await network.is(slow3G);
  const jumped = await watchJumps(page);
  await page.reload({ waitUntil: "commit" });
  await page.waitForFunction(() => document.images.length >= 3 && [...document.images].every((image) => image.complete));
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  const { sum, jumps } = await jumped();
  expect(sum, jumps.join("\n")).toBeLessThan(0.05);
});
