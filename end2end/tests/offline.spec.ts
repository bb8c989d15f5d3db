// The kitchen without reception: the page opens, the device answers, and what is sent, said and erased there arrives at the
// server once, whatever dies in between.

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium as browsers, devices, type BrowserContext, type Page } from "@playwright/test";

import { becomeSomebodyNew } from "../roles";
import { baseURL, chromium } from "../server";
import {
  axe,
  closePage,
  deviceKept,
  EXPECTED,
  fillDevice,
  goOffline,
  goOnline,
  history,
  leaveInQueue,
  LIVE,
  numberKept,
  numberRecorded,
  ONE,
  PREDICTIONS,
  queue,
  recorded,
  test,
  visit,
  waiting,
} from "./kitchen";
import { deviceReady, drawn, expect, HomePage, picture } from "./page";
import type { Reception } from "./reception";

test.use({ expectedInConsole: EXPECTED });

test("the page opens without reception, and says what it can do then", async ({ home, page, reception }) => {
  await visit(home, reception);
  await goOffline(page, reception);
  await home.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What’s on your plate?");
  await expect(queue(page)).toContainText("No reception");
  await expect(page.getByText("Nothing here yet.")).toBeHidden();
  expect(await axe(page)).toEqual([]);
  // One of one's photos is not on this device, and its address leads to the page that is.
  await page.goto(`${reception.url}/?photo=01890a5d-ac96-774b-bcce-b302099a8057`);
  await home.alive();
  await expect(page).toHaveURL(`${reception.url}/`);

  await goOnline(page, reception);
  await queue(page).getByRole("link", { name: "Show my photos" }).click();
  await home.alive();
  await expect(queue(page)).toBeHidden();
});

test("a server that is away behind its proxy is no reception either", async ({ home, page, reception }) => {
  await visit(home, reception);
  reception.instead = ({ path }) => (path === "/" ? { status: 502, body: "<h1>Bad gateway</h1>" } : undefined);
  await home.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What’s on your plate?");
});

test("the device answers without reception", async ({ home, page, reception }) => {
  await visit(home, reception);
  await deviceKept(page);
  await goOffline(page, reception);
  await home.reload();
  await deviceReady(page);
  await home.choose(picture("soup"));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("You are offline");
  await expect(page.locator(".plaque--preliminary")).toBeVisible();
  await expect(page.getByText("Your photo is kept on this device")).toBeVisible();
  await goOnline(page, reception);
  await expect(home.answer).toBeVisible();
  const [photo] = await recorded(page);
  expect(photo!.device).toMatchObject({ predicted_class: photo!.predicted_class });
  expect(await numberKept(page)()).toBe(0);
});

test("what the list says that this device took a photo for is in the record of one that had left without it", async ({ home, page, reception }) => {
  await visit(home, reception);
  // A device that thinks until it is told that it knows.
  await page.addInitScript(() => {
    const said = JSON.stringify({ device: { predicted_class: "Rice", confidence: 0.5, model_version: "elder-1" } });
    const known = new Promise<string>((answer) => addEventListener("device-knows", () => answer(said)));
    const device = { classify: () => known, soon: async () => null };
    Object.defineProperty(globalThis, "gourmetgramDevice", { get: () => device, set: () => {} });
  });
  await home.reload();
  await leaveInQueue(page, home, reception, ["soup"]);
  let isFirst = true;
  reception.instead = ({ method }) => {
    const isHeld = method === "POST" && isFirst;
    isFirst &&= !isHeld;
    return isHeld ? "held" : undefined;
  };
  await goOnline(page, reception);
  await expect.poll(numberRecorded(page)).toBe(1);
  await page.evaluate(() => dispatchEvent(new Event("device-knows")));
  await expect(waiting(page)).toContainText("Rice, 50%, says this device");
  await home.reload();
  await expect.poll(numberKept(page)).toBe(0);
  expect(reception.count("POST", PREDICTIONS)).toBe(2);
  expect((await recorded(page))[0]!.device).toMatchObject({ predicted_class: "Rice" });
  expect(await numberRecorded(page)()).toBe(1);
});

test("behind a proxy whose server is away the device answers too", async ({ home, page, reception }) => {
  await visit(home, reception);
  await deviceKept(page);
  const badGateway = { status: 502, headers: { "Content-Type": "text/html" }, body: "<h1>Bad gateway</h1>" };
  reception.instead = () => badGateway;
  await home.reload();
  await deviceReady(page);
  await home.choose(picture("soup"));
  await expect(page.locator(".plaque--preliminary")).toBeVisible();
  reception.instead = () => undefined;
  await expect(home.answer).toBeVisible({ timeout: 30_000 });
  await expect.poll(numberRecorded(page)).toBe(1);
});

