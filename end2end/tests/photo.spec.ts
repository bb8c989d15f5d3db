import { expect, picture, test } from "./page";

test("a photo goes in, a label comes out", { tag: "@phone" }, async ({ home, page }) => {
  await home.open();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What’s on your plate?");
  await expect(page.getByText("What we keep, and why")).toBeVisible();
  await expect(home.album.getByText("Nothing here yet.")).toBeVisible();

  const label = await home.classify("soup");

  await expect(page).toHaveURL(/\/\?photo=[0-9a-f-]{36}$/);
  await expect(page).toHaveTitle(`${label} · GourmetGram`);
  await expect(home.answer.getByText(/^(Almost certain|Quite sure|Fairly sure|Not so sure|Only a guess)$/)).toBeVisible();
  await expect(home.answer.locator(".certainty__number")).toHaveText(/^(>99|<1|\d{1,2})%$/);
  await expect(home.otherClasses.getByRole("listitem")).toHaveCount(11);
  await expect(home.label).toBeFocused();

  await expect(home.tiles).toHaveCount(1);
  await expect(home.tiles.first()).toContainText(label);
  await expect(home.tiles.first()).toContainText("Saved");
});

test("the answer and the list survive a reload", async ({ home, page }) => {
  await home.open();
  const label = await home.classify("salad");
  const confidence = await home.answer.locator(".certainty__number").innerText();

  await home.reload();

  await expect(home.label).toHaveText(label);
  await expect(home.answer.locator(".certainty__number")).toHaveText(confidence);
  await expect(home.tiles).toHaveCount(1);
  const shown = page.getByAltText("The photo you sent");
  await expect.poll(() => shown.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
});

test("a flag is confirmed, kept, and taken back", { tag: "@phone" }, async ({ home }) => {
  await home.open();
  await home.classify();

  await home.reason("Bad photo").click();
  await expect(home.confirmation).toContainText("Flagged: bad photo");
  await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "true");
  await expect(home.tiles.first()).toContainText("Flagged");

  await home.reason("Not food").click();
  await expect(home.confirmation).toContainText("Flagged: not food");
  await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "false");

  await home.reload();
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "true");
  await expect(home.flags).toContainText("Flagged: not food");

  await home.flags.getByRole("button", { name: "Undo the flag" }).click();
  await expect(home.confirmation).toContainText("Flag taken back");
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "false");
  await expect(home.tiles.first()).not.toContainText("Flagged");

  await home.reload();
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "false");
});

test("a photo is relabelled, the label kept, and taken back", { tag: "@phone" }, async ({ home }) => {
  await home.open();
  const answer = await home.classify("egg");
  const choice = home.choice(2);
  const label = await choice.getAttribute("value");
  expect(label).not.toBe(answer);

  await choice.click();
  await expect(home.confirmation).toContainText(`you say it is ${label}`);
  await expect(choice).toHaveAttribute("aria-pressed", "true");
  await expect(home.tiles.first()).toContainText(`You: ${label}`);
  await expect(home.label, "the model's answer stays what it was").toHaveText(answer);

  await home.reload();
  await expect(home.otherClasses).toContainText(`You say: ${label}`);

  await home.otherClasses.getByRole("button", { name: "Undo your label" }).click();
  await expect(home.confirmation).toContainText("Your label is taken back");
  await expect(home.tiles.first()).not.toContainText("You:");

  await home.reload();
  await expect(home.otherClasses).not.toContainText("You say:");
});

test("a pressed button takes itself back", async ({ home }) => {
  await home.open();
  await home.classify();
  for (const button of [home.reason("Something else"), home.choice(0)]) {
    await button.click();
    await expect(button).toHaveAttribute("aria-pressed", "true");
    await button.click();
    await expect(button).toHaveAttribute("aria-pressed", "false");
  }
});

