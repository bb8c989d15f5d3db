// Smaller photos: only for who asks for them or has a slow connection, and recorded as what they are.

import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { deviceReady, drawn, expect, type HomePage, picture, test } from "./page";

const PREDICTIONS = /\/api\/v1\/predictions$/;

/** The browser says this of its connection. */
async function connection(page: Page, says: { saveData?: boolean; effectiveType: string }): Promise<void> {
  await page.addInitScript((says) => Object.defineProperty(navigator, "connection", { value: says }), says);
}

const smaller = (page: Page) => page.getByRole("checkbox", { name: "Send smaller photos" });

interface Recorded {
  width: number;
  height: number;
  bytes: number;
  scaled_from?: string;
}

/** Sends a photo, and answers what is recorded of it. */
async function record(home: HomePage, photo: Parameters<HomePage["choose"]>[0]): Promise<Recorded> {
  await home.choose(photo);
  await expect(home.answer).toBeVisible();
  const id = new URL(home.page.url()).searchParams.get("photo");
  return (await home.page.request.get(`/api/v1/predictions/${id}`)).json();
}

test("a photo is sent as it is where nobody asked for another", async ({ home, page }) => {
  await home.open();
  await expect(smaller(page)).not.toBeChecked();
  const recorded = await record(home, await drawn(page, 2400, 1800));
  expect(recorded).toMatchObject({ width: 2400, height: 1800 });
  expect(recorded.scaled_from).toBeUndefined();
  await expect(page.getByText("Sent smaller")).toHaveCount(0);
});

test("who asks for it sends smaller photos, today and tomorrow, and the record says so", async ({ home, page }) => {
  await home.open();
  await smaller(page).check();
  await home.reload();
  await expect(smaller(page)).toBeChecked();
  const photo = await drawn(page, 2400, 1800);
  const recorded = await record(home, photo);
  expect(recorded).toMatchObject({ width: 1600, height: 1200, scaled_from: "2400x1800" });
  expect(recorded.bytes).toBeLessThan(photo.buffer.length);
  await expect(home.answer).toContainText("Sent smaller: 2400 × 1800 → 1600 × 1200");

  await home.open("/");
  await smaller(page).uncheck();
  expect((await record(home, await drawn(page, 2000, 1000))).scaled_from).toBeUndefined();
});

for (const says of [{ saveData: true, effectiveType: "4g" }, { effectiveType: "2g" }, { effectiveType: "slow-2g" }]) {
  test(`a browser that says ${JSON.stringify(says)} sends smaller photos by itself`, async ({ home, page }) => {
    await connection(page, says);
    await home.open();
    await expect(smaller(page)).not.toBeChecked();
    const recorded = await record(home, await drawn(page, 1200, 2400));
    expect(recorded).toMatchObject({ width: 800, height: 1600, scaled_from: "1200x2400" });
  });
}

test("a fast connection is no reason", async ({ home, page }) => {
  await connection(page, { saveData: false, effectiveType: "3g" });
  await home.open();
  expect((await record(home, await drawn(page, 2400, 1800))).scaled_from).toBeUndefined();
});

test("a photo that is small already is left alone, to the byte", async ({ home, page }) => {
  await home.open();
  await smaller(page).check();
  // As the page hands it to its browser.
  await page.evaluate(() => {
    const send = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.send = function (body) {
      if (body instanceof FormData) (window as unknown as { sent: FormData }).sent = body;
      return send.call(this, body);
    };
  });
  const recorded = await record(home, picture("soup"));
  expect(recorded).toMatchObject({ width: 960, height: 720 });
  expect(recorded.scaled_from).toBeUndefined();
  const sent = await page.evaluate(async () => {
    const { sent } = window as unknown as { sent: FormData };
    const photo = new Uint8Array(await (sent.get("image") as File).arrayBuffer());
    let text = "";
    for (const byte of photo) text += String.fromCharCode(byte);
    return { parts: [...sent.keys()], photo: btoa(text) };
  });
  expect(sent.parts).not.toContain("scaled_from");
  expect(sent.photo, "the file as it is").toBe(readFileSync(picture("soup")).toString("base64"));
});

test("a photo that lies on its side is sent upright", async ({ home, page }) => {
  await home.open();
  await smaller(page).check();
  const recorded = await record(home, await drawn(page, 2400, 1800, 6));
  expect(recorded).toMatchObject({ width: 1200, height: 1600, scaled_from: "1800x2400" });
});

test("the device looks at the photo as it was chosen", async ({ home, page }) => {
  await home.open();
  await deviceReady(page);
  await smaller(page).check();
  await page.evaluate(() => {
    const device = (globalThis as unknown as { gourmetgramDevice: { soon(file: File): Promise<string> } }).gourmetgramDevice;
    const { soon } = device;
    device.soon = (file) => {
      document.documentElement.dataset.looked = String(file.size);
      return soon.call(device, file);
    };
  });
  const photo = await drawn(page, 2400, 1800);
  expect((await record(home, photo)).scaled_from).toBe("2400x1800");
  await expect(page.locator("html")).toHaveAttribute("data-looked", String(photo.buffer.length));
});

test.describe("over a broken connection", () => {
  test.use({ expectedInConsole: /Failed to load resource|net::ERR_/ });

  test("what waits in the queue was made smaller when it was chosen, and is sent as that", async ({ home, page }) => {
    await home.open();
    await smaller(page).check();
    await page.route(PREDICTIONS, (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
    await home.choose(await drawn(page, 2400, 1800));
    await expect(page.getByText("next try in")).toBeVisible();
    await page.unroute(PREDICTIONS);
    // What is wanted of the next ones changes nothing about this one.
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    const recorded = async () => (await (await page.request.get("/api/v1/predictions?mine=true")).json()).items as Recorded[];
    await expect.poll(async () => (await recorded()).length).toBe(1);
    expect((await recorded())[0]).toMatchObject({ width: 1600, height: 1200, scaled_from: "2400x1800" });
  });
});
