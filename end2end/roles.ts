// Who looks at a page, and how a browser becomes that.

import { randomUUID } from "node:crypto";

import { expect, type BrowserContext } from "@playwright/test";

import { baseURL, makeAccount } from "./server";

export type Role = "visitor" | "annotator" | "operator";

const PASSWORD = "correct horse battery staple";

/** One account a role in each process, made when it is first needed. */
const names = new Map<Role, string>();

/** From now on, whatever this browser asks is asked by somebody with that role, signed in as people are. */
export async function become(role: Role, context: BrowserContext): Promise<void> {
  if (role === "visitor") return;
  let name = names.get(role);
  if (!name) {
    name = newAccount(role);
    names.set(role, name);
  }
  await signIn(name, context);
}

/** Somebody of that role whom nobody else is. */
export async function becomeSomebodyNew(role: "operator" | "annotator", context: BrowserContext): Promise<void> {
  await signIn(newAccount(role), context);
}

/** Somebody new of that role on another server. */
export async function becomeAt(url: string, role: "operator" | "annotator", context: BrowserContext): Promise<void> {
  await signIn(newAccount(role, url), context, url);
}

function newAccount(role: "operator" | "annotator", url = baseURL): string {
  const name = `${role}-${randomUUID().slice(0, 8)}`;
  makeAccount(name, role, PASSWORD, url);
  return name;
}

async function signIn(name: string, context: BrowserContext, url = baseURL): Promise<void> {
  const answer = await context.request.post(new URL("/login", url).href, {
    form: { name, password: PASSWORD, next: "/" },
    headers: { Origin: new URL(url).origin },
    maxRedirects: 0,
  });
  expect(answer.status(), `signing in as ${name}`).toBe(303);
}
