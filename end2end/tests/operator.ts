// What tests of the operators' pages share: an operator's access token, and enough photos to scroll.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { APIRequestContext, Page } from "@playwright/test";

import { binary, dataFolder } from "../server";
import { picture, test as base } from "./page";

export { expect } from "./page";

/** More than two pages of the list. */
export const enough = 130;

/** An access token; one for each process that runs tests. */
function token(): string {
  const folder = join(dataFolder, "tokens");
  const file = join(folder, String(process.pid));
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const said = execFileSync(binary(), ["user", "add", `tests-${process.pid}`], {
      env: { ...process.env, GOURMETGRAM__DATA_DIR: dataFolder, GOURMETGRAM__LOG__FILTER: "warn" },
      encoding: "utf8",
    });
    writeFileSync(file, said.match(/ggo_[\w-]+/)![0]);
  }
  return readFileSync(file, "utf8");
}

/** Sends photos until there are enough. */
export async function sendEnough(request: APIRequestContext): Promise<void> {
  const counted = await request.get("/api/v1/predictions?limit=1&count=true");
  const { total } = await counted.json();
  const names = ["soup", "egg", "salad", "bread"] as const;
  for (let number = total.counted; number < enough; number++) {
    const photo = readFileSync(picture(names[number % names.length]!));
    // Bytes after a JPEG's end make it another file.
    const buffer = Buffer.concat([photo, Buffer.from(`${process.pid} ${number}`)]);
    const answer = await request.post("/api/v1/predictions", {
      multipart: { image: { name: "plate.jpg", mimeType: "image/jpeg", buffer } },
    });
    if (!answer.ok()) throw new Error(await answer.text());
  }
}

export const alive = (page: Page): Promise<void> =>
  page.locator("html[data-alive]").waitFor({ state: "attached" });

export const test = base.extend({
  extraHTTPHeaders: async ({}, use) => use({ Authorization: `Bearer ${token()}` }),
});
