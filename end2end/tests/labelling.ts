// A campaign with photos to label, made as operators make them: each test has photos of an hour of its own, long past, so
// that no other test's photos come into it.

import { randomInt, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import { expect, type Locator, type Page } from "@playwright/test";

import { accessToken, baseURL } from "../server";
import { picture } from "./page";

let token: string | undefined;

const bearer = (): string => (token ??= accessToken("admin,predictions:backdate"));

async function call(method: string, path: string, body?: unknown): Promise<Response> {
  const form = body instanceof FormData;
  const headers: Record<string, string> = { Authorization: `Bearer ${bearer()}` };
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  const answer = await fetch(`${baseURL}${path}`, { method, headers, body: form ? body : JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

export interface Campaign {
  id: string;
  name: string;
  /** Its page. */
  page: string;
  /** The run that chose its photos. */
  run: string;
}

const names = ["soup", "egg", "salad", "bread"] as const;

/** A run, as the API tells of it. */
interface Run {
  state: string;
  error?: string;
}

/** Takes so many photos, and has a new campaign choose them all; returns when the run that does is `over`. */
export async function campaign(
  photos: number,
  asked: Record<string, unknown> = {},
  over = (run: Run) => run.state === "succeeded",
): Promise<Campaign> {
  const start = Date.UTC(2021, 0, 1) + randomInt(24 * 365 * 3) * 3_600_000;
  for (let number = 0; number < photos; number++) {
    const form = new FormData();
    form.set("source", "tests/labelling");
    form.set("created_at", new Date(start + number * 1000).toISOString());
    form.set("image", new Blob([readFileSync(picture(names[number % names.length]!))], { type: "image/jpeg" }), "plate.jpg");
    await call("POST", "/api/v1/predictions", form);
  }
  const name = `Tests ${randomUUID().slice(0, 8)}`;
  const made = await call("POST", "/api/v1/campaigns", {
    name,
    rule: { kind: "everything" },
    double_share: 0,
    ...asked,
  });
  const { id } = (await made.json()) as { id: string };
  const end = start + 3_600_000;
  const asked_for = await call("POST", `/api/v1/campaigns/${id}/select`, {
    start: new Date(start).toISOString(),
    end: new Date(end).toISOString(),
  });
  const run = (await asked_for.json()) as { id: string };
  await expect(async () => {
    const answer = await call("GET", `/api/v1/pipelines/select/runs/${run.id}`);
    const found = (await answer.json()) as Run;
    expect(over(found), JSON.stringify(found)).toBe(true);
  }).toPass({ timeout: 30_000 });
  return { id, name, page: `/review?campaign=${id}`, run: run.id };
}

export interface Annotation {
  task: string;
  annotator: string;
  seen: { answer: string; label?: string };
  took_ms?: number;
  replaced_at?: string;
}

/** What was said in a campaign, the oldest first. */
export async function annotations(campaign: Campaign, filter = ""): Promise<Annotation[]> {
  const answer = await call("GET", `/api/v1/annotations?campaign=${campaign.id}&limit=200${filter}`);
  return ((await answer.json()) as { items: Annotation[] }).items.reverse();
}

/** The page as tests speak of it. */
export class ReviewPage {
  readonly photo: Locator;
  readonly answers: Locator;
  readonly numbers: Locator;
  readonly last: Locator;
  readonly undo: Locator;
  readonly end: Locator;

  constructor(readonly page: Page) {
    this.photo = page.locator(".review__photo--current");
    this.answers = page.getByRole("form", { name: "What does the photo show?" });
    this.numbers = page.locator(".review__numbers");
    this.last = page.locator(".review__last");
    this.undo = page.getByRole("button", { name: "Undo" });
    this.end = page.getByText("All done.", { exact: true });
  }

  /** Opens a campaign and waits until its first photo is there and keys are heard. */
  async open(campaign: Campaign): Promise<void> {
    await this.page.goto(campaign.page);
    await this.page.locator("html[data-alive]").waitFor({ state: "attached" });
    await this.seen();
  }

  /** The photo that is looked at has come. Returns its task. */
  async seen(): Promise<string> {
    await this.page.waitForFunction(() => {
      const photo = document.querySelector<HTMLImageElement>(".review__photo--current");
      return photo !== null && photo.complete && photo.naturalWidth > 0;
    });
    return this.task();
  }

  async task(): Promise<string> {
    const address = await this.photo.getAttribute("src");
    return address!.match(/tasks\/([^/]+)\//)![1]!;
  }

  answer(name: string): Locator {
    return this.answers.getByRole("button", { name, exact: true });
  }
}
