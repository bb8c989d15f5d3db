import { expect, sendEnough, test } from "./operator";

test.use({ expectedInConsole: /Failed to load resource|was preloaded using link preload/ });
test.setTimeout(120_000);

test.beforeEach(async ({ request }) => sendEnough(request));

test("filters, order, view and pages are a form and links", async ({ page }) => {
  await page.goto("/photos");
  await page.getByLabel("Flag", { exact: true }).selectOption("Not flagged");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/flag=no/);
  await expect(page.getByLabel("Flag", { exact: true })).toHaveValue("no");
  await page.getByRole("link", { name: "Table", exact: true }).click();
  await page.getByRole("columnheader", { name: /Class/ }).getByRole("link").click();
  await expect(page.getByRole("columnheader", { name: /Class/ })).toHaveAttribute("aria-sort", "ascending");

  const ids = () => page.locator(".tick__box").evaluateAll((boxes) => boxes.map((box) => (box as HTMLInputElement).value));
  const first = await ids();
  await page.getByRole("link", { name: "Next page" }).click();
  const second = await ids();
  expect(first.length).toBe(60);
  expect(second.filter((id) => first.includes(id))).toEqual([]);
  await page.getByRole("link", { name: "First page" }).click();
  expect(await ids()).toEqual(first);
});

test("many photos are flagged and unflagged by plain forms", async ({ page }) => {
  await page.goto("/photos?flag=no");
  const boxes = page.locator(".tick__box");
  await boxes.nth(0).check();
  await boxes.nth(2).check();
  await page.getByLabel("Reason").selectOption("Something else");
  await page.getByRole("button", { name: "Flag", exact: true }).click();
  await expect(page.getByText("2 photos flagged for review.")).toBeVisible();
  await page.getByRole("button", { name: "Undo the flags" }).click();
  await expect(page.getByText("2 photos flagged for review.")).toBeVisible();
});

test("one photo is flagged, corrected and left by plain forms", async ({ page }) => {
  await page.goto("/photos?view=table");
  await page.locator(".line__link").first().click();
  const here = page.url();
  await page.getByRole("button", { name: "Wrong label" }).click();
  await expect(page).toHaveURL(here);
  await expect(page.getByRole("button", { name: "Wrong label" })).toHaveAttribute("aria-pressed", "true");
  await page.getByLabel("What it really is").selectOption({ index: 2 });
  await page.getByRole("button", { name: "Correct", exact: true }).click();
  await expect(page.locator(".record__step").first()).toContainText("Corrected to");
  await page.getByRole("button", { name: "Undo the correction" }).click();
  await expect(page.locator(".record__step").first()).toContainText("Correction taken back");
  await page.getByRole("button", { name: "Wrong label" }).click();
  await expect(page.locator(".record__step").first()).toContainText("Flag taken back");
  await page.getByRole("link", { name: "All photos" }).click();
  await expect(page).toHaveURL("/photos?view=table");
});
