// `/review`: one photo after another, by keyboard, by finger, by several people at once.

import { becomeSomebodyNew } from "../roles";
import { ReviewPage, annotations, campaign } from "./labelling";
import { expect, problem, test, watchLayout } from "./page";

test.use({ expectedInConsole: /Failed to load resource/ });

// Photos are classified and accounts are made before anything is looked at.
test.setTimeout(180_000);

test.beforeEach(async ({ context }) => becomeSomebodyNew("annotator", context));

test("a campaign is labelled to its end by keyboard alone, and every answer is kept", async ({ home, page }) => {
  void home;
  const photos = await campaign(7);
  const review = new ReviewPage(page);
  await review.open(photos);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(photos.name);
  await expect(review.numbers).toContainText("0 of 7");

  const labels = await review.answers.locator("button[name=answer]").allInnerTexts();
  expect(labels[0]).toMatch(/^1\s+Bread$/);
  const keys = ["1", "2", "0", "q", "n", "x"];
  const tasks: string[] = [];
  for (const key of keys) {
    tasks.push(await review.seen());
    await page.keyboard.press(key);
    await expect.poll(() => review.task()).not.toBe(tasks.at(-1));
  }
  expect(new Set(tasks).size, "each photo once").toBe(keys.length);
  await expect(review.numbers).toContainText("6 of 7");
  await expect(review.numbers).toContainText("6 by you now");
  await review.seen();
  await page.keyboard.press("3");
  await expect(review.end).toBeVisible();
  await expect(page.getByText("You labelled 7 photos just now.")).toBeVisible();

  const said = await annotations(photos);
  expect(said.map(({ task }) => task).slice(0, 6)).toEqual(tasks);
  expect(said.map(({ seen }) => seen.label ?? seen.answer)).toEqual([
    "Bread",
    "Dairy product",
    "Soup",
    "Vegetable/Fruit",
    "not_food",
    "unreadable",
    "Dessert",
  ]);
  for (const { took_ms } of said) expect(took_ms).toBeGreaterThan(0);
});

test("the last answer and passing over are taken back, and the photo comes back", async ({ home, page }) => {
  void home;
  const photos = await campaign(3);
  const review = new ReviewPage(page);
  await review.open(photos);
  const first = await review.seen();
  await page.keyboard.press("5");
  await expect(review.last).toContainText("Fried food");
  await expect.poll(async () => (await annotations(photos, "&standing=true")).length).toBe(1);
  await page.keyboard.press("u");
  await expect.poll(() => review.task()).toBe(first);
  await expect.poll(async () => (await annotations(photos, "&standing=true")).length).toBe(0);
  await expect(review.numbers).toContainText("0 of 3");
  await review.seen();
  await page.keyboard.press("6");
  await expect.poll(async () => (await annotations(photos, "&standing=true"))[0]?.seen.label).toBe("Meat");

  const second = await review.seen();
  await page.keyboard.press("s");
  await expect(review.last).toContainText("Passed over");
  await expect.poll(() => review.task()).not.toBe(second);
  await page.keyboard.press("Backspace");
  await expect.poll(() => review.task()).toBe(second);

  await page.keyboard.press("s");
  await review.seen();
  await page.keyboard.press("1");
  await expect(page.getByText("All done for you.")).toBeVisible();
  await page.reload();
  await expect(page.getByText("All done for you."), "what was passed over does not come back").toBeVisible();
});

test("two annotators are never shown the same photo", async ({ home, page, browser }) => {
  void home;
  // Each is given six at once: the one looked at, and those that are fetched ahead.
  const photos = await campaign(12);
  const other = await browser.newContext();
  await becomeSomebodyNew("annotator", other);
  const [ann, bob] = [new ReviewPage(page), new ReviewPage(await other.newPage())];
  await ann.open(photos);
  await bob.open(photos);
  const seen: string[] = [];
  for (const review of [ann, bob, ann, bob, bob]) {
    const task = await review.seen();
    expect(seen).not.toContain(task);
    seen.push(task);
    await review.page.keyboard.press("4");
    await expect(review.last).toContainText("Egg");
  }
  const said = await annotations(photos);
  expect(new Set(said.map(({ task }) => task)).size).toBe(said.length);
  await other.close();
});

