import { readFileSync } from "node:fs";

import { brokenPicture, expect, HomePage, notAPicture, picture, test } from "./page";

// The browser itself writes refusals to the console, and that it did not need what scripts would have.
test.use({ expectedInConsole: /Failed to load resource|was preloaded using link preload/ });

/** Chooses a file and presses the form's own button. */
async function send(home: HomePage, file: Parameters<HomePage["choose"]>[0]): Promise<void> {
  await home.choose(file);
  await home.page.getByRole("button", { name: "Send", exact: true }).last().click();
}

test("upload, flag, undo, relabel, undo and erase are plain forms", async ({ home, page }) => {
  await page.goto("/");
  await expect(page.getByText("What we keep, and why")).toBeVisible();

  await send(home, picture("soup"));
  await expect(page).toHaveURL(/\/\?photo=[0-9a-f-]{36}$/);
  const label = await home.label.innerText();
  await expect(home.tiles).toHaveCount(1);
  await expect(home.tiles.first()).toContainText(label);

  await home.reason("Wrong label").click();
  await expect(home.flags).toContainText("Flagged: wrong label");
  await expect(home.reason("Wrong label")).toHaveAttribute("aria-pressed", "true");
  await home.flags.getByRole("button", { name: "Undo the flag" }).click();
  await expect(home.flags).not.toContainText("Flagged:");

  const truth = await home.choice(1).getAttribute("value");
  await home.choice(1).click();
  await expect(home.otherClasses).toContainText(`You say: ${truth}`);
  await expect(home.tiles.first()).toContainText(`You: ${truth}`);
  await home.otherClasses.getByRole("button", { name: "Undo your label" }).click();
  await expect(home.otherClasses).not.toContainText("You say:");

  await home.answer.getByText("Erase this photo", { exact: true }).click();
  await home.answer.getByRole("button", { name: "Erase for good" }).click();
  await expect(page).toHaveURL("/?erased=1");
  await expect(page.getByRole("status").filter({ hasText: "Your photo is erased." })).toBeVisible();
  await expect(home.tiles).toHaveCount(0);
});

test("a pressed button takes itself back", async ({ home, page }) => {
  await page.goto("/");
  await send(home, picture("egg"));
  for (const button of [home.reason("Not food"), home.choice(0)]) {
    await button.click();
    await expect(button).toHaveAttribute("aria-pressed", "true");
    await button.click();
    await expect(button).toHaveAttribute("aria-pressed", "false");
  }
});

test("a refused photo is explained on the page", async ({ home, page }) => {
  for (const file of [notAPicture, brokenPicture()]) {
    await page.goto("/");
    const answered = page.waitForResponse((response) => response.request().method() === "POST");
    await send(home, file);
    expect((await answered).status()).toBe(422);
    await expect(home.trouble).toContainText("That is not a photo we can read");
  }
  await send(home, picture("bread"));
  await expect(home.answer).toBeVisible();
  await expect(home.trouble).toBeHidden();
});

test("a photo too large is explained on the page", async ({ home, page }) => {
  await page.goto("/");
  await send(home, { name: "huge.jpg", mimeType: "image/jpeg", buffer: Buffer.alloc(20_500_000) });
  await expect(home.trouble).toContainText("That photo is too large");
});

test("nothing is on the page that only scripts could do", async ({ home, page }) => {
  await page.goto("/");
  await send(home, picture("soup"));
  for (const button of await page.locator("button").all()) {
    await expect(button).toHaveAttribute("type", "submit");
  }
  await expect(page.getByLabel("Take a photo", { exact: true })).toBeHidden();
});

test("several photos go by one form, and those that are none are counted", async ({ home, page }) => {
  await page.goto("/");
  await send(home, [picture("soup"), picture("egg")]);
  await expect(page).toHaveURL("/?sent=2#my-photos");
  await expect(page.getByRole("status").filter({ hasText: "2 photos are answered." })).toBeInViewport();
  await expect(home.tiles).toHaveCount(2);

  const note = { name: "note.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture") };
  const bread = { name: "bread.jpg", mimeType: "image/jpeg", buffer: readFileSync(picture("bread")) };
  await send(home, [note, bread]);
  await expect(home.album).toContainText("1 photo is answered, 1 was not taken.");
  await expect(home.tiles).toHaveCount(3);
});
