// The main job, in each engine: a photo goes in, a label comes out, it is judged, and all of it survives a reload.

import { By, Key } from "selenium-webdriver";

import { pages, toCome, type Address } from "../site";
import { expect, test } from "./browser";
import { answer, button, label, reason, tiles, Visit } from "./visit";

test("the page comes alive, and takes a photo, a flag, a label and all of it back", async ({ driver, baseURL }) => {
  const visit = new Visit(driver, baseURL!);
  await visit.open();
  await visit.alive();
  expect(await driver.getTitle()).toBe("GourmetGram");

  await visit.choose("soup");
  const said = await visit.text(label);
  expect(said).not.toBe("");
  await expect.poll(() => driver.getTitle()).toBe(`${said} · GourmetGram`);
  expect(await driver.getCurrentUrl()).toMatch(/\/\?photo=[0-9a-f-]{36}$/);

  await visit.press(reason("bad_photo"));
  await expect.poll(() => visit.pressed(reason("bad_photo"))).toBe("true");
  await driver.navigate().refresh();
  await visit.alive();
  expect(await visit.text(label)).toBe(said);
  expect(await visit.pressed(reason("bad_photo"))).toBe("true");
  const image = await visit.find(By.css("figure img"));
  await expect.poll(() => image.getAttribute("naturalWidth")).not.toBe("0");

  await visit.press(button("Undo"));
  await expect.poll(() => visit.pressed(reason("bad_photo"))).toBe("false");

  const choice = By.css("button[name=label]");
  await visit.press(choice);
  await expect.poll(() => visit.pressed(choice)).toBe("true");
  await driver.navigate().refresh();
  await visit.alive();
  expect(await visit.pressed(choice)).toBe("true");

  await (await visit.find(choice)).sendKeys(Key.SPACE);
  await expect.poll(() => visit.pressed(choice), "by keyboard").toBe("false");

  await visit.press(By.css(`${answer} summary`));
  await visit.press(button("Erase for good"));
  await expect.poll(() => visit.count(tiles)).toBe(0);
  await expect.poll(() => visit.count(answer)).toBe(0);
});

test("a file that is no picture is refused", async ({ driver, baseURL }) => {
  const visit = new Visit(driver, baseURL!);
  await visit.open();
  await visit.alive();
  const input = await visit.find(By.css(".source:not(.source--camera) input[type=file]"));
  await input.sendKeys(import.meta.filename);
  expect(await visit.text(By.css("[role=alert]"))).toContain("not a photo we can read");
});

test("every page for visitors comes alive, and fits", async ({ driver, baseURL }) => {
  const visit = new Visit(driver, baseURL!);
  const addresses = (Object.keys(pages) as Address[]).filter((address) => pages[address] === "visitor");
  for (const address of [...addresses.filter((address) => !toCome.includes(address)), "/nowhere"]) {
    await visit.open(address);
    await visit.alive();
    expect(await visit.text(By.css("h1")), address).not.toBe("");
    expect(await driver.executeScript("return document.documentElement.scrollWidth <= innerWidth"), address).toBe(true);
  }
});