test("which model is live is not waited for longer than for the page", async ({ home, page, reception }) => {
  await visit(home, reception);
  await deviceKept(page);
  reception.instead = ({ path }) => (path === LIVE ? "held" : undefined);
  await home.reload();
  await deviceReady(page);
  await home.choose(picture("soup"));
  await expect(home.answer).toBeVisible();
  const [photo] = await recorded(page);
  expect(photo!.device).toMatchObject({ predicted_class: photo!.predicted_class });
});

test("on 2G the classifier that the device has kept is used, and nothing of one is fetched", async ({ home, page, reception }) => {
  await visit(home, reception);
  await deviceKept(page);
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "connection", { value: { saveData: false, effectiveType: "2g" } });
  });
  const before = reception.asked.length;
  await home.reload();
  await deviceReady(page);
  await home.choose(picture("soup"));
  await expect(home.answer).toBeVisible();
  const [photo] = await recorded(page);
  expect(photo!.device).toMatchObject({ predicted_class: photo!.predicted_class });
  const asked = reception.asked.slice(before).map(({ path }) => path);
  expect(asked.filter((path) => /\/models\/(live\/device|parts)|\/pkg\/device-/.test(path))).toEqual([]);

  // Of which a part is gone, it would have to be fetched.
  await page.evaluate(async () => {
    const cache = await caches.open("gourmetgram-device");
    const { backbone } = await (await cache.match("/api/v1/models/live/device"))!.json();
    await cache.delete(backbone);
  });
  await home.reload();
  await page.locator("html[data-device=off]").waitFor({ state: "attached" });
});

test("of a model whose head was trained anew the head is fetched, and its manifest", async ({ home, page, reception }) => {
  await visit(home, reception);
  await deviceKept(page);
  const live: { manifest: string; backbone: string; head: string } = await (await page.request.get(`${baseURL}${LIVE}`)).json();
  const part = async (path: string) => (await page.request.get(`${baseURL}${path}`)).body();
  const name = (content: Buffer) => createHash("sha256").update(content).digest("hex");
  const address = (content: Buffer) => `/api/v1/models/parts/${name(content)}`;
  const head = Buffer.from(await part(live.head));
  // The last bits of the last weight.
  const weight = head.length - 4;
  head.writeUInt8(head.readUInt8(weight) ^ 1, weight);
  const text = (await part(live.manifest)).toString();
  const manifest = Buffer.from(text.replace(live.head.split("/").at(-1)!, name(head)));
  expect(manifest.toString()).not.toBe(text);
  const newer = { ...live, manifest: address(manifest), head: address(head) };
  const parts = new Map([[newer.manifest, manifest], [newer.head, head]]);
  const asked = new Set<string>();
  reception.instead = ({ path }) => {
    if (path === LIVE) {
      const headers = { "Content-Type": "application/json", "Cache-Control": "no-cache" };
      return { status: 200, headers, body: JSON.stringify(newer) };
    }
    if (path.startsWith("/api/v1/models/parts/")) asked.add(path);
    const headers = { "Content-Type": "application/octet-stream", "Cache-Control": "public, max-age=31536000, immutable" };
    const body = parts.get(path);
    return body && { status: 200, headers, body };
  };
  await home.reload();
  await deviceReady(page);
  // What is kept is the new model, and nothing of the old one that is not the new one's too.
  const kept = () =>
    page.evaluate(async () => {
      const paths = (await (await caches.open("gourmetgram-device")).keys()).map(({ url }) => new URL(url).pathname);
      return paths.filter((path) => path.startsWith("/api/v1/models/parts/")).sort();
    });
  await expect.poll(kept).toEqual([newer.manifest, newer.backbone, newer.head].sort());
  expect([...asked].sort(), "and no backbone").toEqual([newer.manifest, newer.head].sort());
  await home.choose(picture("soup"));
  await expect(home.answer).toBeVisible();
  expect((await recorded(page))[0]!.device).toMatchObject({ decoded_by: "classifier" });
});

