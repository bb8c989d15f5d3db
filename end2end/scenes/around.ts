// Pages that are no destination: the address that leads nowhere, the door.

import { expect } from "@playwright/test";

import { operatorLink, strictURL } from "../server";
import { failedRequest, type Scene, type Stage } from "./scene";

export const around: Scene[] = [
  {
    name: "nowhere",
    shows: "An address that leads nowhere",
    page: "nowhere",
    expectedInConsole: failedRequest,
    reach: ({ home }) => home.open("/nowhere"),
  },
  ...(strictURL
    ? [
        {
          name: "not-now",
          shows: "A page, asked for too often",
          page: "nowhere" as const,
          expectedInConsole: failedRequest,
          async reach({ page }: Stage) {
            await expect.poll(async () => (await page.request.get(strictURL!)).status()).toBe(429);
            await page.goto(strictURL!);
            await expect(page.getByRole("heading", { level: 1 })).toHaveText("One plate at a time.");
          },
        },
      ]
    : []),
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
    async reach({ home, page }) {
      await home.open("/login");
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
      await home.open("/dashboard");
      await expect(page).toHaveURL(/\/login\?next=/);
    },
  },
  {
    name: "login-ended",
    shows: "A session that has ended",
    page: "/login",
    reach: ({ home }) => home.open("/login?ended=1"),
  },
  {
    name: "login-inside",
    shows: "The door, for somebody who is in already",
    page: "/login",
    as: "annotator",
    reach: ({ home }) => home.open("/login"),
  },
  {
    name: "link",
    shows: "A link that signs an operator in",
    page: "/login/link",
    reach: ({ home }) => home.open(operatorLink()),
  },
  {
    name: "link-without-key",
    shows: "The link's address without what makes it one",
    page: "/login/link",
    reach: ({ home }) => home.open("/login/link"),
  },
  {
    name: "link-used",
    shows: "A link that opens nothing any more",
    page: "/login/link",
    expectedInConsole: failedRequest,
    async reach({ home, page }) {
      await home.open("/login/link?token=used");
      await page.getByRole("button", { name: "Sign in as operator" }).click();
      await expect(page.getByRole("alert")).toBeVisible();
    },
  },
  {
    name: "account",
    shows: "One's own account",
    page: "/login/account",
    reach: ({ home }) => home.open("/login/account"),
  },
  {
    name: "account-new",
    shows: "An operator who came by a link makes an account",
    page: "/login/account",
    as: "visitor",
    async reach({ home, page }) {
      await home.open(operatorLink());
      await page.getByRole("button", { name: "Sign in as operator" }).click();
      await expect(page).toHaveURL("/login/account");
      await home.alive();
    },
  },
  {
    name: "not-allowed",
    shows: "An annotator who asks for an operator's page",
    page: "/pipelines",
    as: "annotator",
    expectedInConsole: failedRequest,
    reach: ({ home }) => home.open("/pipelines"),
  },
];
