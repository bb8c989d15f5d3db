// Pages that are no destination: the address that leads nowhere, the door.

import { expect } from "@playwright/test";

import { failedRequest, type Scene } from "./scene";

export const around: Scene[] = [
  {
    name: "nowhere",
    shows: "An address that leads nowhere",
    page: "nowhere",
    expectedInConsole: failedRequest,
    reach: ({ home }) => home.open("/nowhere"),
  },
  {
    name: "login",
    shows: "Signing in",
    page: "/login",
    reach: ({ home }) => home.open("/login"),
  },
  {
    name: "login-refused",
    shows: "A name or password that is wrong",
    page: "/login",
    expectedInConsole: failedRequest,
    async reach({ page }) {
      await page.goto("/login");
      await page.locator("[name=name]").fill("nobody");
      await page.locator("[name=password]").fill("not the password");
      await page.locator("[name=password]").press("Enter");
      await expect(page.getByRole("alert")).toBeVisible();
    },
  },
  {
    name: "login-asked-for",
    shows: "A visitor who asks for an operator's page",
    page: "/login",
    async reach({ home, page }) {
      await home.open("/photos");
      await expect(page).toHaveURL(/\/login\?next=/);
    },
  },
];