test("what waits survives the page, is seen, can be taken out, and arrives by itself", async ({ home, page, reception }) => {
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["soup", "egg", "salad"]);
  await expect(queue(page).getByRole("heading")).toHaveText("3 photos wait for reception");
  await expect(waiting(page).first()).toContainText("Waits for reception");
  expect(await axe(page)).toEqual([]);
  await page.setViewportSize({ width: 320, height: 640 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  for (const button of await queue(page).getByRole("button").all()) {
    if (await button.isVisible()) expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  }
  await waiting(page).last().getByRole("button", { name: /^Remove/ }).click();
  await expect(queue(page).getByRole("heading")).toHaveText("2 photos wait for reception");
  await expect(queue(page).getByRole("heading")).toBeFocused();

  await goOnline(page, reception);
  await expect(waiting(page)).toHaveCount(0);
  await expect(home.tiles).toHaveCount(2);
  await expect.poll(numberRecorded(page)).toBe(2);
  expect(reception.count("POST", PREDICTIONS)).toBe(2);
});

test("the server's word is kept to: later after 503 and 429, once all the same", async ({ home, page, reception }) => {
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["bread", "egg"]);
  const answers = [503, 429];
  let refused = 0;
  let seconds = "3600";
  reception.instead = ({ method }) => {
    if (method !== "POST") return undefined;
    const status = answers[refused];
    if (!status) return undefined;
    refused += 1;
    return { status, headers: { "Retry-After": seconds, "Content-Type": "application/problem+json" }, body: "{}" };
  };
  await goOnline(page, reception);
  await expect(waiting(page).first()).toContainText("The server is busy: next try at");
  await expect(queue(page).getByRole("heading")).toHaveText("2 photos wait for the server");
  expect(await axe(page)).toEqual([]);
  // An hour is an hour, for a page that is opened anew too.
  await home.reload();
  await expect(waiting(page).first()).toContainText("The server is busy: next try at");
  expect(refused).toBe(1);

  // Whoever asks for it is let try at once; a second's wait passes by itself.
  seconds = "1";
  await queue(page).getByRole("button", { name: "Try now" }).click();
  await expect(waiting(page)).toHaveCount(0);
  expect(refused).toBe(2);
  await expect.poll(numberRecorded(page)).toBe(2);
});

test("the server's word is kept to for what is said and erased too: later after 503 and 429, once all the same", async ({ home, page, reception }) => {
  await visit(home, reception);
  await home.classify("egg");
  const id = new URL(page.url()).searchParams.get("photo")!;
  await goOffline(page, reception);
  await home.reason("Not food").click();
  await expect(waiting(page)).toHaveCount(1);
  await home.answer.getByText("Erase", { exact: false }).first().click();
  await home.answer.getByRole("button", { name: "Erase for good" }).click();
  await expect(queue(page).getByRole("heading")).toHaveText("2 changes wait for reception");
  const busy = new Map([["PUT", 503], ["DELETE", 429]]);
  let seconds = "3600";
  reception.instead = ({ method, path }) => {
    const status = method === "DELETE" || path.endsWith("/flag") ? busy.get(method) : undefined;
    if (!status) return undefined;
    busy.delete(method);
    return { status, headers: { "Retry-After": seconds, "Content-Type": "application/problem+json" }, body: "{}" };
  };
  await goOnline(page, reception);
  await expect(waiting(page).first()).toContainText("The server is busy: next try at");
  await expect(queue(page).getByRole("heading")).toHaveText("2 changes wait for the server");
  await home.reload();
  await expect(waiting(page).first()).toContainText("The server is busy: next try at");
  expect([...busy.keys()], "an hour is an hour").toEqual(["DELETE"]);

  seconds = "5";
  await queue(page).getByRole("button", { name: "Try now" }).click();
  await expect(waiting(page)).toHaveCount(1);
  await expect(waiting(page)).toContainText("That was a lot at once: next try at");
  expect(await history(page, id), "not before its turn").toEqual(["flagged not_food"]);
  await expect(waiting(page)).toHaveCount(0, { timeout: 20_000 });
  expect(await history(page, id)).toBe(404);
  expect([reception.count("PUT", /\/flag$/), reception.count("DELETE", ONE)]).toEqual([1, 1]);
});

test("what the server refuses for good stays, says why, and keeps nothing else from being sent", async ({ home, page, reception }) => {
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["bread", "egg"]);
  let isFirst = true;
  reception.instead = ({ method }) => {
    if (method !== "POST" || !isFirst) return undefined;
    isFirst = false;
    const problem = { type: "too-many-pixels", title: "Too many pixels", detail: "At most 50 megapixels are read.", status: 422 };
    return { status: 422, headers: { "Content-Type": "application/problem+json" }, body: JSON.stringify(problem) };
  };
  await goOnline(page, reception);
  await expect(queue(page).getByRole("heading")).toHaveText("1 photo could not be sent");
  await expect(waiting(page)).toContainText("Too many pixels. At most 50 megapixels are read.");
  await expect.poll(numberRecorded(page)).toBe(1);
  expect(await axe(page)).toEqual([]);
  await waiting(page).getByRole("button", { name: /^Try again/ }).click();
  await expect(waiting(page)).toHaveCount(0);
  await expect.poll(numberRecorded(page)).toBe(2);
});

