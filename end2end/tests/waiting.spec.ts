// What an open page does with photos that it cannot send: each is kept, none is forgotten, and a browser that keeps nothing, or
// not for long, is no reason not to send.

import { type Page } from "@playwright/test";

import { closePage, deviceKept, EXPECTED, fillDevice, goOffline, goOnline, leaveInQueue, LIVE, numberKept, numberRecorded, PREDICTIONS, queue, recorded, test, visit, waiting } from "./kitchen";
import { deviceReady, expect, picture } from "./page";

test.use({ expectedInConsole: EXPECTED });

const HALF_A_DOZEN = ["soup", "egg", "salad", "bread", "soup", "egg"] as const;
const KEPT = "Your photo is kept on this device and is sent by itself";

const refusal = (status: number, type: string, detail: string, headers: Record<string, string> = {}) => ({
  status,
  headers: { "Content-Type": "application/problem+json", ...headers },
  body: JSON.stringify({ type, title: type, status, detail }),
});

test("of many photos chosen without reception each is kept at once", async ({ home, page, reception }) => {
  await visit(home, reception);
  await goOffline(page, reception);
  await home.choose(HALF_A_DOZEN.map(picture));
  await expect.poll(numberKept(page)).toBe(HALF_A_DOZEN.length);
  await expect(waiting(page), "the page has care of them").toHaveCount(0);
  // As by a phone that needs the memory: nobody is asked.
  await page.goto("about:blank");
  await page.goto(`${reception.url}/`);
  await home.alive();
  await expect(waiting(page)).toHaveCount(HALF_A_DOZEN.length);
  await goOnline(page, reception);
  await expect(waiting(page)).toHaveCount(0);
  await expect.poll(numberRecorded(page)).toBe(HALF_A_DOZEN.length);
  expect(reception.count("POST", PREDICTIONS)).toBe(HALF_A_DOZEN.length);
});

test("of many photos on their way those that wait for their turn are kept too, and a line given up leaves nothing", async ({ home, page, reception }) => {
  await visit(home, reception);
  reception.instead = ({ method }) => (method === "POST" ? "held" : undefined);
  await home.choose(HALF_A_DOZEN.map(picture));
  await expect.poll(numberKept(page)).toBe(HALF_A_DOZEN.length);
  await page.getByRole("button", { name: "Cancel the rest" }).click();
  await expect.poll(numberKept(page)).toBe(0);
});

for (const [why, answer, advice] of [
  ["asks for an hour", refusal(429, "rate-limited", "Come back in an hour.", { "Retry-After": "3600" }), "Come back in an hour."],
  ["has failed", refusal(500, "internal", "The server has logged why."), "The server has logged why."],
] as const) {
  test(`a page that stays open sends a photo by itself when the server that ${why} takes it again`, async ({ home, page, reception }) => {
    await page.clock.install();
    await visit(home, reception);
    let tries = 0;
    reception.instead = ({ method, path }) => (method === "POST" && PREDICTIONS.test(path) ? (tries++, answer) : undefined);
    await home.choose(picture("soup"));
    await expect(home.trouble).toContainText(advice);
    await expect(page.getByText(KEPT)).toBeVisible();
    await expect(waiting(page), "it is shown once").toHaveCount(0);
    reception.instead = () => undefined;
    await page.clock.runFor(5_000);
    expect(tries, "it is not asked before its time").toBe(1);
    expect(await numberRecorded(page)()).toBe(0);

    await page.clock.fastForward("01:00:00");
    await expect(home.answer).toBeVisible();
    await expect(home.tiles).toHaveCount(1);
    expect(await numberRecorded(page)()).toBe(1);
    await expect.poll(numberKept(page)).toBe(0);
    expect(reception.count("POST", PREDICTIONS)).toBe(1);
  });
}

