// Who looks at a page, and how a browser becomes that.

import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";

import type { BrowserContext } from "@playwright/test";

import { binary, repository, settings } from "./server";

export type Role = "visitor" | "annotator" | "operator";

/** One account a role and process: made when it is first needed. */
const tokens = new Map<Role, string>();

function token(role: Role): string {
  let known = tokens.get(role);
  if (!known) {
    const answer = execFileSync(binary(), ["user", "add", `${role}-${randomUUID()}`, "--role", role, "--json"], {
      cwd: repository,
      env: { ...process.env, ...settings },
    });
    known = JSON.parse(answer.toString()).token as string;
    tokens.set(role, known);
  }
  return known;
}

/** From now on, whatever this browser asks is asked by somebody with that role. */
export async function become(role: Role, context: BrowserContext): Promise<void> {
  if (role === "visitor") return;
  await context.setExtraHTTPHeaders({ Authorization: `Bearer ${token(role)}` });
}