test("an answer that is none of the server's takes nothing out of the queue", async ({ home, page, reception }) => {
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["bread"]);
  // The page with which a café's network asks for consent.
  reception.instead = ({ method }) =>
    method === "POST" ? { status: 200, headers: { "Content-Type": "text/html" }, body: "<h1>Welcome to our café</h1>" } : undefined;
  await goOnline(page, reception);
  await expect(waiting(page)).toContainText("The server did not answer as it should");
  expect(await numberKept(page)()).toBe(1);
  reception.instead = () => undefined;
  await expect(waiting(page)).toHaveCount(0, { timeout: 30_000 });
  await expect.poll(numberRecorded(page)).toBe(1);
});

test("flags, corrections and erasures go in the order in which they were made, each once", async ({ home, page, reception }) => {
  await visit(home, reception);
  await home.classify("egg");
  const id = new URL(page.url()).searchParams.get("photo")!;
  await goOffline(page, reception);
  await home.reason("Not food").click();
  await expect(home.confirmation).toContainText("Noted on this device.");
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "true");
  await home.reason("Bad photo").click();
  await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "true");
  const label = await home.choice(0).getAttribute("value");
  await home.choice(0).click();
  await expect(queue(page).getByRole("heading")).toHaveText("3 changes wait for reception");
  await home.reason("Bad photo").click();
  await expect(waiting(page)).toHaveCount(4);
  await expect(waiting(page).nth(1)).toContainText("Flag: bad photo");

  // The answer to the first gets lost: it is sent again.
  let isFirst = true;
  reception.instead = ({ method, path }) => {
    const isLost = method === "PUT" && path.endsWith("/flag") && isFirst;
    isFirst &&= !isLost;
    return isLost ? "lost" : undefined;
  };
  await goOnline(page, reception);
  await expect(waiting(page)).toHaveCount(0);
  expect(await history(page, id)).toEqual(["flagged not_food", "flagged bad_photo", `corrected ${label}`, "unflagged"]);
  expect(reception.count("PUT", /\/flag$/), "two flags, one of them twice").toBe(3);

  await goOffline(page, reception);
  await home.reason("Not food").click();
  await expect(waiting(page)).toHaveCount(1);
  await home.answer.getByText("Erase", { exact: false }).first().click();
  await home.answer.getByRole("button", { name: "Erase for good" }).click();
  await expect(home.confirmation).toContainText("erased once there is reception");
  await expect(home.tiles).toHaveCount(0);
  await expect(queue(page).getByRole("heading")).toHaveText("2 changes wait for reception");
  await goOnline(page, reception);
  // It is nobody's any more.
  await expect.poll(() => history(page, id)).toBe(404);
  await expect(waiting(page)).toHaveCount(0);
});

test("an erasure whose answer gets lost is asked for again, and nothing is said to be wrong", async ({ home, page, reception }) => {
  await visit(home, reception);
  for (const isOffline of [false, true]) {
    await home.classify("egg");
    const before = reception.count("DELETE", ONE);
    let isFirst = true;
    reception.instead = ({ method }) => {
      const isLost = method === "DELETE" && isFirst;
      isFirst &&= !isLost;
      return isLost ? "lost" : undefined;
    };
    if (isOffline) await goOffline(page, reception);
    await home.answer.getByText("Erase", { exact: false }).first().click();
    await home.answer.getByRole("button", { name: "Erase for good" }).click();
    await expect(home.tiles).toHaveCount(0);
    if (isOffline) await goOnline(page, reception);
    await expect.poll(() => reception.count("DELETE", ONE) - before).toBe(2);
    await expect.poll(numberKept(page)).toBe(0);
    await expect(queue(page)).toBeHidden();
    expect(await numberRecorded(page)()).toBe(0);
  }
});

test("a cookie that is gone takes no photo with it, and what belongs to it is said", async ({ home, page, reception }) => {
  await visit(home, reception);
  await home.classify("egg");
  await goOffline(page, reception);
  await home.reason("Not food").click();
  await expect(waiting(page)).toHaveCount(1);
  await home.choose(picture("soup"));
  await expect.poll(numberKept(page)).toBe(2);
  await page.reload();
  await home.alive();
  await expect(queue(page).getByRole("heading")).toHaveText("1 photo and 1 change wait for reception");
  await page.context().clearCookies();
  await goOnline(page, reception);
  await expect(queue(page).getByRole("heading")).toHaveText("1 change could not be sent");
  await expect(waiting(page)).toContainText("This photo belongs to a cookie that is gone");
  await expect.poll(numberRecorded(page)).toBe(1);
});

