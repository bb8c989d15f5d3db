// The classifier on the visitor's own device: its answer before the server's, what becomes of it, and a page that is none
// the worse without it.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { chromium as browsers, type BrowserContext, type Page } from "@playwright/test";

import { baseURL, chromiumShell } from "../server";
import { deviceReady as ready, deviceSays, expect, HomePage, picture, problem, test } from "./page";

const PREDICTIONS = /\/api\/v1\/predictions$/;

interface Said {
  device: { predicted_class: string; confidence: number; model_version: string; decoded_by: string };
  probabilities: number[];
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

/** What the worker says of a photo's file, asked as the page asks it. */
const said = (page: Page, path: string): Promise<Said> =>
  page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const device = (globalThis as unknown as { gourmetgramDevice: { classify(file: File): Promise<string> } }).gourmetgramDevice;
    return JSON.parse(await device.classify(new File([bytes], "photo.jpg")));
  }, readFileSync(path).toString("base64"));

/** How far the device's probabilities for a photo are from the server's, at most. Both name the same class. */
async function disagreement(page: Page, path: string): Promise<number> {
  const device = await said(page, path);
  const sent = await page.request.post("/api/v1/predictions", {
    headers: { Origin: new URL(baseURL).origin },
    multipart: { image: { name: "photo.jpg", mimeType: "image/jpeg", buffer: readFileSync(path) } },
  });
  const answer = (await sent.json()) as { predicted_class: string; probabilities: { label: string; probability: number }[] };
  const { classes } = (await (await page.request.get("/api/v1/models/live")).json()) as { classes: string[] };
  const server = new Map(answer.probabilities.map(({ label, probability }) => [label, probability]));
  expect(server.size, path).toBe(device.probabilities.length);
  expect(device.device.predicted_class, path).toBe(answer.predicted_class);
  return Math.max(...device.probabilities.map((probability, index) => Math.abs(probability - server.get(classes[index]!)!)));
}

const ofRealPhotos = join(process.env.GOURMETGRAM_SHARED ?? join(import.meta.dirname, "../../../shared"), "images");

/** Photos that cameras took; none where there is no such folder. */
const realPhotos = (): string[] =>
  existsSync(ofRealPhotos)
    ? readdirSync(ofRealPhotos, { recursive: true })
        .map((name) => join(ofRealPhotos, String(name)))
        .filter((name) => /\.jpe?g$/.test(name))
    : [];

