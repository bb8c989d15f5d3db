import { brokenPicture, disguisedText, expect, notAPicture, picture, problem, test } from "./page";

// The browser itself writes failed requests to the console; Playwright's recorder, that it may not copy a preview.
test.use({ expectedInConsole: /Failed to load resource|Connecting to 'blob:/ });

test("a text file is refused before it is sent", async ({ home, page }) => {
  let sent = 0;
  page.on("request", (request) => (sent += Number(request.method() === "POST")));
  await home.open();
  await home.choose(notAPicture);
  await expect(home.trouble).toContainText("That is not a photo we can read");
  await expect(home.trouble).toContainText("recipe.txt");
  expect(sent).toBe(0);
  await home.classify("soup");
  await expect(home.trouble).toBeHidden();
});

test("a file too large is refused before it is sent", async ({ home, page }) => {
  await home.open();
  // A file this large is made in the page: sent from here it would travel through the test's own connection.
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(20_000_001)], "huge.jpg", { type: "image/jpeg" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
  });
  await expect(home.trouble).toContainText("That photo is too large");
  await expect(home.trouble).toContainText("This file has 20.1 MB; at most 20 MB fit.");
});

for (const [what, file] of [
  ["a text that calls itself a picture", disguisedText],
  ["a picture cut short", brokenPicture()],
] as const) {
  test(`${what} is refused by the server, and another photo can be sent`, async ({ home, page }) => {
    await home.open();
    await home.choose(file);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("That did not work");
    await expect(home.trouble).toContainText("That is not a photo we can read");
    await expect(page.getByRole("button", { name: "Try again" }), "it would fail again").toBeHidden();
    await page.getByRole("button", { name: "Close" }).click();
    await home.classify("soup");
    await expect(home.tiles).toHaveCount(1);
  });
}

test("a photo whose answer got lost is sent again by itself, and stays one prediction", async ({ home, page }) => {
  const keys: (string | undefined)[] = [];
  await home.open();
  await page.route("**/api/v1/predictions", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    keys.push(route.request().headers()["idempotency-key"]);
    if (keys.length === 1) return route.abort("internetdisconnected");
    // The server gets it, the answer gets lost.
    if (keys.length === 2) {
      await route.fetch();
      return route.abort("connectionreset");
    }
    return route.continue();
  });
  await home.choose(picture("salad"));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("No connection");
  await page.getByRole("button", { name: "Try now" }).click();
  await expect.poll(() => keys.length).toBe(2);
  // From here on by itself.
  await expect(home.answer).toBeVisible();

  expect(new Set(keys).size, "one key for all three tries").toBe(1);
  expect(page.url()).toContain(keys[0]);
  await home.reload();
  await expect(home.tiles).toHaveCount(1);
});

test("offline, a photo waits and says so, and goes on its way by itself", async ({ home, page, context }) => {
  await home.open();
  await context.setOffline(true);
  await home.choose(picture("egg"));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("You are offline");
  await expect(page.getByText("goes on by itself once you have a connection")).toBeVisible();
  await context.setOffline(false);
  await expect(home.answer).toBeVisible();
  await expect(home.tiles).toHaveCount(1);
});

for (const [status, type, heading] of [
  [503, "unavailable", "The kitchen is busy"],
  [429, "rate-limited", "That was a lot of photos at once"],
] as const) {
  test(`after ${status} the photo is sent again when the server said to, or at once`, async ({ home, page }) => {
    let tries = 0;
    await home.open();
    await page.route("**/api/v1/predictions", async (route) => {
      if (route.request().method() !== "POST") return route.continue();
      tries += 1;
      if (tries === 1) return route.fulfill(problem(status, type, "Too many photos at once.", { "Retry-After": "2" }));
      if (tries === 3) return route.fulfill(problem(status, type, "Too many photos at once.", { "Retry-After": "100" }));
      return route.continue();
    });
    await home.choose(picture("bread"));
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(heading);
    await expect(page.getByText(/next try in \d seconds?/)).toBeVisible();
    await expect(home.answer).toBeVisible();
    expect(tries).toBe(2);

    await home.choose(picture("soup"));
    await expect(page.getByText(/next try in \d+ seconds/)).toBeVisible();
    await page.getByRole("button", { name: "Try now" }).click();
    await expect(home.tiles).toHaveCount(2);
    expect(tries).toBe(4);
  });
}

test("a wait can be given up", async ({ home, page }) => {
  await home.open();
  await page.route("**/api/v1/predictions", (route) =>
    route.request().method() === "POST"
      ? route.fulfill(problem(503, "unavailable", "Too many photos at once.", { "Retry-After": "60" }))
      : route.continue(),
  );
  await home.choose(picture("soup"));
  await expect(page.getByText(/next try in/)).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What’s on your plate?");
});