test("a device without room says so, and the page goes on from memory", async ({ home, page, reception }) => {
  await visit(home, reception);
  await fillDevice(page, reception);
  await goOffline(page, reception);
  await home.choose(picture("soup"));
  await expect(page.getByText("This device has no room to keep it: leave this page open.")).toBeVisible();
  await goOnline(page, reception);
  await expect(home.answer).toBeVisible();
  await expect.poll(numberRecorded(page)).toBe(1);
});

test("what waits already is kept on a device that has no more room, and is sent from there", async ({ home, page, reception }) => {
  test.slow();
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["soup", "egg"]);
  await fillDevice(page, reception);
  await home.choose(picture("bread"));
  await expect(page.getByText("This device has no room to keep it: leave this page open.")).toBeVisible();
  expect(await numberKept(page)()).toBe(2);
  await page.reload();
  await home.alive();
  await expect(waiting(page)).toHaveCount(2);
  await goOnline(page, reception);
  await expect(waiting(page)).toHaveCount(0);
  await expect.poll(numberRecorded(page)).toBe(2);
  expect(reception.count("POST", PREDICTIONS)).toBe(2);
});

test("a device without room says that a flag, a correction, an erasure is not kept, and each can be tried again", async ({ home, page, reception }) => {
  await visit(home, reception);
  await fillDevice(page, reception);
  await home.classify("egg");
  await goOffline(page, reception);
  for (const act of [home.reason("Not food"), home.choice(0)]) {
    await act.click();
    await expect(home.trouble).toContainText("No connection");
    await expect(act).toHaveAttribute("aria-pressed", "false");
    await expect(home.answer).not.toHaveAttribute("aria-busy", "true");
  }
  await home.answer.getByText("Erase", { exact: false }).first().click();
  await home.answer.getByRole("button", { name: "Erase for good" }).click();
  await expect(home.answer.locator(".erase").getByRole("alert")).toContainText("No connection");
  await expect(home.tiles, "it is still there").toHaveCount(1);
  expect(await numberKept(page)()).toBe(0);

  await goOnline(page, reception);
  await home.answer.locator(".erase").getByRole("button", { name: "Try again" }).click();
  await expect(home.tiles).toHaveCount(0);
  expect(await numberRecorded(page)()).toBe(0);
  expect(reception.count("PUT", /\/(flag|correction)$/), "what was not kept is not sent either").toBe(0);
});

test("a session that ends while photos wait takes none of them with it", async ({ home, page, context, reception }) => {
  await becomeSomebodyNew("operator", context);
  await visit(home, reception);
  await expect(page.locator(".account__name")).toBeVisible();
  await leaveInQueue(page, home, reception, ["soup", "egg"]);
  // Signed out elsewhere: this browser still has its cookie, and the server knows it no more.
  const session = (await context.cookies(baseURL)).find(({ name }) => name === "gourmetgram_session")!;
  const ended = await fetch(`${baseURL}/logout`, {
    method: "POST",
    headers: { Origin: baseURL, Cookie: `${session.name}=${session.value}` },
    redirect: "manual",
  });
  expect(ended.status).toBe(303);
  await goOnline(page, reception);
  await expect(waiting(page)).toHaveCount(0);
  expect(reception.count("POST", PREDICTIONS)).toBe(2);
  await expect.poll(numberRecorded(page)).toBe(2);
  await home.reload();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await expect(home.tiles, "they are this browser's").toHaveCount(2);
});

test("of two open pages one sends what waits, each photo once, and both show it", async ({ home, page, context, reception }) => {
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["soup", "egg", "salad"]);
  const other = new HomePage(await context.newPage());
  await other.open(`${reception.url}/`);
  await expect(waiting(other.page)).toHaveCount(3);
  await goOnline(page, reception);
  for (const one of [home, other]) {
    await expect(waiting(one.page)).toHaveCount(0);
    await expect(one.tiles).toHaveCount(3);
  }
  expect(await numberRecorded(page)()).toBe(3);
  expect(reception.count("POST", PREDICTIONS)).toBe(3);
});

test("the browser sends what waits after the page was closed", async ({ home, page, context, reception }) => {
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["soup", "bread"]);
  const other = await closePage(page, context, reception);
  await goOnline(other.page, reception);
  await other.wake();
  await expect.poll(numberRecorded(other.page)).toBe(2);
  expect(reception.count("POST", PREDICTIONS)).toBe(2);
});

