// `/`: a photo goes in, a label comes out.

import { readFileSync } from "node:fs";
import { basename } from "node:path";

import { expect, type Page, type Route } from "@playwright/test";

import { brokenPicture, deviceSays, notAPicture, photos, problem, uploadedPhoto } from "../tests/page";
import { failedRequest, type Scene, type Stage } from "./scene";

/** Answers the upload of a photo in the server's place. */
async function answerUploads(page: Page, answer: (route: Route) => unknown): Promise<void> {
  await page.route("**/api/v1/predictions", async (route) => {
    await (route.request().method() === "POST" ? answer(route) : route.continue());
  });
}

/** A photo is sent, and gets this answer. */
async function sent({ page, home }: Stage, answer: (route: Route) => unknown): Promise<void> {
  await home.open();
  await answerUploads(page, answer);
  await home.choose(photos[0]!);
}

async function refused(stage: Stage, answer: Parameters<Route["fulfill"]>[0]): Promise<void> {
  await sent(stage, (route) => route.fulfill(answer));
  await expect(stage.home.trouble).toBeVisible();
}

/** A refusal that passes: the photo waits, and goes on by itself. */
async function waits(stage: Stage, answer: Parameters<Route["fulfill"]>[0]): Promise<void> {
  await sent(stage, (route) => route.fulfill(answer));
  await expect(stage.page.getByText("next try in")).toBeVisible();
}

/** The visitor has sent all photos, and looks at the last one's answer. */
async function answered({ page, home }: Stage): Promise<void> {
  // Without a page before there would be no cookie to know the visitor by.
  await page.request.get("/");
  let latest = "";
  for (const photo of photos) latest = await uploadedPhoto(page, photo);
  await home.open(`/?photo=${latest}`);
  await expect(home.answer).toBeVisible();
}

async function judged(stage: Stage): Promise<void> {
  const { home } = stage;
  await answered(stage);
  await home.choice(1).click();
  await expect(home.choice(1)).toHaveAttribute("aria-pressed", "true");
  await home.reason("Bad photo").click();
  await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "true");
}

const page = "/" as const;