test("an erased photo is gone, after one question", { tag: "@phone" }, async ({ home, page }) => {
  await home.open();
  await home.classify("soup");
  const address = page.url();
  const image = address.replace("/?photo=", "/api/v1/predictions/") + "/image";
  expect((await page.request.get(image)).status()).toBe(200);

  await home.answer.getByText("Erase this photo", { exact: true }).click();
  await home.answer.getByText("Keep it").click();
  await expect(home.answer.getByRole("button", { name: "Erase for good" })).toBeHidden();

  await home.answer.getByText("Erase this photo", { exact: true }).click();
  await home.answer.getByRole("button", { name: "Erase for good" }).click();
  await expect(home.confirmation).toContainText("Your photo is erased");
  await expect(page.getByRole("heading", { name: "What’s on your plate?" })).toBeFocused();
  await expect(home.tiles).toHaveCount(0);

  expect([404, 410]).toContain((await page.request.get(image)).status());
  const response = await page.request.get(address);
  expect(response.status()).toBe(404);
});

test("photos are opened and erased from the list", { tag: "@phone" }, async ({ home, page }) => {
  await home.open();
  await home.classify("soup");
  await home.classify("bread");
  await home.classify("egg");
  await expect(home.tiles).toHaveCount(3);
  const newest = home.tiles.nth(0).getByRole("link");
  await expect(newest).toHaveAttribute("aria-current", "page");

  await home.tiles.nth(2).getByRole("link").click();
  await expect(home.tiles.nth(2).getByRole("link")).toHaveAttribute("aria-current", "page");
  await expect(newest).not.toHaveAttribute("aria-current", "page");
  await page.goBack();
  await expect(newest).toHaveAttribute("aria-current", "page");

  await home.tiles.nth(1).getByText("Erase this photo", { exact: true }).click({ force: true });
  await home.tiles.nth(1).getByRole("button", { name: "Erase for good" }).click();
  await expect(home.tiles).toHaveCount(2);
  await expect(newest, "the open photo stays open").toHaveAttribute("aria-current", "page");

  await home.reload();
  await expect(home.tiles).toHaveCount(2);
});

test("progress is shown while a photo is on its way", { tag: "@phone" }, async ({ home, page }) => {
  let letThrough = () => {};
  const held = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route("**/api/v1/predictions", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });
  await home.open();
  await home.choose(picture("salad"));

  await expect(page.getByRole("progressbar")).toBeVisible();
  await expect(page.getByAltText("The photo you are sending")).toBeVisible();
  await expect(home.answer).toBeHidden();
  letThrough();
  await expect(home.answer).toBeVisible();
  await expect(page.getByRole("progressbar")).toBeHidden();
});

test("a photo on its way can be called back", async ({ home, page }) => {
  await page.route("**/api/v1/predictions", () => {});
  await home.open();
  await home.choose(picture("soup"));
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("heading", { name: "What’s on your plate?" })).toBeVisible();
  await page.unrouteAll();
  await home.classify("egg");
});

test("a photo can be dropped on the page, or pasted", async ({ home, page }) => {
  await home.open();
  const { readFileSync } = await import("node:fs");
  const carried = (name: "soup" | "egg") =>
    page.evaluateHandle((bytes) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], "photo.jpg", { type: "image/jpeg" }));
      return transfer;
    }, [...readFileSync(picture(name))]);

  await page.dispatchEvent("main", "dragover", { dataTransfer: await carried("soup") });
  await expect(page.locator(".table--dragging")).toBeVisible();
  await page.dispatchEvent("main", "drop", { dataTransfer: await carried("soup") });
  await expect(home.answer).toBeVisible();
  await expect(home.tiles).toHaveCount(1);

  const clipboard = await carried("egg");
  await clipboard.evaluate((clipboardData) =>
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true })),
  );
  await expect(home.tiles).toHaveCount(2);
});

test("a phone offers its camera first", { tag: "@phone" }, async ({ home, page, isMobile }) => {
  await home.open();
  const camera = page.getByLabel("Take a photo", { exact: true });
  if (isMobile) {
    await expect(camera).toBeVisible();
    await expect(camera).toHaveAttribute("capture", "environment");
    await camera.setInputFiles(picture("bread"));
    await expect(home.answer).toBeVisible();
  } else {
    await expect(camera).toBeHidden();
  }
});

test("a photo chosen before the page came alive is sent when it does", async ({ home, page }) => {
  let letThrough = () => {};
  const held = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route("**/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto("/");
  await home.choose(picture("soup"));
  await expect(page.getByRole("button", { name: "Send", exact: true }).last()).toBeVisible();
  letThrough();
  await home.alive();
  await expect(home.answer).toBeVisible();
});
