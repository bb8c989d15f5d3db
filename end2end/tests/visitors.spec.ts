import { expect, HomePage, test } from "./page";

test("two visitors cannot see or touch each other's photos", async ({ home, page, browser }) => {
  await home.open();
  await home.classify("soup");
  const id = new URL(page.url()).searchParams.get("photo")!;

  const elsewhere = await browser.newContext({ baseURL: new URL(page.url()).origin });
  const stranger = new HomePage(await elsewhere.newPage());
  await stranger.open();
  await expect(stranger.tiles).toHaveCount(0);
  await stranger.classify("egg");
  await expect(stranger.tiles).toHaveCount(1);

  // By address.
  const response = await stranger.page.goto(`/?photo=${id}`);
  expect(response?.status()).toBe(404);
  await expect(stranger.page.getByRole("heading", { level: 1 })).toHaveText("That photo is not here.");
  await expect(stranger.answer).toBeHidden();

  // By the API, from the stranger's own page and with the stranger's own cookie.
  const attempts = await stranger.page.evaluate(async (path) => {
    const json = { "Content-Type": "application/json" };
    const calls: [string, RequestInit][] = [
      [path, {}],
      [`${path}/image`, {}],
      [`${path}/flag`, { method: "PUT", headers: json, body: JSON.stringify({ reason: "not_food" }) }],
      [`${path}/flag`, { method: "DELETE" }],
      [`${path}/correction`, { method: "PUT", headers: json, body: JSON.stringify({ label: "Bread" }) }],
      [`${path}/correction`, { method: "DELETE" }],
      [path, { method: "DELETE" }],
    ];
    return Promise.all(calls.map(async ([url, call]) => (await fetch(url, call)).status));
  }, `/api/v1/predictions/${id}`);
  for (const status of attempts) expect([401, 403, 404]).toContain(status);

  // By the plain forms.
  for (const form of ["flag", "unflag", "correct", "uncorrect", "erase"]) {
    const refused = await stranger.page.request.post(`/photos/${id}/${form}`, {
      form: { reason: "not_food", label: "Bread" },
      headers: { Origin: new URL(page.url()).origin },
      maxRedirects: 0,
    });
    expect([401, 403, 404], form).toContain(refused.status());
  }

  await home.reload();
  await expect(home.answer, "the photo is as it was").toBeVisible();
  await expect(home.flags).not.toContainText("Flagged:");
  await expect(home.otherClasses).not.toContainText("You say:");
  await elsewhere.close();
});