export const start: Scene[] = [
  {
    name: "start-welcome",
    shows: "The page as it opens",
    page,
    reach: ({ home }) => home.open(),
  },
  {
    name: "start-without-scripts",
    shows: "The page where scripts are off",
    page,
    scriptsOff: true,
    reach: ({ page }) => page.goto("/"),
  },
  {
    name: "start-no-picture",
    shows: "A file that is no picture, refused before it is sent",
    page,
    async reach({ home }) {
      await home.open();
      await home.choose(notAPicture);
      await expect(home.trouble).toBeVisible();
    },
  },
  {
    name: "start-too-large",
    shows: "A file too large, refused before it is sent",
    page,
    async reach({ home, page }) {
      await home.open();
      await page.evaluate(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(20_000_001)], "huge.jpg", { type: "image/jpeg" }));
        document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
      });
      await expect(home.trouble).toBeVisible();
    },
  },
  {
    name: "start-sending",
    shows: "A photo on its way",
    page,
    async reach(stage) {
      await sent(stage, () => {});
      await expect(stage.page.getByRole("progressbar")).toBeVisible();
    },
  },
  {
    name: "start-slow",
    shows: "A photo on its way for long, and why",
    page,
    async reach(stage) {
      await sent(stage, () => {});
      await expect(stage.page.getByText(/Your connection is slow|The server takes longer than usual/)).toBeVisible({ timeout: 20_000 });
    },
  },
  {
    name: "start-preliminary",
    shows: "A photo on its way, and what the device takes it for",
    page,
    async reach({ home, page }) {
      await home.open();
      await page.locator("html[data-device=simd], html[data-device=plain]").waitFor({ state: "attached", timeout: 30_000 });
      await answerUploads(page, () => {});
      await home.choose(photos[0]!);
      await expect(page.locator(".plaque--preliminary")).toBeVisible();
      await expect(page.getByText("says this device")).toBeVisible();
    },
  },
  {
    name: "start-busy",
    shows: "The server is busy: the photo waits its turn",
    page,
    expectedInConsole: failedRequest,
    reach: (stage) => waits(stage, problem(503, "unavailable", "Too many at once.", { "Retry-After": "100" })),
  },
  {
    name: "start-too-often",
    shows: "Many photos from one visitor: the next waits its turn",
    page,
    expectedInConsole: failedRequest,
    reach: (stage) => waits(stage, problem(429, "rate-limited", "one photo a second", { "Retry-After": "100" })),
  },
  {
    name: "start-no-connection",
    shows: "The server cannot be reached",
    page,
    expectedInConsole: failedRequest,
    async reach(stage) {
      await sent(stage, (route) => route.abort("connectionrefused"));
      await expect(stage.page.getByRole("heading", { level: 1 })).toHaveText("No connection");
    },
  },
  {
    name: "start-offline",
    shows: "The visitor is offline",
    page,
    expectedInConsole: failedRequest,
    async reach({ home, page }) {
      await home.open();
      await page.context().setOffline(true);
      await home.choose(photos[0]!);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("You are offline");
    },
  },
  {
    name: "start-rate-limited",
    shows: "Far too many photos from one visitor",
    page,
    expectedInConsole: failedRequest,
    reach: (stage) => refused(stage, problem(429, "rate-limited", "come back in an hour", { "Retry-After": "3600" })),
  },
  {
    name: "start-full",
    shows: "The server's disk is full",
    page,
    expectedInConsole: failedRequest,
    reach: (stage) =>
      refused(stage, problem(507, "storage-full", "nothing was stored: the people who run this have to make room")),
  },
  {
    name: "start-too-many-pixels",
    shows: "A photo with too many pixels",
    page,
    expectedInConsole: failedRequest,
    reach: (stage) => refused(stage, problem(422, "too-many-pixels", "the photo has 60 megapixels, at most 50 are read")),
  },
  {
    name: "start-session-lost",
    shows: "The cookie that knew the visitor is gone",
    page,
    expectedInConsole: failedRequest,
    reach: async ({ page, home }) => {
      await home.open();
      await page.context().clearCookies();
      await home.choose(photos[0]!);
      await expect(home.trouble).toContainText("This page has lost its session");
      await expect(home.tiles).toHaveCount(1);
    },
  },
  {
    name: "start-not-ours",
    shows: "Something between browser and server answered",
    page,
    expectedInConsole: failedRequest,
    reach: (stage) => refused(stage, { status: 418, contentType: "text/html", body: "<h1>A teapot</h1>" }),
  },
  {
    name: "start-unreadable",
    shows: "A picture the server cannot read",
    page,
    expectedInConsole: failedRequest,
    async reach({ home }) {
      await home.open();
      await home.choose(brokenPicture());
      await expect(home.trouble).toBeVisible();
    },
  },
  {
    name: "start-several",
    shows: "Several photos at once: answered, refused, on their way, waiting",
    page,
    expectedInConsole: failedRequest,
    async reach({ home, page }) {
      await home.open();
      let posts = 0;
      await answerUploads(page, (route) => {
        posts += 1;
        if (posts === 4) return route.fulfill(problem(503, "unavailable", "Busy.", { "Retry-After": "100" }));
        return posts > 4 ? undefined : route.continue();
      });
      const files = photos
        .slice(0, 4)
        .map((photo) => ({ name: basename(photo), mimeType: "image/jpeg", buffer: readFileSync(photo) }));
      await home.choose([...files, notAPicture, ...files]);
      await expect(home.pass).toContainText("3 of 9");
      await expect(home.pass).toContainText("again in");
    },
  },
  {
    name: "start-several-answered",
    shows: "Several photos at once, all answered",
    page,
    async reach({ home }) {
      await home.open();
      await home.choose([...photos.slice(0, 4)]);
      await expect(home.pass).toContainText("4 of 4 photos answered");
      await expect(home.answer).toBeVisible();
    },
  },
  {
    name: "start-too-many",
    shows: "More photos at once than are taken without a question",
    page,
    async reach({ home, page }) {
      await home.open();
      await page.evaluate(() => {
        const transfer = new DataTransfer();
        for (let index = 0; index < 60; index++) {
          transfer.items.add(new File([String(index)], `${index}.jpg`, { type: "image/jpeg" }));
        }
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
      });
      await expect(page.getByRole("dialog")).toBeVisible();
    },
  },
  {
    name: "start-answer",
    shows: "An answer, and the visitor's photos",
    page,
    reach: answered,
  },
  {
    name: "start-device-differs",
    shows: "An answer that is not what the device had said",
    page,
    async reach({ home, page }) {
      await deviceSays(page, "Dairy product");
      await home.open();
      await home.choose(photos[0]!);
      await expect(home.answer.getByText("Your device took it for")).toBeVisible();
    },
  },
  {
    name: "start-judged",
    shows: "Flagged and relabelled",
    page,
    reach: judged,
  },
  {
    name: "start-erase",
    shows: "Asked before erasing, beside the answer and in the list",
    page,
    async reach(stage) {
      const { home } = stage;
      await judged(stage);
      await home.answer.getByText("Erase this photo", { exact: true }).click();
      await expect(home.answer.getByRole("button", { name: "Erase for good" })).toBeVisible();
      await home.tiles.nth(1).locator("summary").click();
      await expect(home.tiles.nth(1).getByRole("button", { name: "Erase for good" })).toBeVisible();
    },
  },
  {
    name: "start-judgement-lost",
    shows: "A flag that did not arrive",
    page,
    expectedInConsole: failedRequest,
    async reach({ home, page }) {
      await home.open();
      await home.classify("soup");
      await page.route("**/flag", (route) => route.fulfill(problem(500, "internal", "the server has logged why")));
      await home.reason("Not food").click();
      await expect(home.trouble).toBeVisible();
    },
  },
  {
    name: "start-queue",
    shows: "What waits for reception: a photo of before, a flag of now",
    page,
    expectedInConsole: failedRequest,
    async reach({ home, page }) {
      await home.open();
      await home.classify("soup");
      await page.route("**/flag", (route) => route.abort("internetdisconnected"));
      await answerUploads(page, (route) => route.abort("internetdisconnected"));
      await home.choose(photos[1]!);
      await expect(page.getByRole("heading", { level: 1 })).toHaveText("No connection");
      // Closed over it, the page leaves the photo to the queue.
      await home.reload();
      await expect(page.locator(".queue")).toContainText("1 photo waits for reception");
      await home.reason("Not food").click();
      await expect(page.locator(".queue")).toContainText("1 photo and 1 change wait for reception");
      await expect(page.locator(".queue")).toContainText("says this device");
      await expect(home.confirmation).toBeEmpty();
    },
  },
  {
    name: "start-queue-refused",
    shows: "A photo that waited, and that the server refuses",
    page,
    expectedInConsole: failedRequest,
    async reach({ home, page }) {
      await home.open();
      await answerUploads(page, (route) => route.fulfill(problem(503, "unavailable", "Busy.", { "Retry-After": "1" })));
      await home.choose(photos[1]!);
      await expect(page.getByText("next try in")).toBeVisible();
      await answerUploads(page, (route) => route.fulfill(problem(422, "too-many-pixels", "The photo has 60 megapixels, at most 50 are read.")));
      await home.reload();
      await expect(page.locator(".queue")).toContainText("1 photo could not be sent");
    },
  },
  {
    name: "start-shared",
    shows: "Photos that another app shared: to be sent or not",
    page,
    async reach({ home, page }) {
      await home.open();
      // As the service worker writes it, without which pages are looked at here.
      await page.evaluate(
        async (files) => {
          const opening = indexedDB.open("gourmetgram");
          await new Promise((done) => (opening.onsuccess = done));
          const transaction = opening.result.transaction("queue", "readwrite");
          for (const [name, base64] of files) {
            const bytes = Uint8Array.from(atob(base64!), (character) => character.charCodeAt(0));
            const file = new File([bytes], name!, { type: "image/jpeg" });
            const held = { isShared: true, isHeld: true, since: Date.now(), tries: 0 };
            transaction.objectStore("queue").add({ photo: crypto.randomUUID(), file, name, ...held });
          }
          await new Promise((done) => (transaction.oncomplete = done));
          opening.result.close();
        },
        photos.slice(0, 2).map((path) => [basename(path), readFileSync(path).toString("base64")]),
      );
      await home.open("/?shared=2");
      await expect(page.locator(".queue")).toContainText("2 photos to send");
      await expect(page.getByText("Shared with GourmetGram. Send it?")).toHaveCount(2);
    },
  },
  {
    name: "start-erased",
    shows: "After erasing with scripts off",
    page,
    reach: ({ home }) => home.open("/?erased=1"),
  },
  {
    name: "start-missing",
    shows: "A photo that this visitor cannot see",
    page,
    expectedInConsole: failedRequest,
    reach: ({ home }) => home.open("/?photo=nonsense"),
  },
];
