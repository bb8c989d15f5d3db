// Plain forms, in each engine.

import { By } from "selenium-webdriver";

import { expect, test } from "./browser";
import { button, label, reason, Visit } from "./visit";

test.use({ scripts: false });

test("upload, flag and undo are plain forms", async ({ driver, baseURL }) => {
  const visit = new Visit(driver, baseURL!);
  await visit.open();
  await visit.choose("egg");
  await (await visit.find(By.css(".source:not(.source--camera) button[type=submit]"))).click();
  expect(await visit.text(label)).not.toBe("");
  expect(await driver.getCurrentUrl()).toMatch(/\/\?photo=[0-9a-f-]{36}$/);
  await (await visit.find(reason("not_food"))).click();
  await expect.poll(() => visit.pressed(reason("not_food"))).toBe("true");
  await (await visit.find(button("Undo"))).click();
  await expect.poll(() => visit.pressed(reason("not_food"))).toBe("false");
  expect(await driver.findElements(By.css("html[data-alive]")), "no script ran").toHaveLength(0);
});