/** The module's JavaScript with something after it, as the worker loads it. */
async function withModule(context: BrowserContext, appended: string): Promise<void> {
  await context.route(/\/(simd|plain)\/classifier\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${await response.text()}\n${appended}` });
  });
}

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
    expect(await disagreement(page, picture(name)), name).toBeLessThan(1e-3);
  }
});

test("a device answers as the server does on real photos", async ({ home, page }) => {
  const files = realPhotos();
  test.skip(files.length === 0, `there are no photos in ${ofRealPhotos}`);
  await home.open();
  await ready(page);
  let largest = 0;
  for (const name of files) {
    const difference = await disagreement(page, name);
    expect.soft(difference, name).toBeLessThan(1e-3);
    largest = Math.max(largest, difference);
  }
  test.info().annotations.push({ type: "agreement", description: `${files.length} photos, largest difference ${largest.toExponential(1)}` });
});

test("a browser without vector instructions gets the module without them, and the server's answers", async () => {
  // What V8 takes for a processor that has none.
  const browser = await browsers.launch({ ...chromiumShell, args: [...chromiumShell.args, "--js-flags=--no-enable-sse4-1"] });
  try {
    const context = await browser.newContext({ baseURL, serviceWorkers: "block" });
    const asked: string[] = [];
    context.on("request", (request) => asked.push(request.url()));
    const there = new HomePage(await context.newPage());
    await there.open();
    const hasVectors = await there.page.evaluate(() =>
      WebAssembly.validate(
        new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]),
      ),
    );
    test.skip(hasVectors, "this processor's vectors cannot be taken away");
    await there.page.locator("html[data-device=plain]").waitFor({ state: "attached", timeout: 30_000 });
    expect(asked.filter((url) => /\/plain\/classifier_bg\.wasm$/.test(url))).toHaveLength(1);
    expect(asked.filter((url) => /\/simd\//.test(url))).toEqual([]);
    for (const name of [...(["soup", "egg", "salad", "bread"] as const).map(picture), ...realPhotos()]) {
      expect.soft(await disagreement(there.page, name), name).toBeLessThan(1e-3);
    }
    await there.classify("salad");
  } finally {
    await browser.close();
  }
});

test("where the two differ, the answer says so, also when the page is loaded again", async ({ home, page }) => {
  await deviceSays(page, "Rice");
  await home.open();
  expect(await home.classify("soup")).not.toBe("Rice");
  const note = home.answer.getByText("Your device took it for");
  await expect(note).toContainText("Rice");
  await home.reload();
  await expect(note).toContainText("Rice");
});

test("a label that was seen before the answer, and not known when the photo left, follows it into the record", async ({ home, page }) => {
  await deviceSays(page, "Rice", false);
  const letGo = await hold(page);
  await home.open();
  const sent = page.waitForRequest((request) => request.method() === "POST" && PREDICTIONS.test(request.url()));
  await home.choose(picture("soup"));
  await expect(page.locator(".plaque--preliminary")).toHaveText("Rice");
  expect((await sent).postData() ?? "").not.toContain('name="device"');
  const noted = page.waitForResponse((answer) => answer.request().method() === "PUT" && /\/device$/.test(answer.url()));
  letGo();
  const note = home.answer.getByText("Your device took it for");
  await expect(note).toContainText("Rice");
  expect((await noted).status()).toBe(200);
  await home.reload();
  await expect(note).toContainText("Rice");
  const id = new URL(page.url()).searchParams.get("photo");
  const record = await (await page.request.get(`/api/v1/predictions/${id}`)).json();
  expect(record.device).toMatchObject({ predicted_class: "Rice", model_version: "elder-1" });
  expect(record.device_comparison).toBe("other_version_disagrees");
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

  test("a browser that has no workers leaves the page as it was", async ({ home, page }) => {
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, "Worker"));
    await home.open();
    await page.locator("html[data-device=off]").waitFor({ state: "attached" });
    await worksAsEver(home, page);
  });

  test("a device that has no memory for it leaves the page as it was", async ({ home, context, page }) => {
    // What browsers say then.
    await withModule(
      context,
      `WebAssembly.instantiate = WebAssembly.instantiateStreaming = async () => {
         throw new RangeError("WebAssembly.Memory(): could not allocate memory");
       };`,
    );
    await home.open();
    await page.locator("html[data-device=off]").waitFor({ state: "attached" });
    await worksAsEver(home, page);
  });

  test("a device whose memory ends in the middle of a photo leaves the page as it was", async ({ home, context, page }) => {
    await withModule(
      context,
      `const asked = Classifier.prototype.classify;
       Classifier.prototype.classify = function (photo) {
         for (let pages = 65536; pages >= 1; pages /= 2) {
           try { for (;;) wasm.memory.grow(pages); } catch {}
         }
         const larger = new Uint8Array(64 << 20);
         larger.set(photo);
         return asked.call(this, larger);
       };`,
    );
    await home.open();
    await ready(page);
    await worksAsEver(home, page);
    await expect(page.locator("html")).toHaveAttribute("data-device", "off");
    // And the next photo.
    await home.choose(picture("egg"));
    await expect(home.tiles).toHaveCount(2);
  });

  test("a module that breaks in the middle of a photo leaves the page as it was", async ({ home, context, page }) => {
    // A module whose one function is "unreachable", as a panic is.
    await withModule(
      context,
      `const broken = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 116, 0, 0, 10, 5, 1, 3, 0, 0, 11]);
       Classifier.prototype.classify = () => new WebAssembly.Instance(new WebAssembly.Module(broken)).exports.t();`,
    );
    await home.open();
    await ready(page);
    await worksAsEver(home, page);
    await expect(page.locator("html")).toHaveAttribute("data-device", "off");
    // And the next photo.
    await home.choose(picture("egg"));
    await expect(home.tiles).toHaveCount(2);
  });

  test.describe("and without WebAssembly", () => {
    test.use({ expectedInConsole: /WebAssembly is not defined/ });

    test("photos go by the page's plain form, and each page complains once at most", async ({ home, page }) => {
      await page.addInitScript(() => Reflect.deleteProperty(globalThis, "WebAssembly"));
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
      await page.goto("/");
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("What’s on your plate?");
      await home.choose(picture("bread"));
      await page.getByRole("button", { name: "Send", exact: true }).last().click();
      await expect(home.answer).toBeVisible();
      await home.reason("Wrong label").click();
      await expect(home.flags).toContainText("Flagged: wrong label");
      // The page, the answer, the answer with its flag.
      expect(complaints.length, complaints.join("\n")).toBeLessThanOrEqual(3);
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
  expect((await said(page, picture("egg"))).probabilities).toHaveLength(11);
});

test("nothing of it is asked for before the page has come alive", async ({ home, page, context }) => {
  let letGo = () => {};
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(/\/home_bg\.wasm$/, async (route) => {
    await gone;
    await route.continue();
  });
  const asked: string[] = [];
  context.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto("/", { waitUntil: "load" });
  // When this comes, the browser has had nothing better to do.
  await page.evaluate(() => new Promise((done) => requestIdleCallback(done, { timeout: 5_000 })));
  letGo();
  await home.alive();
  await ready(page);
  const ofIt = /\/worker\.js$|\/classifier(\.js|_bg\.wasm)$|\/api\/v1\/models\//;
  expect(asked.filter((path) => ofIt.test(path)).length).toBeGreaterThanOrEqual(6);
  const [page_, worker] = await page.evaluate(() => {
    const of = (name: string) => performance.getEntriesByType("resource").find((entry) => entry.name.endsWith(name)) as PerformanceResourceTiming;
    return [of("/home_bg.wasm").responseEnd, of("/worker.js").startTime];
  });
  expect(worker, "the worker starts once the page's own module is there").toBeGreaterThan(page_!);
});

test("the page's own modules hold nothing of the classifier", async ({ page }) => {
  await page.goto("/");
  const folder = (await page.locator("link[rel=stylesheet]").first().getAttribute("href"))!.replace(/[^/]+$/, "");
  const device = (await page.locator("script[src$='/device.js']").getAttribute("src"))!.replace(/[^/]+$/, "");
  /** What only the classifier speaks of: the head of a model, and a decoder. */
  const words = ["head.safetensors", "jpeg-decoder"];
  const found = async (path: string) => {
    const answer = await page.request.get(path);
    expect(answer.status(), path).toBe(200);
    const text = (await answer.body()).toString("latin1");
    return words.filter((word) => text.includes(word));
  };
  expect(await found(`${device}simd/classifier_bg.wasm`)).toEqual(words);
  for (const bundle of ["home", "photos", "review"]) expect(await found(`${folder}${bundle}_bg.wasm`), bundle).toEqual([]);
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
