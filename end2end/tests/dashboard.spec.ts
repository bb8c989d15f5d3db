// How accurate it really is, as operators read it: with numbers that were taken, drawn and labelled beforehand.

import AxeBuilder from "@axe-core/playwright";

import { become } from "../roles";
import { recomputed } from "../server";
import { enoughMeasured, headline, measuredHour } from "./measuring";
import { expect, test } from "./page";

interface Evaluated {
  headline: Record<"accuracy" | "check", { value: number; lower: number; upper: number; labels: number; photos: number }>;
}

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

test("window, interval, model and slice stand in the address", async ({ page }) => {
  const hour = await enoughMeasured();
  await page.goto(hour.address);
  const model = await page.getByLabel("Model", { exact: true }).inputValue();
  await page.getByLabel("Model", { exact: true }).selectOption(model);
  await page.getByLabel("Over time, by").selectOption("hour");
  await page.getByLabel("Taken apart by").selectOption("confidence");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page).toHaveURL(/slice=confidence/);
  // Days are whole ones: the hour's day, with the other choices as they were made.
  const asked = () => new URL(page.url()).searchParams;
  const day = new URL(hour.address, page.url()).searchParams.get("from")!.slice(0, 10);
  expect([asked().get("from"), asked().get("step"), asked().get("model"), asked().get("slice")]).toEqual([day, "hour", model, "confidence"]);
  await expect(page.getByRole("region", { name: "Taken apart" }).getByRole("row").nth(1)).toBeVisible();
  await expect(page.getByLabel("Over time, by")).toHaveValue("hour");
  await expect(page.getByLabel("Model", { exact: true })).toHaveValue(model);
  const chart = page.getByRole("figure", { name: "Accuracy over time" });
  await chart.getByText("The numbers as a table").click();
  await expect(chart.getByRole("rowheader").first()).toContainText(":00");

  // Without days the named window counts, and by months it has one point a month.
  await page.getByLabel("First day, UTC").fill("");
  await page.getByLabel("Last day, UTC").fill("");
  await page.getByLabel("Window", { exact: true }).selectOption("all");
  await page.getByLabel("Over time, by").selectOption("month");
  await page.getByLabel("Taken apart by").selectOption("model");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page).toHaveURL(/slice=model/);
  expect([asked().get("window"), asked().get("from"), asked().get("step"), asked().get("slice")]).toEqual(["all", "", "month", "model"]);
  await expect(page.getByLabel("Window", { exact: true })).toHaveValue("all");
  await expect(page.getByRole("region", { name: "Taken apart" }).getByRole("rowheader").first()).toHaveText(model);
  // A link to one point keeps model and slice.
  await page.getByRole("figure", { name: "Accuracy over time" }).getByText("The numbers as a table").click();
  await page.getByRole("figure", { name: "Accuracy over time" }).getByRole("rowheader").first().getByRole("link").click();
  await expect(page).toHaveURL(/from=\d/);
  expect([asked().get("window"), asked().get("step"), asked().get("model"), asked().get("slice")]).toEqual([null, null, model, "model"]);
  expect(Date.parse(asked().get("to")!) - Date.parse(asked().get("from")!)).toBeGreaterThan(0);
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

test("the page's manifest is enough to compute its headline again, from the records alone", async ({ page }) => {
  test.slow();
  const hour = await enoughMeasured();
  await page.goto(hour.address);
  const address = await page.getByRole("link", { name: "manifest" }).getAttribute("href");
  // What was labelled a moment ago is written to the records within seconds.
  let again: Evaluated | undefined;
  await expect(async () => {
    const answer = await page.request.get(address!);
    expect(answer.status()).toBe(200);
    expect(answer.headers()["content-type"]).toContain("application/json");
    again = recomputed(await answer.text()) as Evaluated;
  }).toPass({ timeout: 60_000 });
  const { accuracy, check } = again!.headline;
  const answer = await page.request.get(`/api/v1/evaluation?${new URL(hour.address, page.url()).searchParams}`);
  const { headline: told } = (await answer.json()) as Evaluated;
  expect({ accuracy, check }).toEqual({ accuracy: told.accuracy, check: told.check });
  // As the page writes it.
  const written = (share: number) => `${(share * 100).toFixed(1)}%`;
  await expect(headline(page).locator(".headline__value")).toHaveText(written(accuracy.value));
  await expect(headline(page).locator(".headline__interval")).toContainText(`${written(accuracy.lower)} to ${written(accuracy.upper)}`);
  await expect(headline(page)).toContainText(`${accuracy.labels} of ${accuracy.photos} photos labelled`);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`on paper it is legible and nothing is cut off, from a ${colorScheme} screen`, async ({ page }) => {
    const { address } = await enoughMeasured();
    // A4 at 96 dots an inch, with a centimetre of margin.
    await page.setViewportSize({ width: 718, height: 1046 });
    await page.emulateMedia({ media: "print", colorScheme });
    await page.goto(`${address}&slice=class`);
    // White paper, dark ink, and enough of a difference for small letters.
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)");
    const { violations } = await new AxeBuilder({ page }).include(".board").withRules(["color-contrast"]).analyze();
    expect(violations.flatMap(({ nodes }) => nodes.map(({ html }) => html))).toEqual([]);
    // Nothing to press, nothing to scroll.
    for (const control of ["form", "button", "nav", ".button", ".masthead", ".chart__numbers > summary"]) {
      for (const found of await page.locator(control).all()) await expect(found, control).toBeHidden();
    }
    const beyond = await page.evaluate(() =>
      [...document.querySelectorAll(".board, .board section, .board table, .board svg, .board p, .board dl, .board td, .board th")]
        .filter((element) => element.getClientRects().length > 0 && !element.closest(".visually-hidden, .chart__drawing"))
        .filter((element) => {
          const isCut = element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible";
          return isCut || element.getBoundingClientRect().right > innerWidth + 1;
        })
        .map((element) => `${element.tagName} ${element.getAttribute("class")} ${Math.round(element.getBoundingClientRect().right)}`),
    );
    expect(beyond).toEqual([]);
    // What belongs is there: every section with its drawings, and what the screen keeps folded.
    for (const part of ["headline", "beside", "decision", "over-time", "classes", "confidence", "drift", "people", "labelling", "service", "audit"]) {
      await expect(page.locator(`#${part}`), part).toBeVisible();
    }
    for (const drawing of await page.locator(".chart__drawing").all()) {
      const box = (await drawing.boundingBox())!;
      expect(box.width > 200 && box.height > 100, `${box.width} by ${box.height}`).toBe(true);
    }
    await expect(page.locator("#decision-rule").getByText(/^Retrain when the random sample/)).toBeVisible();
  });
}

test("an address that cannot be meant is said so, with the form as it was", async ({ page }) => {
  const answer = await page.goto("/dashboard?from=soon&model=food64");
  expect(answer!.status()).toBe(400);
  await expect(page.getByRole("alert")).toContainText("soon");
  await expect(page.getByRole("form", { name: "What to look at" })).toBeVisible();
});
