// The whole of the main job without a mouse. That every page shows where the keyboard is: pages.spec.ts.

import { become } from "../roles";
import { stop, tabTo, walk } from "./focus";
import { expect, picture, problem, test } from "./page";

test("a photo is chosen, judged, and everything taken back, by keyboard alone", async ({ home, page }) => {
  const { keyboard } = page;
  await home.open();

  await keyboard.press("Tab");
  expect((await stop(page))?.name).toBe("Skip to the content");
  await keyboard.press("Enter");
  const chooser = page.waitForEvent("filechooser");
  await tabTo(page, /^Choose photos$/);
  await keyboard.press("Enter");
  await (await chooser).setFiles(picture("soup"));
  await expect(home.label, "who cannot see the page change is taken to the answer").toBeFocused();

  await tabTo(page, /^Not food$/);
  await keyboard.press("Enter");
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "true");
  await expect(home.confirmation).toContainText("Flagged: not food");
  await expect(home.reason("Not food"), "the keyboard stays where it was").toBeFocused();
  await tabTo(page, /^Undo the flag$/, "Shift+Tab");
  await keyboard.press("Enter");
  await expect(home.confirmation).toContainText("Flag taken back");
  await expect(home.flags, "the button is gone; the keyboard is near where it was").toBeFocused();
  await tabTo(page, /^Bad photo$/);
  await keyboard.press("Space");
  await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "true");
  await keyboard.press("Space");
  await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "false");

  const truth = await home.choice(1).getAttribute("value");
  await tabTo(page, new RegExp(`^${truth}`), "Shift+Tab");
  await keyboard.press("Enter");
  await expect(home.choice(1)).toHaveAttribute("aria-pressed", "true");
  await expect(home.otherClasses).toContainText(`You say: ${truth}`);
  await tabTo(page, /^Undo your label$/, "Shift+Tab");
  await keyboard.press("Space");
  await expect(home.choice(1)).toHaveAttribute("aria-pressed", "false");

  const another = page.waitForEvent("filechooser");
  await tabTo(page, /^More photos$/, "Shift+Tab");
  await keyboard.press("Space");
  await (await another).setFiles(picture("egg"));
  await expect(home.tiles).toHaveCount(2);
  await expect(home.label).toBeFocused();

  await tabTo(page, /^Erase this photo/);
  await keyboard.press("Enter");
  await tabTo(page, /^Erase for good$/);
  await keyboard.press("Enter");
  await expect(home.tiles).toHaveCount(1);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

test("an older photo is opened and erased from the list by keyboard alone", async ({ home, page }) => {
  const { keyboard } = page;
  await home.open();
  await home.classify("salad");
  const older = await home.label.innerText();
  await home.classify("bread");
  await expect(home.tiles).toHaveCount(2);

  await tabTo(page, /^Erase this photo/);
  await tabTo(page, new RegExp(`^${older}`));
  await keyboard.press("Enter");
  await expect(home.tiles.nth(1).getByRole("link")).toHaveAttribute("aria-current", "page");
  await expect(home.label).toHaveText(older);

  await tabTo(page, /^Erase this photo/);
  await keyboard.press("Enter");
  await tabTo(page, /^Keep it|^Erase for good$/);
  await tabTo(page, /^(Keep it|Erase this photo)/, "Shift+Tab");
  await keyboard.press("Enter");
  await expect(home.answer.getByRole("button", { name: "Erase for good" }), "asked, and kept").toBeHidden();
});

test.describe(() => {
  test.use({ expectedInConsole: /Failed to load resource/ });

  test("an upload is called off by keyboard alone, and a failed flag sent again", async ({ home, page }) => {
    await page.route("**/api/v1/predictions", () => {});
    await home.open();
    await home.choose(picture("soup"));
    await tabTo(page, /^Cancel$/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
    await page.unrouteAll({ behavior: "ignoreErrors" });

    await page.route("**/flag", (route) => route.fulfill(problem(500, "internal", "The server has logged why.")));
    await home.classify("soup");
    await tabTo(page, /^Not food$/);
    await page.keyboard.press("Enter");
    await expect(home.trouble).toBeVisible();
    await page.unrouteAll();
    await tabTo(page, /^Try again$/);
    await page.keyboard.press("Enter");
    await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "true");
  });
});

test("an operator goes from page to page by keyboard alone", async ({ home, page, context }) => {
  await become("operator", context);
  await home.open();
  for (const [name, address] of [["Photos", "/photos"], ["Models", "/models"], ["Photo", "/"]] as const) {
    await tabTo(page, new RegExp(`^${name}$`));
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(address);
    await home.alive();
  }
  await tabTo(page, /^Sign out$/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("navigation", { name: "Pages" })).toBeHidden();
});

test("backwards the keyboard comes by the same places", async ({ home, page }) => {
  await home.open();
  await home.classify("soup");
  const forwards = (await walk(page)).map(({ name }) => name);
  expect(forwards.length).toBeGreaterThan(10);
  const backwards: (string | undefined)[] = [];
  for (const _ of forwards) {
    await page.keyboard.press("Shift+Tab");
    backwards.unshift((await stop(page))?.name);
  }
  expect(backwards).toEqual(forwards);
});
