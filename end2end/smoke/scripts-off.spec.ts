// Plain forms, in each engine.

import { By } from "selenium-webdriver";

import { expect, test } from "./browser";
import { button, label, reason, Visit } from "./visit";

test.use({ scripts: false });

test("upload, flag and undo are plain forms", async ({ driver, baseURL }) => {
  const visit = new Visit(driver, baseURL!);
  // A form loads the page anew: what was found on the one before is gone, and is looked for again.
  const shows = (pressed: string): Promise<void> =>
    expect(async () => expect(await visit.pressed(reason("not_food"))).toBe(pressed)).toPass({ timeout: 10_000 });
  await visit.open();
  await visit.choose("egg");
  await (await visit.find(By.css(".source:not(.source--camera) button[type=submit]"))).click();
  expect(await visit.text(label)).not.toBe("");
  expect(await driver.getCurrentUrl()).toMatch(/\/\?photo=[0-9a-f-]{36}$/);
  await (await visit.find(reason("not_food"))).click();
  await shows("true");
  await (await visit.find(button("Undo"))).click();
  await shows("false");
  expect(await driver.findElements(By.css("html[data-alive]")), "no script ran").toHaveLength(0);
});