test("a blind campaign shows nothing of the answer, another shows it", async ({ home, page }) => {
  void home;
  const review = new ReviewPage(page);
  await review.open(await campaign(1));
  await expect(page.getByText("Blind", { exact: true })).toBeVisible();
  await expect(page.locator(".review__shown")).toHaveCount(0);
  await review.open(await campaign(1, { blind: false }));
  await expect(page.getByText("Answer shown", { exact: true })).toBeVisible();
  await expect(page.locator(".review__shown")).toContainText(/%$/);
});

test("the next photo is there before it is asked for, and nothing on the page moves", async ({ home, page }) => {
  void home;
  const photos = await campaign(9);
  const review = new ReviewPage(page);
  await review.open(photos);
  await expect(page.locator(".review__photo")).toHaveCount(6);
  await page.waitForFunction(() =>
    [...document.querySelectorAll<HTMLImageElement>(".review__photo")].every(({ complete, naturalWidth }) => complete && naturalWidth > 0),
  );
  // From here on the server does not answer, and five photos go by all the same.
  const held: (() => Promise<void>)[] = [];
  let holds = true;
  await page.route("**/api/v1/**", (route) => (holds ? void held.push(() => route.continue()) : route.continue()));
  const jumps = await watchLayout(page);
  for (const key of ["1", "2", "3", "4", "5"]) {
    const task = await review.task();
    await page.keyboard.press(key);
    await expect.poll(() => review.task()).not.toBe(task);
  }
  expect(await jumps()).toEqual([]);
  await expect(review.numbers).toContainText("5 by you now");
  holds = false;
  for (const go of held) await go();
  await expect.poll(async () => (await annotations(photos)).length).toBe(5);
});

test("who is far ahead of a slow server is given photos again, each of them once", async ({ home, page }) => {
  void home;
  // The server gives fifty at once, and what it has not heard of counts as given.
  const photos = await campaign(57);
  const review = new ReviewPage(page);
  await review.open(photos);
  const held: (() => Promise<void>)[] = [];
  let holds = true;
  await page.route("**/api/v1/annotations", (route) => (holds ? void held.push(() => route.continue()) : route.continue()));
  const tasks: string[] = [];
  const answer = async () => {
    tasks.push(await review.seen());
    await page.keyboard.press("1");
    await expect.poll(() => review.photo.count().then((count) => (count === 0 ? "" : review.task()))).not.toBe(tasks.at(-1));
  };
  while (tasks.length < 50) await answer();
  await expect(page.getByText("Saving your last answers…")).toBeVisible();
  holds = false;
  for (const go of held) await go();
  while (tasks.length < 57) await answer();
  await expect(review.end).toBeVisible();
  expect(new Set(tasks).size, "each photo once").toBe(57);
  expect(new Set((await annotations(photos)).map(({ task }) => task))).toEqual(new Set(tasks));
});

test("a key that is held down answers one photo", async ({ home, page }) => {
  void home;
  const photos = await campaign(4);
  const review = new ReviewPage(page);
  await review.open(photos);
  await page.keyboard.down("2");
  for (let repeat = 0; repeat < 5; repeat++) await page.keyboard.down("2");
  await page.keyboard.up("2");
  await expect(review.numbers).toContainText("1 by you now");
});

test("a server that fails is asked again, and leaving with unsent answers asks first", async ({ home, page }) => {
  void home;
  const photos = await campaign(4);
  const review = new ReviewPage(page);
  await review.open(photos);
  await review.seen();
  const down = problem(503, "unavailable", "the catalog cannot be reached just now", { "Retry-After": "2" });
  let refused = 0;
  await page.route("**/api/v1/annotations", (route) => {
    refused++;
    return route.fulfill(down);
  });
  await page.keyboard.press("1");
  await review.seen();
  await page.keyboard.press("2");
  await expect(review.last).toContainText("2 steps not saved yet. Trying again in");
  const question = page.waitForEvent("dialog");
  await page.evaluate(() => setTimeout(() => location.reload()));
  const dialog = await question;
  expect(dialog.type()).toBe("beforeunload");
  await dialog.dismiss();
  await expect.poll(() => refused).toBeGreaterThan(1);
  await page.unroute("**/api/v1/annotations");
  await expect.poll(async () => (await annotations(photos)).map(({ seen }) => seen.label)).toEqual(["Bread", "Dairy product"]);
  await expect(review.last).not.toContainText("not saved");
});