test("whoever sends far too often is told when to come back", async ({ home, page }) => {
  await home.open();
  await page.route("**/api/v1/predictions", (route) =>
    route.request().method() === "POST"
      ? route.fulfill(problem(429, "rate-limited", "Come back in an hour.", { "Retry-After": "3600" }))
      : route.continue(),
  );
  await home.choose(picture("soup"));
  await expect(home.trouble).toContainText("Come back in an hour.");
  await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
});

test("a full disk is said so, and the photo can be sent again", async ({ home, page }) => {
  await home.open();
  await page.route("**/api/v1/predictions", (route) =>
    route.request().method() === "POST"
      ? route.fulfill(problem(507, "storage-full", "The disk is full; tell the operator.", { "Retry-After": "60" }))
      : route.continue(),
  );
  await home.choose(picture("soup"));
  await expect(home.trouble).toContainText("There is no room for new photos right now");
  await page.unrouteAll();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(home.answer).toBeVisible();
});

test("too many pixels are said so, with no offer to try again", async ({ home, page }) => {
  await home.open();
  await page.route("**/api/v1/predictions", (route) =>
    route.request().method() === "POST"
      ? route.fulfill(problem(422, "too-many-pixels", "The photo has 60 megapixels, at most 50 are read."))
      : route.continue(),
  );
  await home.choose(picture("soup"));
  await expect(home.trouble).toContainText("That photo has too many pixels");
  await expect(page.getByRole("button", { name: "Try again" })).toBeHidden();
});

test("whoever waits long is told for what", async ({ home, page }) => {
  let letThrough = () => {};
  const held = new Promise<void>((resolve) => (letThrough = resolve));
  await home.open();
  await page.route("**/api/v1/predictions", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });
  await home.choose(picture("soup"));
  await expect(page.getByText(/Your connection is slow|The server takes longer than usual/)).toBeVisible();
  letThrough();
  await expect(home.answer).toBeVisible();
});

test("without its cookie the page says so, and the photo is sent anew under another", async ({ home, page, context }) => {
  await home.open();
  await context.clearCookies();
  const removed = page.waitForResponse((response) => response.request().method() === "DELETE");
  await home.choose(picture("soup"));
  await expect(home.trouble).toContainText("This page has lost its session");
  await expect(page.getByText("Your photo is kept on this device and is sent by itself")).toBeVisible();
  expect((await removed).status(), "nothing stays that nobody could erase").toBe(204);
  await expect(home.tiles).toHaveCount(1);
  await page.getByRole("link", { name: "Load the page again" }).click();
  await home.alive();
  await expect(home.tiles).toHaveCount(1);
  await home.classify("egg");
  await expect(home.tiles).toHaveCount(2);
});

test("without its cookie and without room on the device nothing stays that nobody could erase", async ({ home, page, context }) => {
  await page.addInitScript(() => Object.defineProperty(window, "indexedDB", { value: undefined }));
  await home.open();
  await context.clearCookies();
  const removed = page.waitForResponse((response) => response.request().method() === "DELETE");
  await home.choose(picture("soup"));
  await expect(home.trouble).toContainText("This page has lost its session");
  await expect(page.getByText("is kept on this device")).toBeHidden();
  expect((await removed).status()).toBe(204);
});

test("an answer that is none of ours is no crash", async ({ home, page }) => {
  await home.open();
  await page.route("**/api/v1/predictions", (route) =>
    route.request().method() === "POST"
      ? route.fulfill({ status: 418, contentType: "text/html", body: "<h1>A teapot</h1>" })
      : route.continue(),
  );
  await home.choose(picture("soup"));
  await expect(home.trouble).toContainText("status 418");
  await page.unrouteAll();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(home.answer).toBeVisible();
});

test("a flag that did not arrive is not shown as if it had", async ({ home, page }) => {
  await home.open();
  await home.classify("soup");
  await page.route("**/flag", (route) => route.fulfill(problem(500, "internal", "The server has logged why.")));
  await home.reason("Not food").click();
  await expect(home.trouble).toContainText("The server has logged why.");
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "false");
  await page.unrouteAll();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "true");
  await expect(home.trouble).toBeHidden();
});

test("an address that leads nowhere says so, and shows the way back", async ({ home, page }) => {
  const response = await page.goto("/nowhere");
  expect(response?.status()).toBe(404);
  await home.alive();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This plate is empty.");
  await page.getByRole("link", { name: "To the kitchen" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What’s on your plate?");
});

for (const id of ["01890a5d-ac96-774b-bcce-b302099a8057", "nonsense", "<script>alert(1)</script>"]) {
  test(`no photo is shown for the id ${id}`, async ({ home, page }) => {
    const response = await page.goto(`/?photo=${encodeURIComponent(id)}`);
    expect(response?.status()).toBe(404);
    await home.alive();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("That photo is not here.");
    await home.classify("egg");
  });
}
