// A kitchen whose reception comes and goes: what tests do there, and what they look at.

import AxeBuilder from "@axe-core/playwright";
import type { BrowserContext, Page } from "@playwright/test";

import { baseURL } from "../server";
import { deviceReady, expect, HomePage, picture, test as base } from "./page";
import { Reception } from "./reception";

export const PREDICTIONS = /^\/api\/v1\/predictions$/;
export const LIVE = "/api/v1/models/live/device";
export const ONE = /^\/api\/v1\/predictions\/[0-9a-f-]{36}$/;

export const test = base.extend<{ reception: Reception }>({
  reception: async ({}, use) => {
    const reception = await Reception.start();
    await use(reception);
    reception.end();
  },
});

/** What a browser says when nothing comes through. */
export const EXPECTED = /Failed to load resource|net::ERR_|Connecting to 'blob:/;

/** Opens the page, and waits until it would open again without reception. */
export async function visit(home: HomePage, reception: Reception): Promise<void> {
  await home.open(`${reception.url}/`);
  await home.page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    if (active?.state !== "activated") await new Promise((done) => active!.addEventListener("statechange", done));
    if (!navigator.serviceWorker.controller) {
      await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
    }
  });
}

export async function goOffline(page: Page, reception: Reception): Promise<void> {
  reception.goes();
  await page.context().setOffline(true);
}

export async function goOnline(page: Page, reception: Reception): Promise<void> {
  reception.comesBack();
  await page.context().setOffline(false);
}

export const queue = (page: Page) => page.locator(".queue");
export const waiting = (page: Page) => queue(page).getByRole("listitem");

export interface Recorded {
  id: string;
  predicted_class: string;
  device?: object;
  width: number;
  scaled_from?: string;
}

/** What the visitor has at the server, newest first. */
export async function recorded(page: Page): Promise<Recorded[]> {
  const answer = await page.request.get(`${baseURL}/api/v1/predictions?mine=true`);
  return answer.ok() ? (await answer.json()).items : [];
}

/** What people have said about a photo, oldest first, in words; the status of an answer that does not tell. */
export async function history(page: Page, id: string): Promise<string[] | number> {
  const answer = await page.request.get(`${baseURL}/api/v1/predictions/${id}`);
  if (!answer.ok()) return answer.status();
  const { history } = (await answer.json()) as { history: { kind: string; reason?: string; label?: string }[] };
  return history.map(({ kind, reason, label }) => [kind, reason ?? label].filter(Boolean).join(" "));
}

export const numberRecorded = (page: Page) => async () => (await recorded(page)).length;

/** How many photos and other things the page keeps in the browser. */
export const numberKept = (page: Page) => () =>
  page.evaluate(
    () =>
      new Promise<number>((done, failed) => {
        const opening = indexedDB.open("gourmetgram");
        opening.onerror = () => failed(opening.error);
        opening.onsuccess = () => {
          const counting = opening.result.transaction("queue").objectStore("queue").count();
          counting.onsuccess = () => {
            opening.result.close();
            done(counting.result);
          };
        };
      }),
  );

/** Waits until the worker can answer, and all that it takes is kept on the device. */
export async function deviceKept(page: Page): Promise<void> {
  await deviceReady(page);
  await expect
    .poll(() => page.evaluate(async () => Boolean(await (await caches.open("gourmetgram-device")).match("/api/v1/models/live/device"))))
    .toBe(true);
}

/** Photos chosen without reception that a page was closed over: the queue's from now on. */
export async function leaveInQueue(page: Page, home: HomePage, reception: Reception, names: Parameters<typeof picture>[0][]): Promise<void> {
  await goOffline(page, reception);
  await home.choose(names.map(picture));
  await expect.poll(numberKept(page)).toBe(names.length);
  await page.reload();
  await home.alive();
  await expect(waiting(page)).toHaveCount(names.length);
}

/** From now on the device has no room. The browser takes up to half a minute to notice, where it has just had some. */
export async function fillDevice(page: Page, reception: Reception): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: reception.url, quotaSize: 1 });
  const isFull = () =>
    page.evaluate(
      () =>
        new Promise<boolean>((done) => {
          const opening = indexedDB.open("room");
          opening.onupgradeneeded = () => void opening.result.createObjectStore("anything");
          opening.onerror = () => done(true);
          opening.onsuccess = () => {
            const writing = opening.result.transaction("anything", "readwrite");
            writing.objectStore("anything").put("x".repeat(1000), "x");
            opening.result.close();
            writing.oncomplete = () => done(false);
            writing.onabort = () => done(true);
          };
        }),
    );
  await expect.poll(isFull, { timeout: 45_000 }).toBe(true);
}

export const axe = async (page: Page) =>
  (await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }));


/**
 * Closes the page over what waits. The browser then has another one, of no site; `wake` has it wake the service worker, which
 * the closed page has asked for: when a browser comes to it is played, because it has a clock of its own.
 */
export async function closePage(page: Page, context: BrowserContext, reception: Reception): Promise<{ page: Page; wake: () => Promise<void> }> {
  const session = await context.newCDPSession(page);
  const registered = new Promise<string>((found) =>
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const ours = registrations.find(({ scopeURL }) => scopeURL === `${reception.url}/`);
      if (ours) found(ours.registrationId);
    }),
  );
  await session.send("ServiceWorker.enable");
  const tags = () =>
    page.evaluate(async () => {
      const { sync } = (await navigator.serviceWorker.ready) as ServiceWorkerRegistration & { sync: { getTags(): Promise<string[]> } };
      return sync.getTags();
    });
  await expect.poll(tags).toEqual(["gourmetgram-queue"]);
  const other = await context.newPage();
  const stays = await context.newCDPSession(other);
  await stays.send("ServiceWorker.enable");
  const registrationId = await registered;
  await page.close();
  const wake = async () => {
    await stays.send("ServiceWorker.dispatchSyncEvent", { origin: reception.url, registrationId, tag: "gourmetgram-queue", lastChance: false });
  };
  return { page: other, wake };
}