test.describe("a browser that is killed", () => {
  let folder: string;
  test.beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "gourmetgram-browser-"))));
  test.afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  const launch = (): Promise<BrowserContext> =>
    browsers.launchPersistentContext(folder, { ...chromium, ...devices["Pixel 7"], locale: "en-GB", serviceWorkers: "allow" });

  /** As by a phone that needs the memory: without a word. */
  async function kill(context: BrowserContext): Promise<void> {
    const gone = new Promise((done) => context.once("close", done));
    process.kill(Number(readlinkSync(join(folder, "SingletonLock")).split("-").at(-1)), "SIGKILL");
    await gone;
  }

  test("without reception finds its photos again", async ({ reception }) => {
    const before = await launch();
    const page = before.pages()[0]!;
    const home = new HomePage(page);
    await visit(home, reception);
    await goOffline(page, reception);
    await home.choose([picture("soup"), picture("egg")]);
    await expect.poll(numberKept(page)).toBe(2);
    await kill(before);

    const after = await launch();
    const again = after.pages()[0]!;
    await after.setOffline(true);
    await again.goto(`${reception.url}/`);
    await expect(queue(again).getByRole("heading")).toHaveText("2 photos wait for reception");
    await goOnline(again, reception);
    await expect(waiting(again)).toHaveCount(0);
    await expect.poll(numberRecorded(again)).toBe(2);
    expect(reception.count("POST", PREDICTIONS)).toBe(2);
    await after.close();
  });

  test("without reception finds again what was said and erased, and sends each once", async ({ reception }) => {
    // Its cookie is on the disk once it was closed.
    const first = await launch();
    const there = new HomePage(first.pages()[0]!);
    await visit(there, reception);
    const ids: string[] = [];
    for (const name of ["soup", "egg"] as const) {
      await there.open(`${reception.url}/`);
      await there.classify(name);
      ids.push(new URL(there.page.url()).searchParams.get("photo")!);
    }
    await first.close();
    const [erased, judged] = ids as [string, string];

    const before = await launch();
    const page = before.pages()[0]!;
    const home = new HomePage(page);
    await home.open(`${reception.url}/?photo=${judged}`);
    await goOffline(page, reception);
    await home.reason("Not food").click();
    await expect(waiting(page)).toHaveCount(1);
    const label = await home.choice(0).getAttribute("value");
    await home.choice(0).click();
    await expect(waiting(page)).toHaveCount(2);
    // The older of the two.
    await home.tiles.nth(1).locator("summary").click();
    await home.tiles.nth(1).getByRole("button", { name: "Erase for good" }).click();
    await expect(waiting(page)).toHaveCount(3);
    expect(await numberKept(page)()).toBe(3);
    await kill(before);

    const after = await launch();
    const again = after.pages()[0]!;
    await after.setOffline(true);
    await again.goto(`${reception.url}/`);
    await expect(queue(again).getByRole("heading")).toHaveText("3 changes wait for reception");
    await goOnline(again, reception);
    await expect(waiting(again)).toHaveCount(0);
    expect(await history(again, judged)).toEqual(["flagged not_food", `corrected ${label}`]);
    expect(await history(again, erased)).toBe(404);
    expect([reception.count("PUT", /\/(flag|correction)$/), reception.count("DELETE", ONE)]).toEqual([2, 1]);
    await after.close();
  });

  test("between sending and the answer sends again what is recorded once", async ({ reception }) => {
    // Somebody who comes back: a browser that is killed within its first half minute has forgotten its cookies as well.
    const first = await launch();
    await visit(new HomePage(first.pages()[0]!), reception);
    await first.close();
    const before = await launch();
    const page = before.pages()[0]!;
    const home = new HomePage(page);
    await visit(home, reception);
    reception.instead = ({ method }) => (method === "POST" ? "held" : undefined);
    await home.choose(picture("salad"));
    await expect.poll(numberRecorded(page)).toBe(1);
    await kill(before);

    reception.instead = () => undefined;
    const after = await launch();
    const again = after.pages()[0]!;
    await new HomePage(again).open(`${reception.url}/`);
    await expect.poll(() => reception.count("POST", PREDICTIONS)).toBe(2);
    await expect.poll(numberKept(again)).toBe(0);
    expect(await numberRecorded(again)()).toBe(1);
    const keys = reception.asked.filter(({ method }) => method === "POST").map(({ key }) => key);
    expect(new Set(keys).size).toBe(1);
    await after.close();
  });
});