test("a photo that another page had care of is looked for when that page has died", async ({ home, page, context, reception }) => {
  await visit(home, reception);
  const other = await context.newPage();
  await other.clock.install();
  await other.goto(`${reception.url}/`);
  await expect(other.locator("html[data-alive]")).toHaveCount(1);
  reception.instead = ({ method }) => (method === "POST" ? "held" : undefined);
  await home.choose(picture("soup"));
  await expect.poll(() => reception.count("POST", PREDICTIONS)).toBe(1);
  await expect.poll(numberKept(page)).toBe(1);
  // What is kept is news to the other page; it finds that another one has care of it.
  await other.clock.runFor(1_000);
  await other.evaluate(() => dispatchEvent(new Event("online")));
  await other.clock.runFor(1_000);
  reception.instead = () => undefined;
  await page.close();
  // Whether the other page has already found who has care of it cannot be seen: time goes by until it looks again.
  const minutesLater = async () => {
    await other.clock.fastForward("02:00");
    return numberKept(other)();
  };
  await expect.poll(minutesLater).toBe(0);
  expect(await numberRecorded(other)()).toBe(1);
});

test("a cookie that goes while the page is open takes no photo with it", async ({ home, page, context, reception }) => {
  await visit(home, reception);
  await context.clearCookies();
  await home.choose(picture("soup"));
  await expect(home.trouble).toContainText("This page has lost its session");
  await expect(page.getByText(KEPT)).toBeVisible();
  await expect.poll(numberRecorded(page)).toBe(1);
  await expect.poll(numberKept(page)).toBe(0);
  expect(reception.count("DELETE", /predictions/), "what was sent without a cookie is nobody's").toBe(1);
});

test("a database that the browser takes away is opened again", async ({ home, page, reception }) => {
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["egg"]);
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.clearDataForOrigin", { origin: reception.url, storageTypes: "indexeddb" });
  await home.choose(picture("soup"));
  await expect(page.getByText("Your photo is kept on this device")).toBeVisible();
  expect(await numberKept(page)()).toBe(1);
});

test("what is refused on a device without room is said, and keeps nothing else from being sent", async ({ home, page, reception }) => {
  test.slow();
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["soup", "egg"]);
  await fillDevice(page, reception);
  let refused: string | undefined;
  let tries = 0;
  reception.instead = ({ method, path, key }) => {
    if (method !== "POST" || !PREDICTIONS.test(path)) return undefined;
    refused ??= key;
    return key === refused ? (tries++, refusal(422, "not-a-picture", "It is a drawing of a soup.")) : undefined;
  };
  await goOnline(page, reception);
  await expect(waiting(page)).toHaveCount(1);
  await expect(waiting(page)).toContainText("It is a drawing of a soup.");
  await expect.poll(numberRecorded(page)).toBe(1);
  // Page and service worker remember it, each for itself.
  expect(tries).toBeLessThanOrEqual(2);
  reception.instead = () => undefined;
  // If it is still there: a service worker that the browser wakes now does not know that it was refused, and sends it.
  const again = waiting(page).getByRole("button", { name: /^Try again/ });
  await again.evaluateAll((buttons) => buttons.forEach((button) => (button as HTMLButtonElement).click()));
  await expect(waiting(page)).toHaveCount(0);
  await expect.poll(numberRecorded(page)).toBe(2);
});

test("the browser that sends after the page was closed waits for a server that is busy for a moment", async ({ home, page, context, reception }) => {
  await visit(home, reception);
  await leaveInQueue(page, home, reception, ["soup", "bread"]);
  const other = await closePage(page, context, reception);
  let tries = 0;
  reception.instead = ({ method }) => (method === "POST" && tries++ < 2 ? refusal(429, "rate-limited", "Slower.", { "Retry-After": "1" }) : undefined);
  await goOnline(other.page, reception);
  await other.wake();
  await expect.poll(numberRecorded(other.page)).toBe(2);
  expect(tries).toBe(4);
});

