// The dashboard with scripts off: everything is in the document.

import { become } from "../roles";
import { enoughMeasured, headline } from "./measuring";
import { expect, test } from "./page";

test.use({ expectedInConsole: /was preloaded using link preload/ });

test("numbers, charts, tables and the form need no script", async ({ page, context }) => {
  await become("operator", context);
  const hour = await enoughMeasured();
  await page.goto(hour.address);
  await expect(headline(page)).toContainText(`${hour.labels} of ${hour.photos} photos labelled`);
  await expect(page.getByRole("img", { name: "Accuracy over time" })).toBeVisible();
  const figure = page.getByRole("figure", { name: "Is it right as often as it is sure?" });
  await figure.getByText("The numbers as a table").click();
  await expect(figure.getByRole("table")).toBeVisible();
  await page.getByLabel("Taken apart by").selectOption("class");
  await page.getByRole("button", { name: "Show" }).click();
  await expect(page).toHaveURL(/slice=class/);
  await expect(page.getByRole("region", { name: "Taken apart" })).toBeVisible();
});