test("an error that does not pass waits for the annotator, and nothing is lost", async ({ home, page }) => {
  void home;
  const photos = await campaign(3);
  const review = new ReviewPage(page);
  await review.open(photos);
  await review.seen();
  await page.route("**/api/v1/annotations", (route) => route.fulfill(problem(401, "unauthenticated", "sign in")));
  await page.keyboard.press("7");
  await expect(page.getByRole("alert")).toContainText("You are signed out");
  await page.unroute("**/api/v1/annotations");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect.poll(async () => (await annotations(photos)).map(({ seen }) => seen.label)).toEqual(["Noodles/Pasta"]);
});

test("a photo that others have labelled meanwhile is said so, and labelling goes on", async ({ home, page }) => {
  void home;
  const photos = await campaign(3);
  const review = new ReviewPage(page);
  await review.open(photos);
  await review.seen();
  const full = problem(409, "conflict", "others have labelled this photo meanwhile");
  await page.route("**/api/v1/annotations", (route) => route.fulfill(full), { times: 1 });
  await page.keyboard.press("1");
  await expect(page.getByText("your answer was not needed")).toBeVisible();
  await expect(review.numbers).toContainText("0 by you now");
  await review.seen();
  await page.keyboard.press("2");
  await expect(page.getByText("your answer was not needed")).toHaveCount(0);
  await expect.poll(async () => (await annotations(photos)).length).toBe(1);
});

test("who comes back after their time has run out is given another photo", async ({ home, page }) => {
  void home;
  const photos = await campaign(3);
  const review = new ReviewPage(page);
  await review.open(photos);
  const first = await review.seen();
  await expect(page.locator(".review__photo")).toHaveCount(3);
  await page.route("**/api/v1/review/next?*", async (route) => {
    const answer = await route.fetch();
    const { tasks } = await answer.json();
    await route.fulfill({ response: answer, json: { tasks: tasks.filter(({ id }: { id: string }) => id !== first) } });
  });
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  await expect(page.getByText("the photo went to somebody else")).toBeVisible();
  expect(await review.seen()).not.toBe(first);
});

test("a photo that does not come cannot be answered, and can be passed over", async ({ home, page }) => {
  void home;
  const photos = await campaign(2);
  await page.route("**/api/v1/review/tasks/*/image*", (route) => route.abort());
  await page.goto(photos.page);
  await page.locator("html[data-alive]").waitFor({ state: "attached" });
  await page.keyboard.press("1");
  await expect(page.getByText("This photo does not come.")).toBeVisible({ timeout: 20_000 });
  await page.unroute("**/api/v1/review/tasks/*/image*");
  expect(await annotations(photos)).toEqual([]);
  await page.getByRole("button", { name: "Pass it over" }).click();
  await expect(page.locator(".review__last")).toContainText("Passed over");
});

test("the keys are told of, and can be switched off", async ({ home, page }) => {
  void home;
  const review = new ReviewPage(page);
  await review.open(await campaign(2));
  await page.keyboard.press("?");
  const keys = page.getByRole("dialog", { name: "Every answer has a key" });
  await expect(keys).toContainText("Vegetable/Fruit");
  await page.keyboard.press("1");
  await expect(review.numbers, "a dialog hears its own keys").toContainText("0 by you now");
  await keys.getByLabel("Keys answer").uncheck();
  await keys.getByRole("button", { name: "Close" }).click();
  await page.keyboard.press("1");
  await review.answer("Soup").click();
  await expect(review.last).toContainText("Soup");
  await expect(review.numbers).toContainText("1 by you now");
});

test("a phone has every answer within reach, large enough for a finger", { tag: "@phone" }, async ({ home, page, isMobile }) => {
  void home;
  const photos = await campaign(2);
  const review = new ReviewPage(page);
  await review.open(photos);
  await review.answer("Not food").click();
  await expect(review.last).toContainText("Not food");
  const small = await page.evaluate(() =>
    [...document.querySelectorAll(".review button")]
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 44 || box.height < 44))
      .map(({ element }) => element.textContent),
  );
  expect(small).toEqual([]);
  if (isMobile) {
    const reach = await page.evaluate(() => {
      const buttons = [...document.querySelectorAll(".reply")].map((button) => button.getBoundingClientRect());
      const bar = document.querySelector(".navigation")!.getBoundingClientRect().top;
      return { lowest: Math.max(...buttons.map(({ bottom }) => bottom)), bar };
    });
    expect(reach.lowest, "without scrolling").toBeLessThanOrEqual(reach.bar);
  }
});
