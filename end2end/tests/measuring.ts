// Photos of an hour long past, with labels enough for an accuracy: taken, drawn and labelled as in life. The server
// under test evaluates by the campaign that `settings` in server.ts names.

import { randomInt, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

import { expect, type Page } from "@playwright/test";

import { accessToken, baseURL, dataFolder, evaluationCampaign, makeAccount, replayWeek } from "../server";
import { picture } from "./page";

const names = ["soup", "egg", "salad", "bread"] as const;
const said = ["Soup", "Egg", "Vegetable/Fruit", "Bread", "Soup"] as const;

let token: string | undefined;

const bearer = (): Record<string, string> => ({
  Authorization: `Bearer ${(token ??= accessToken("admin,predictions:backdate"))}`,
});

async function ask<T>(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<T> {
  const form = body instanceof FormData;
  const answer = await fetch(`${baseURL}${path}`, {
    method,
    headers: body === undefined || form ? headers : { ...headers, "Content-Type": "application/json" },
    body: form ? body : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Somebody who labels, by the cookie of their session. */
async function annotator(): Promise<Record<string, string>> {
  const [name, password] = [`ann-${randomUUID()}`, "correct horse battery"];
  makeAccount(name, "annotator", password);
  const answer = await fetch(`${baseURL}/login`, {
    method: "POST",
    headers: { Origin: baseURL },
    body: new URLSearchParams({ name, password, next: "/" }),
    redirect: "manual",
  });
  const cookie = answer.headers.getSetCookie().find((line) => line.startsWith("gourmetgram_session="));
  if (!cookie) throw new Error(`signing in was answered ${answer.status}`);
  return { Cookie: cookie.split(";")[0]!, Origin: baseURL };
}

async function theCampaign(): Promise<string> {
  interface Listed {
    id: string;
    asked: { name: string };
  }
  const find = async () =>
    (await ask<{ campaigns: Listed[] }>("GET", "/api/v1/campaigns", bearer())).campaigns.find((one) => one.asked.name === evaluationCampaign);
  const known = await find();
  if (known) return known.id;
  const rule = { kind: "continuous", unsure: { measure: "confidence", threshold: 0.7 }, random: { rate: 0.9 } };
  try {
    return (await ask<Listed>("POST", "/api/v1/campaigns", bearer(), { name: evaluationCampaign, rule, double_share: 0 })).id;
  } catch (refused) {
    // Another process may have been quicker.
    const theirs = await find();
    if (!theirs) throw refused;
    return theirs.id;
  }
}

/**
 * Does something while no other process does such a thing. All share the campaign: in it, what waits to be labelled is of
 * whoever has drawn last.
 */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  const lock = join(dataFolder, "measuring");
  await expect(async () => mkdirSync(lock)).toPass({ timeout: 250_000, intervals: [50] });
  try {
    return await work();
  } finally {
    rmdirSync(lock);
  }
}

export interface MeasuredHour {
  /** The dashboard of this hour alone. */
  address: string;
  /** Photos taken. */
  photos: number;
  /** Photos labelled. */
  labels: number;
}

/** Labels so many of the photos that wait. The others are kept for somebody who never says anything, so that nobody does. */
async function label(campaign: string, labels: number): Promise<void> {
  const session = await annotator();
  let given = 0;
  for (;;) {
    const path = `/api/v1/review/next?campaign=${campaign}&count=10`;
    const { tasks } = await ask<{ tasks: { id: string }[] }>("POST", path, session);
    for (const { id } of tasks.slice(0, labels - given)) {
      const seen = { answer: "class", label: said[given % said.length]! };
      await ask("POST", "/api/v1/annotations", session, { task: id, seen });
      given++;
    }
    if (given >= labels || tasks.length === 0) break;
  }
  // Photos are kept for ten at a time.
  for (let kept = 1; kept > 0; ) {
    const path = `/api/v1/review/next?campaign=${campaign}&count=10`;
    kept = (await ask<{ tasks: unknown[] }>("POST", path, await annotator())).tasks.length;
  }
}

/** Takes so many photos within an hour that no other test knows, has them drawn, and labels up to `labels` of them. */
export async function measuredHour(photos: number, labels: number): Promise<MeasuredHour> {
  const start = Date.UTC(2021, 0, 1) + randomInt(24 * 365 * 3) * 3_600_000;
  const from = new Date(start).toISOString();
  const to = new Date(start + 3_600_000).toISOString();
  for (let number = 0; number < photos; number++) {
    const form = new FormData();
    form.set("source", "tests/measuring");
    form.set("created_at", new Date(start + number * 1000).toISOString());
    form.set("image", new Blob([readFileSync(picture(names[number % names.length]!))], { type: "image/jpeg" }), "plate.jpg");
    await ask("POST", "/api/v1/predictions", bearer(), form);
  }
  await alone(async () => {
    const campaign = await theCampaign();
    // What others left is kept for ten minutes, and comes again then.
    await label(campaign, Infinity);
    const { id: run } = await ask<{ id: string }>("POST", `/api/v1/campaigns/${campaign}/select`, bearer(), { start: from, end: to });
    await expect(async () => {
      expect((await ask<{ state: string }>("GET", `/api/v1/pipelines/select/runs/${run}`, bearer())).state).toBe("succeeded");
    }).toPass({ timeout: 30_000 });
    await label(campaign, labels);
  });
  const query = new URLSearchParams({ from, to });
  // Counted within a few seconds.
  let counted = 0;
  await expect(async () => {
    const { headline, uncounted } = await ask<{ headline: { accuracy: { labels: number }; photos: number }; uncounted: number }>(
      "GET",
      `/api/v1/evaluation?${query}`,
      bearer(),
    );
    expect(headline.photos).toBe(photos);
    expect(uncounted).toBe(0);
    counted = headline.accuracy.labels;
    // Of a small hour perhaps fewer photos were drawn than were to be labelled.
    if (labels > 0) expect(counted).toBeGreaterThanOrEqual(labels < 30 ? 1 : 30);
  }).toPass({ timeout: 40_000 });
  return { address: `/dashboard?${query}`, photos, labels: counted };
}

/** A week with photos of every day, judged and labelled: for the eye. The address is of the dashboard over that week. */
async function replayedWeek(): Promise<string> {
  const [day, begun] = [86_400_000, Date.now() - 30 * 86_400_000];
  const start = new Date(begun - (begun % day));
  await alone(async () => {
    await theCampaign();
    replayWeek(350, start, evaluationCampaign);
  });
  const query = new URLSearchParams({ from: start.toISOString(), to: new Date(start.getTime() + 7 * day).toISOString() });
  await expect(async () => {
    const { headline, uncounted } = await ask<{ headline: { photos: number }; uncounted: number }>("GET", `/api/v1/evaluation?${query}`, bearer());
    expect(headline.photos).toBeGreaterThanOrEqual(350);
    expect(uncounted).toBe(0);
  }).toPass({ timeout: 40_000 });
  return `/dashboard?${query}`;
}

let week: Promise<string> | undefined;

/** The dashboard of a labelled week; one for each process that takes pictures. */
export const measuredWeek = (): Promise<string> => (week ??= replayedWeek());

let enough: Promise<MeasuredHour> | undefined;

/** An hour with labels enough for an accuracy; one for each process that runs tests. */
export const enoughMeasured = (): Promise<MeasuredHour> => (enough ??= measuredHour(48, 40));

/** The page's parts as tests speak of them. */
export const headline = (page: Page) => page.getByRole("region", { name: /^Accuracy/ });