test.describe("a new version", () => {
  /** The versions that the page's files are of, and those that are kept. */
  const versions = (page: Page) =>
    page.evaluate(async () => {
      const paths = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
      const shells = (await caches.keys()).filter((name) => name.startsWith("gourmetgram-shell-"));
      const files = await Promise.all(shells.map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)));
      const of = (paths: string[]) => [...new Set(paths.map((path) => /^\/pkg\/([0-9a-f]{16})\//.exec(path)?.[1]).filter(Boolean))];
      return { used: of(paths), kept: of(files.flat()), shells: shells.length };
    });

  /** Has the browser look for another service worker, and says what became of it. */
  const update = (page: Page) =>
    page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration())!;
      await registration.update().catch(() => {});
      const coming = registration.installing ?? registration.waiting;
      if (!coming) return "none";
      return new Promise<string>((done) => {
        const look = () => ["activated", "redundant"].includes(coming.state) && done(coming.state);
        coming.addEventListener("statechange", look);
        look();
      });
    });

  test("takes the place of the old one whole", async ({ home, page, reception }) => {
    await visit(home, reception);
    const old = await versions(page);
    expect(old).toMatchObject({ kept: old.used, shells: 1 });
    const next = await reception.release();
    expect(await update(page)).toBe("activated");
    await goOffline(page, reception);
    await home.reload();
    expect(await versions(page)).toEqual({ used: [next], kept: [next], shells: 1 });
  });

  test("leaves a page that stays open what it needs, and its photo is sent", async ({ home, page, reception }) => {
    await visit(home, reception);
    await deviceReady(page);
    await page.getByRole("checkbox", { name: "Send smaller photos" }).check();
    const next = await reception.release();
    expect(await update(page)).toBe("activated");
    expect((await versions(page)).kept, "what it was made of is gone").toEqual([next]);
    await home.choose(await drawn(page, 2400, 1800));
    await expect(home.answer).toBeVisible();
    const [photo] = await recorded(page);
    expect(photo).toMatchObject({ width: 1600, scaled_from: "2400x1800", device: { decoded_by: "classifier" } });
  });

  test("of which a part is missing changes nothing", async ({ home, page, reception }) => {
    await visit(home, reception);
    const old = await versions(page);
    const next = await reception.release();
    reception.instead = ({ path }) => (path.includes(`${next}/home_bg.wasm`) ? { status: 404 } : undefined);
    expect(await update(page)).toBe("redundant");
    await goOffline(page, reception);
    await home.reload();
    expect(await versions(page)).toEqual({ used: old.used, kept: old.used, shells: 1 });
  });

  test("whose page is still the old one's changes nothing", async ({ home, page, reception }) => {
    await visit(home, reception);
    const old = await versions(page);
    // Behind one address two servers, of which one is newer.
    const page0 = await (await fetch(`${baseURL}/`)).text();
    await reception.release();
    reception.instead = ({ path }) => (path === "/" ? { status: 200, headers: { "Content-Type": "text/html" }, body: page0 } : undefined);
    expect(await update(page)).toBe("redundant");
    await goOffline(page, reception);
    await home.reload();
    expect((await versions(page)).used).toEqual(old.used);
  });
});

