// The way from page to page: who is shown which, and where one is.

import type { Page } from "@playwright/test";

import { become, type Role } from "../roles";
import { expect, test } from "./page";

/** The pages' names in their order, with their addresses, and who may open them. */
const pages = [
  { name: "Photo", address: "/", roles: ["annotator", "operator"] },
  { name: "Dashboard", address: "/dashboard", roles: ["operator"] },
  { name: "Photos", address: "/photos", roles: ["operator"] },
  { name: "Campaigns", address: "/campaigns", roles: ["operator"] },
  { name: "Review", address: "/review", roles: ["annotator", "operator"] },
  { name: "Pipelines", address: "/pipelines", roles: ["operator"] },
  { name: "Models", address: "/models", roles: ["operator"] },
] satisfies { name: string; address: string; roles: Role[] }[];

const navigation = (page: Page) => page.getByRole("navigation", { name: "Pages" });

for (const role of ["annotator", "operator"] as const) {
  const theirs = pages.filter(({ roles }) => (roles as Role[]).includes(role));

  test(`an ${role} is shown the pages they may open, and which of them this is`, { tag: "@phone" }, async ({ home, page, context }) => {
    await become(role, context);
    await home.open();
    const links = navigation(page).getByRole("link");
    await expect(links).toHaveText(theirs.map(({ name }) => name));
    for (const { name, address } of theirs) {
      await links.filter({ hasText: new RegExp(`^${name}$`) }).click();
      await expect(page).toHaveURL(address);
      await home.alive();
      await expect(links.and(page.locator("[aria-current=page]"))).toHaveText([name]);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    }
  });
}

test("a page below another is marked as that", async ({ home, page, context }) => {
  await become("operator", context);
  await home.open("/photos?class=Soup&view=table");
  await expect(navigation(page).locator("[aria-current=page]")).toHaveText(["Photos"]);
});

test("a visitor needs no way but the one to the door", { tag: "@phone" }, async ({ home, page }) => {
  await home.open();
  await expect(navigation(page)).toBeHidden();
  await page.getByRole("link", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/^[^?]*\/login/);
  await expect(page.getByRole("link", { name: "Sign in" }), "whoever is at the door").toBeHidden();
});

test("on a phone the way lies at the lower edge, and hides nothing", { tag: "@phone" }, async ({ home, page, context, isMobile }) => {
  test.skip(!isMobile, "for phones");
  await become("operator", context);
  await home.open("/models");
  const { height } = page.viewportSize()!;
  const bar = (await navigation(page).boundingBox())!;
  expect(bar.y + bar.height).toBeCloseTo(height, 0);
  for (const link of await navigation(page).getByRole("link").all()) {
    const target = (await link.boundingBox())!;
    expect(Math.min(target.width, target.height)).toBeGreaterThanOrEqual(44);
  }
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  const last = (await page.getByRole("contentinfo").getByRole("link").boundingBox())!;
  expect(last.y + last.height, "the page's end can be seen").toBeLessThanOrEqual(bar.y);
});