test("a limit, or a page of something in between, says nothing about which model is live", async ({ home, page, reception }) => {
  await visit(home, reception);
  await deviceKept(page);
  for (const answer of [{ status: 429 }, { status: 403 }, { status: 200, headers: { "Content-Type": "text/html" }, body: "<h1>Sign in to the network</h1>" }]) {
    reception.instead = ({ path }) => (path === LIVE ? answer : undefined);
    await home.reload();
    await deviceReady(page);
  }
  await home.choose(picture("soup"));
  await expect(home.answer).toBeVisible();
  expect((await recorded(page))[0]!.device).toMatchObject({ decoded_by: "classifier" });
});

test("a new version with another classifier keeps that one", async ({ home, page, reception }) => {
  await visit(home, reception);
  await deviceKept(page);
  const modules = () =>
    page.evaluate(async () => {
      const paths = (await (await caches.open("gourmetgram-device")).keys()).map(({ url }) => new URL(url).pathname);
      return paths.filter((path) => path.startsWith("/pkg/")).map((path) => path.split("/")[2]!);
    });
  const [old] = await modules();
  await reception.release({ withClassifier: true });
  await home.reload();
  await deviceReady(page);
  await expect.poll(async () => new Set(await modules()).size).toBe(1);
  await expect.poll(async () => (await modules()).includes(old!)).toBe(false);
  await goOffline(page, reception);
  await home.reload();
  await deviceReady(page);
});

test("of several photos that are shared all are kept, or all are sent at once", async ({ home, page, context, reception }) => {
  await visit(home, reception);
  const share = (page: Page) =>
    page.evaluate(() => {
      const form = document.createElement("form");
      Object.assign(form, { action: "/photos?share", method: "post", enctype: "multipart/form-data" });
      const input = Object.assign(document.createElement("input"), { type: "file", name: "image", multiple: true, id: "shared" });
      form.append(input);
      document.body.append(form);
    });
  const submit = async () => {
    await share(page);
    await page.locator("#shared").setInputFiles([picture("soup"), picture("egg")]);
    await page.evaluate(() => document.querySelector<HTMLInputElement>("#shared")!.form!.submit());
  };
  await submit();
  await expect(queue(page).getByRole("heading")).toHaveText("2 photos to send");
  for (const left of [1, 0]) {
    await waiting(page).first().getByRole("button", { name: /^Remove/ }).click();
    await expect(waiting(page)).toHaveCount(left);
  }
  expect(await numberKept(page)()).toBe(0);

  // There is room for the first of the two.
  await context.serviceWorkers()[0]!.evaluate(() => {
    const { add } = IDBObjectStore.prototype;
    let number = 0;
    IDBObjectStore.prototype.add = function (...item) {
      if (++number === 2) throw new DOMException("no room", "QuotaExceededError");
      return add.apply(this, item);
    };
  });
  await submit();
  await expect.poll(numberRecorded(page)).toBe(2);
  await expect(page, "the answer to the form").not.toHaveURL(/shared=2/);
  await home.alive();
  expect(await numberKept(page)(), "what was sent waits no more").toBe(0);
  expect(reception.count("POST", /^\/photos/)).toBe(1);
});

for (const [how, script] of [
  ["has no database", () => Object.defineProperty(window, "indexedDB", { value: undefined })],
  ["refuses its database", () => (IDBFactory.prototype.open = () => { throw new DOMException("not here", "SecurityError"); })],
  ["never opens its database", () => (IDBFactory.prototype.open = () => ({}) as IDBOpenDBRequest)],
  ["has no locks", () => Object.defineProperty(navigator, "locks", { value: undefined })],
] as const) {
  test(`a browser that ${how} sends all the same`, async ({ home, page, reception }) => {
    await page.addInitScript(script);
    await visit(home, reception);
    await home.choose(picture("soup"));
    await expect(home.answer).toBeVisible();
    await home.reason("Not food").click();
    await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "true");
    expect(reception.count("POST", PREDICTIONS)).toBe(1);
    expect(await numberRecorded(page)()).toBe(1);
  });
}