test.describe("a photo that another app shares", () => {
  /** What a phone does: posts the form of the manifest's share target. */
  const share = (page: Page, target: string) =>
    page.evaluate(
      ([target, base64]) => {
        const form = document.createElement("form");
        Object.assign(form, { action: target, method: "post", enctype: "multipart/form-data" });
        const input = Object.assign(document.createElement("input"), { type: "file", name: "image" });
        const bytes = Uint8Array.from(atob(base64!), (letter) => letter.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], "shared.jpg", { type: "image/jpeg" }));
        input.files = transfer.files;
        form.append(input);
        document.body.append(form);
        form.submit();
      },
      [target, readFileSync(picture("soup")).toString("base64")],
    );

  const target = async (page: Page, reception: Reception) => {
    const manifest = await (await page.request.get(`${reception.url}/gourmetgram.webmanifest`)).json();
    expect(manifest.share_target).toMatchObject({ method: "POST", enctype: "multipart/form-data", params: { files: [{ name: "image" }] } });
    return manifest.share_target.action as string;
  };

  test("opens in the app", async ({ home, page, reception }) => {
    await visit(home, reception);
    await share(page, await target(page, reception));
    await expect(queue(page).getByRole("heading")).toHaveText("1 photo to send");
    expect(await numberRecorded(page)(), "nobody has said that it is to go").toBe(0);
    await queue(page).getByRole("button", { name: /^Send/ }).click();
    await expect(home.answer).toBeVisible();
    await expect(page).toHaveURL(/\/\?photo=[0-9a-f-]{36}$/);
    expect(await numberRecorded(page)()).toBe(1);
    expect(reception.count("POST", /^\/photos/), "the service worker took it").toBe(0);
  });

  test("waits there without reception", async ({ home, page, reception }) => {
    await visit(home, reception);
    const action = await target(page, reception);
    await goOffline(page, reception);
    await share(page, action);
    await queue(page).getByRole("button", { name: /^Send/ }).click();
    await expect(queue(page).getByRole("heading")).toHaveText("1 photo waits for reception");
    await goOnline(page, reception);
    await expect(home.answer).toBeVisible();
    expect(await numberRecorded(page)()).toBe(1);
  });

  test("for which this device has no room goes at once, or is said not to be kept", async ({ home, page, reception }) => {
    test.slow();
    await visit(home, reception);
    const action = await target(page, reception);
    await fillDevice(page, reception);
    await goOffline(page, reception);
    await share(page, action);
    await expect(page).toHaveURL(/\/\?shared=no-room$/);
    await expect(queue(page)).toContainText("This device has no room for what you shared, and there is no reception: share it again later.");
    expect(await axe(page)).toEqual([]);
    expect(await numberKept(page)()).toBe(0);

    await goOnline(page, reception);
    await share(page, action);
    await expect(home.answer).toBeVisible();
    expect(reception.count("POST", /^\/photos/)).toBe(1);
    expect(await numberRecorded(page)()).toBe(1);
  });

  test("may be another site's form, and goes nowhere unless the visitor says so", async ({ home, page, reception }) => {
    await visit(home, reception);
    const action = `${reception.url}${await target(page, reception)}`;
    await page.route("http://elsewhere.test/", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<meta name="referrer" content="no-referrer"><form method="post" enctype="multipart/form-data" action="${action}"><input type="file" name="image"></form>`,
      }),
    );
    await page.goto("http://elsewhere.test/");
    await page.locator("input").setInputFiles(picture("soup"));
    await page.evaluate(() => document.querySelector("form")!.submit());
    await expect(queue(page).getByRole("heading")).toHaveText("1 photo to send");
    await page.reload();
    await expect(queue(page).getByRole("heading")).toHaveText("1 photo to send");
    await queue(page).getByRole("button", { name: /^Remove/ }).click();
    await expect(queue(page).getByText("to send")).toHaveCount(0);
    expect(await numberRecorded(page)()).toBe(0);
    expect(reception.count("POST", /predictions/)).toBe(0);
  });

  test("is taken by the server where there is no service worker", async ({ home, page, reception }) => {
    await page.addInitScript(() => Object.defineProperty(navigator, "serviceWorker", { value: undefined }));
    await home.open(`${reception.url}/`);
    await share(page, await target(page, reception));
    await expect(home.answer).toBeVisible();
    expect(reception.count("POST", /^\/photos/)).toBe(1);
    expect(await numberRecorded(page)()).toBe(1);
  });
});

test("nothing of an account is kept, and signing out leaves nothing behind", async ({ home, page, context, reception }) => {
  await becomeSomebodyNew("operator", context);
  await visit(home, reception);
  const name = await page.locator(".account__name").innerText();
  for (const path of ["/photos", "/dashboard", "/campaigns", "/"]) await home.open(`${reception.url}${path}`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();

  const found = await page.evaluate(async () => {
    const found: { path: string; text: string }[] = [];
    for (const cacheName of await caches.keys()) {
      const cache = await caches.open(cacheName);
      for (const request of await cache.keys()) {
        const answer = (await cache.match(request))!;
        const isText = /html|json/.test(answer.headers.get("content-type") ?? "");
        found.push({ path: new URL(request.url).pathname, text: isText ? await answer.text() : "" });
      }
    }
    return found;
  });
  const paths = found.map(({ path }) => path);
  const ofNobody = /^\/(pkg\/.*|favicon\.svg|gourmetgram\.webmanifest|icons\/.*|api\/v1\/models\/.*)?$/;
  expect(paths.filter((path) => !ofNobody.test(path))).toEqual([]);
  const kept = found.find(({ path }) => path === "/")!.text;
  expect(kept).toContain("What’s on your plate?");
  expect(found.filter(({ text }) => text.includes(name) || text.includes("Sign out") || text.includes("/dashboard"))).toEqual([]);
  expect(await numberKept(page)()).toBe(0);
});

test("the service worker is always asked for, and may ask nobody but the server", async ({ page }) => {
  const answer = await page.request.get("/service-worker.js");
  expect(answer.headers()).toMatchObject({ "cache-control": "no-cache", "content-type": expect.stringContaining("javascript") });
  const policy = answer.headers()["content-security-policy"]!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("connect-src 'self';");
  const again = await page.request.get("/service-worker.js", { headers: { "If-None-Match": answer.headers().etag! } });
  expect(again.status()).toBe(304);
});
