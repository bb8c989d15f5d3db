// How accurate it really is, as operators read it: with numbers that were taken, drawn and labelled beforehand.

import { become } from "../roles";
import { enoughMeasured, headline, measuredHour } from "./measuring";
import { expect, test } from "./page";

test.beforeEach(({ context }) => become("operator", context));

test("the headline says how accurate, how sure, and from what", { tag: "@phone" }, async ({ page }) => {
  const hour = await enoughMeasured();
  await page.goto(hour.address);
  const said = headline(page);
  await expect(said.locator(".headline__value")).toHaveText(/^\d{1,3}(\.\d)?%$/);
  await expect(said).toContainText("with 95% confidence");
  await expect(said).toContainText(new RegExp(`${hour.labels} of ${hour.photos} photos labelled`));
  const beside = page.getByRole("region", { name: "Beside it" });
  await expect(beside.getByRole("row", { name: /^Measured in production/ })).toContainText(/\d% to [\d.]+%/);
  await expect(beside.getByRole("row", { name: /^Offline, of the model card/ })).toContainText("%");
  await expect(beside.getByRole("row", { name: /^What the tutorial would print/ })).toContainText("wrong");
  await expect(page.getByRole("region", { name: "Retrain?" })).toContainText("The rule");
});

test("too few labels are no number", async ({ page }) => {
  await page.goto((await measuredHour(12, 6)).address);
  await expect(headline(page)).toContainText("Too early to say");
  await expect(headline(page).locator(".headline__interval")).toContainText("n too small");
  await expect(page.getByRole("region", { name: "By class" })).toContainText("n too small");
});

test("every number leads to what it means", async ({ page }) => {
  await page.goto((await enoughMeasured()).address);
  const terms = page.locator(".term");
  const addresses = new Set(await terms.evaluateAll((links) => links.map((link) => link.getAttribute("href")!)));
  expect(addresses.size).toBeGreaterThan(20);
  await headline(page).getByRole("link", { name: "Accuracy", exact: true }).click();
  await expect(page).toHaveURL(/\/dashboard\/statistics#/);
  for (const address of addresses) {
    await expect(page.locator(`[id="${address.split("#")[1]}"]`), address).toHaveCount(1);
  }
});

test("a cell of the confusion matrix opens its photos and no others", async ({ page }) => {
  await page.goto((await enoughMeasured()).address);
  const cells = page.getByRole("region", { name: "What is taken for what" }).getByRole("link");
  const said = await cells.evaluateAll((links) => links.map((link) => [link.getAttribute("aria-label")!, link.getAttribute("href")!]));
  expect(said.length).toBeGreaterThan(2);
  for (const [words, address] of said) {
    await page.goto(address!);
    const [, shown, answered, labels] = words!.match(/^(.+) answered as (.+?): .* ([\d,]+) labels?$/)!;
    await expect(page.locator("main .print__label"), words).toHaveText(Array<string>(Number(labels)).fill(answered!));
    await expect(page.getByLabel("Annotated as")).toHaveValue(shown!);
    await expect(page.getByLabel("Chosen by campaign")).not.toHaveValue("");
  }
});

test("suspect labels are listed with the way to their photos", async ({ page }) => {
  await page.goto((await enoughMeasured()).address);
  await page.getByRole("region", { name: /^Labelling/ }).getByRole("link", { name: /^\d+ labels?$/ }).click();
  await expect(page).toHaveURL(/\/dashboard\/suspects\?/);
  const row = page.getByRole("table").getByRole("row").nth(1);
  await expect(row).toContainText(/−\d\.\d{3}/);
  await row.getByRole("link").click();
  await expect(page).toHaveURL(/\/photos\/[0-9a-f-]{36}$/);
});

test("window, model and slice stand in the address", async ({ page }) => {
  await page.goto((await enoughMeasured()).address);
  await page.getByLabel("Taken apart by").selectOption("confidence");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page).toHaveURL(/slice=confidence/);
  await expect(page.getByRole("region", { name: "Taken apart" }).getByRole("row").nth(1)).toBeVisible();
  await page.getByText("Other days").waitFor();
});

test("the numbers behind a chart are a table, and stay open while the page keeps itself up to date", async ({ page }) => {
  await page.clock.install();
  await page.goto((await enoughMeasured()).address);
  const chart = page.getByRole("figure", { name: "Accuracy over time" });
  await chart.getByText("The numbers as a table").click();
  await expect(chart.getByRole("table")).toBeVisible();
  const before = await page.evaluate(() => document.documentElement.scrollHeight);
  // What is there is made untrue, so that it is seen when the page has taken the truth over.
  await page.locator(".headline__basis").evaluate((said) => (said.textContent = "nothing of the kind"));
  await page.clock.runFor(31_000);
  await expect(page.locator(".headline__basis")).toContainText("photos labelled");
  await expect(chart.getByRole("table")).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBe(before);
});

test("anybody can take the manifest and compute it again", async ({ page }) => {
  await page.goto((await enoughMeasured()).address);
  const address = await page.getByRole("link", { name: "manifest" }).getAttribute("href");
  const answer = await page.request.get(address!);
  expect(answer.status()).toBe(200);
  expect(answer.headers()["content-type"]).toContain("application/json");
});

test("an address that cannot be meant is said so, with the form as it was", async ({ page }) => {
  const answer = await page.goto("/dashboard?from=soon&model=food64");
  expect(answer!.status()).toBe(400);
  await expect(page.getByRole("alert")).toContainText("soon");
  await expect(page.getByRole("form", { name: "What to look at" })).toBeVisible();
});
