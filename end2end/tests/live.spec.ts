// What moves on a document is brought up to date in place: public/live.js.

import { campaign } from "./labelling";
import { expect, test } from "./operator";

const headers = { "sec-fetch-site": "same-origin" };

test("runs come up to date by themselves, and the keyboard stays where it was", async ({ page, request }) => {
  // Its photos cannot be brought to where they are labelled, so its run waits and tries again.
  const made = await request.post("/api/v1/campaigns", {
    data: { name: `Elsewhere ${Date.now()}`, rule: { kind: "everything" }, labelled_in: "label_studio" },
    headers,
  });
  const { id } = (await made.json()) as { id: string };
  // A photo of its own, so that there is something to bring.
  await campaign(1);
  const asked = await request.post(`/api/v1/campaigns/${id}/select`, { headers });
  const waits = ((await asked.json()) as { id: string }).id;
  const state = async (): Promise<string> =>
    ((await (await request.get(`/api/v1/pipelines/select/runs/${waits}`)).json()) as { state: string }).state;

  await page.goto("/pipelines");
  const table = page.getByRole("region", { name: "Runs" });
  const link = table.locator(`a[href="/pipelines/${waits}"]`);
  await expect(link).toBeVisible();
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  await link.focus();

  const { run } = await campaign(1);
  await expect(table.locator(`a[href="/pipelines/${run}"]`), "a run that was not there").toBeVisible({ timeout: 15_000 });
  await expect(link, "its row has moved down, and the keyboard with it").toBeFocused();
  expect(await page.evaluate(() => "sameDocument" in window), "the page was not loaded again").toBe(true);

  await page.goto(`/pipelines/${waits}`);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  const step = (name: string) => page.locator(".chain__step").filter({ hasText: name });
  await expect(step("Choose"), "what is done says so").toContainText("done", { timeout: 15_000 });
  await expect(step("Copy")).toContainText("done", { timeout: 15_000 });
  await expect(step("Project"), "nobody is there to bring it to").toContainText("failed", { timeout: 15_000 });
  await expect(step("Tasks")).toContainText("waiting");
  expect(await state()).not.toBe("cancelled");
  expect(await page.evaluate(() => "sameDocument" in window), "all that in one document").toBe(true);
  await request.post(`/pipelines/${waits}/cancel`, { headers });
  await expect(page.getByText("cancelled").first()).toBeVisible({ timeout: 15_000 });
  await expect(step("Tasks"), "each step comes up to date by itself").toContainText("cancelled");
  await expect(step("Choose"), "and what was done stays done").toContainText("done");
  await expect(page.getByRole("button", { name: "Run again" }), "what is over offers something else").toBeVisible();
  await expect(page.locator("[data-live]"), "and asks for nothing more").toHaveCount(0);
});
