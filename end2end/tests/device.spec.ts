// The classifier on the visitor's own device: its answer before the server's, what becomes of it, and a page that is none
// the worse without it.

import { readFileSync } from "node:fs";

import type { Page } from "@playwright/test";

import { expect, picture, problem, test } from "./page";

const PREDICTIONS = /\/api\/v1\/predictions$/;

interface Said {
  device: { predicted_class: string; confidence: number; model_version: string; decoded_by: string };
  probabilities: number[];
}

/** Waits until the worker can answer: it is loaded when the page has nothing better to do. */
async function ready(page: Page): Promise<void> {
  await page.locator("html[data-device=simd], html[data-device=plain]").waitFor({ state: "attached", timeout: 30_000 });
}

/** Keeps the server's answers back until the returned function is called. */
async function hold(page: Page): Promise<() => void> {
  let letGo = () => {};
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(PREDICTIONS, async (route) => {
    if (route.request().method() === "POST") await gone;
    await route.continue();
  });
  return letGo;
}

/** What the worker says of a photo, asked as the page asks it. */
const said = (page: Page, name: Parameters<typeof picture>[0]): Promise<Said> =>
  page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const device = (globalThis as unknown as { gourmetgramDevice: { classify(file: File): Promise<string> } }).gourmetgramDevice;
    return JSON.parse(await device.classify(new File([bytes], "photo.jpg")));
  }, readFileSync(picture(name)).toString("base64"));

test("the device's answer is there before the server's, marked as preliminary, and the record keeps both", async ({ home, page }) => {
  const letGo = await hold(page);
  await home.open();
  await ready(page);
  const sent = page.waitForRequest((request) => request.method() === "POST" && PREDICTIONS.test(request.url()));
  await home.choose(picture("soup"));
  const preliminary = page.locator(".plaque--preliminary");
  await expect(preliminary).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "Preliminary:" })).toContainText("says this device");
  await expect(home.answer).toBeHidden();
  const label = await preliminary.innerText();

  expect((await sent).postData()).toContain('name="device"');
  letGo();
  await expect(home.answer).toBeVisible();
  await expect(preliminary).toBeHidden();
  const id = new URL(page.url()).searchParams.get("photo");
  const record = await (await page.request.get(`/api/v1/predictions/${id}`)).json();
  expect(record.device).toMatchObject({ predicted_class: label, model_version: record.model_version, decoded_by: "classifier" });
  expect(record.device.confidence).toBeCloseTo(record.confidence, 2.7);
});

test("a device answers as the server does", async ({ home, page }) => {
  await home.open();
  await ready(page);
  for (const name of ["soup", "egg", "salad", "bread"] as const) {
    const device = await said(page, name);
    const answer = await page.request.post("/predict", { data: { image: readFileSync(picture(name)).toString("base64") } });
    const server = (await answer.json()) as { prediction: string; probability: number };
    expect(device.device.predicted_class, name).toBe(server.prediction);
    expect(Math.abs(device.device.confidence - server.probability), name).toBeLessThan(1e-3);
  }
});

test("where the two differ, the answer says so, also when the page is loaded again", async ({ home, page }) => {
  // A device with another model: what it said goes along as it is.
  await page.route(/\/device\.js$/, (route) =>
    route.fulfill({
      contentType: "text/javascript",
      body: `const said = async () => JSON.stringify({ device: { predicted_class: "Rice", confidence: 0.5, model_version: "elder-1" } });
             globalThis.gourmetgramDevice = { classify: said, soon: said };`,
    }),
  );
  await home.open();
  expect(await home.classify("soup")).not.toBe("Rice");
  const note = home.answer.getByText("Your device took it for");
  await expect(note).toContainText("Rice");
  await home.reload();
  await expect(note).toContainText("Rice");
});

test.describe("without it", () => {
  const worksAsEver = async (home: import("./page").HomePage, page: Page) => {
    await home.classify("soup");
    const id = new URL(page.url()).searchParams.get("photo");
    const record = await (await page.request.get(`/api/v1/predictions/${id}`)).json();
    expect(record.device).toBeUndefined();
    await expect(page.locator(".plaque--preliminary")).toBeHidden();
  };

  test("a blocked script leaves the page as it was", async ({ home, page }) => {
    await page.route(/\/device\.js$/, (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
    await home.open();
    await worksAsEver(home, page);
  });

  test.describe("and with noise in the console", () => {
    test.use({ expectedInConsole: /Failed to load resource|net::ERR_/ });

    test("a blocked worker leaves the page as it was", async ({ home, page }) => {
      await page.route(/\/worker\.js$/, (route) => route.abort());
      await home.open();
      await page.locator("html[data-device=off]").waitFor({ state: "attached" });
      await worksAsEver(home, page);
    });

    test("a module that does not load leaves the page as it was", async ({ home, context, page }) => {
      await context.route(/classifier_bg\.wasm$/, (route) => route.abort());
      await home.open();
      await page.locator("html[data-device=off]").waitFor({ state: "attached" });
      await worksAsEver(home, page);
    });

    test("a model that only the server can run leaves the page as it was", async ({ home, context, page }) => {
      await context.route(/\/models\/live\/device$/, (route) => route.fulfill(problem(404, "not-found", "not for devices")));
      await home.open();
      await page.locator("html[data-device=off]").waitFor({ state: "attached" });
      await worksAsEver(home, page);
    });
  });

  test("visitors who save data are spared it", async ({ home, context, page }) => {
    await page.addInitScript(() => {
      Object.defineProperty(navigator, "connection", { value: { saveData: true, effectiveType: "4g" } });
    });
    const fetched: string[] = [];
    context.on("request", (request) => fetched.push(request.url()));
    await home.open();
    await page.locator("html[data-device=off]").waitFor({ state: "attached" });
    await worksAsEver(home, page);
    expect(fetched.filter((url) => /models\/parts|classifier/.test(url))).toEqual([]);
  });
});

test("a photo that is none has no preliminary answer, and the worker goes on", async ({ home, page }) => {
  await home.open();
  await ready(page);
  const nothing = await page.evaluate(() => {
    const device = (globalThis as unknown as { gourmetgramDevice: { classify(file: File): Promise<string | null> } }).gourmetgramDevice;
    return device.classify(new File(["Two eggs"], "recipe.jpg"));
  });
  expect(nothing).toBeNull();
  expect((await said(page, "egg")).probabilities).toHaveLength(11);
});

test("module and model are kept for good, each by its own name", async ({ page }) => {
  await page.goto("/");
  const script = await page.locator("script[src$='/device.js']").getAttribute("src");
  const module = await page.request.get(script!.replace("device.js", "simd/classifier_bg.wasm"));
  expect(module.headers()["content-type"]).toBe("application/wasm");
  expect(module.headers()["cache-control"]).toContain("immutable");

  const live = await (await page.request.get("/api/v1/models/live/device")).json();
  for (const part of [live.manifest, live.backbone, live.head] as string[]) {
    const answer = await page.request.get(part, { headers: { "Accept-Encoding": "br" } });
    expect(answer.headers()["cache-control"], part).toContain("immutable");
    expect(answer.headers()["content-encoding"], part).toBe("br");
  }
  const unknown = await page.request.get(`/api/v1/models/parts/${"0".repeat(64)}`);
  expect(unknown.status()).toBe(404);
  expect((await unknown.json()).detail).toContain("no such part");
});
