// What tests of the operators' pages share: a browser in which an operator is signed in, and enough photos to scroll.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import type { APIRequestContext, Page } from "@playwright/test";

import { baseURL, makeAccount } from "../server";
import { picture, test as base } from "./page";

export { expect } from "./page";

/** More than two pages of the list. */
export const enough = 130;

const PASSWORD = "correct horse battery";

/** The session's cookie of an operator who has an account; one for each process that runs tests. */
let session: Promise<string> | undefined;

async function signIn(): Promise<string> {
  const name = `otto-${randomUUID()}`;
  makeAccount(name, "operator", PASSWORD);
  const answer = await fetch(`${baseURL}/login`, {
    method: "POST",
    headers: { Origin: baseURL },
    body: new URLSearchParams({ name, password: PASSWORD, next: "/photos" }),
    redirect: "manual",
  });
  const cookie = answer.headers.getSetCookie().map((line) => line.match(/^gourmetgram_session=([^;]+)/)?.[1]);
  const value = cookie.find((found) => found !== undefined);
  if (!value) throw new Error(`signing in was answered ${answer.status}`);
  return value;
}

/** Sends photos until there are enough. */
export async function sendEnough(request: APIRequestContext): Promise<void> {
  const counted = await request.get("/api/v1/predictions?limit=1&count=true");
  const { total } = await counted.json();
  const names = ["soup", "egg", "salad", "bread"] as const;
  for (let number = total.counted; number < enough; number++) {
    const answer = await request.post("/api/v1/predictions", {
      headers: { Origin: baseURL },
      multipart: {
        image: { name: "plate.jpg", mimeType: "image/jpeg", buffer: readFileSync(picture(names[number % names.length]!)) },
      },
    });
    if (!answer.ok()) throw new Error(await answer.text());
  }
}

export const alive = (page: Page): Promise<void> =>
  page.locator("html[data-alive]").waitFor({ state: "attached" });

export const test = base.extend({
  storageState: async ({}, use) => {
    const cookie = {
      name: "gourmetgram_session",
      value: await (session ??= signIn()),
      domain: new URL(baseURL).hostname,
      path: "/",
      expires: -1,
      httpOnly: true,
      secure: false,
      sameSite: "Lax" as const,
    };
    await use({ cookies: [cookie], origins: [] });
  },
});
