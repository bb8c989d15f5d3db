import { randomUUID } from "node:crypto";

import { makeAccount, operatorLink } from "../server";
import { expect, test } from "./page";

// The browser itself writes refusals to the console, and that pages without scripts preload what scripts would need.
test.use({ expectedInConsole: /Failed to load resource|was preloaded using link preload/ });

const PASSWORD = "correct horse battery";

const aName = (): string => `ann-${randomUUID()}`;

test("somebody with an account signs in, and out again", { tag: "@phone" }, async ({ page }) => {
  const name = aName();
  makeAccount(name, "annotator", PASSWORD);
  await page.goto("/login?next=%2Flogin%2Faccount");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill("wrong wrong wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("The name or the password is wrong.");

  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL("/");

  await page.goto("/pipelines");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This room is for others.");
  await page.goto("/login");
  await expect(page.getByText(`You are signed in as ${name}.`)).toBeVisible();
  await page.getByRole("main").getByRole("button", { name: "Sign out" }).click();
  await page.goto("/login/account");
  await expect(page).toHaveURL(/\/login\?next=/);
});

test("a one-time link leads to an account", async ({ page }) => {
  await page.goto(operatorLink());
  await page.getByRole("button", { name: "Sign in as operator" }).click();
  await expect(page).toHaveURL("/login/account");
  const name = aName();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await page.getByRole("button", { name: "Make my account" }).click();
  await expect(page).toHaveURL("/");
  await page.goto("/login/account");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
});
