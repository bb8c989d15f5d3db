// Labelling with scripts off: every step is a form that leads to the next photo.

import { becomeSomebodyNew } from "../roles";
import { ReviewPage, annotations, campaign } from "./labelling";
import { expect, test } from "./page";

test.use({ expectedInConsole: /Failed to load resource|was preloaded using link preload/ });

test("answers, passing over and undo are forms, to the end", async ({ home, page, context }) => {
  void home;
  await becomeSomebodyNew("annotator", context);
  const photos = await campaign(3);
  const review = new ReviewPage(page);
  await page.goto(photos.page);
  await expect(review.photo).toBeVisible();
  await expect(review.undo).toBeDisabled();
  const first = await review.task();
  await review.answer("Soup").click();
  await expect(review.numbers).toContainText("1 of 3");
  const second = await review.task();
  expect(second).not.toBe(first);
  await review.undo.click();
  expect(await review.task()).toBe(first);
  await review.answer("Skip").click();
  expect(await review.task()).toBe(second);
  await review.undo.click();
  expect(await review.task()).toBe(first);
  for (const name of ["Egg", "Not food", "Unreadable"]) await review.answer(name).click();
  await expect(review.end).toBeVisible();
  expect((await annotations(photos, "&standing=true")).map(({ seen }) => seen.label ?? seen.answer)).toEqual([
    "Egg",
    "not_food",
    "unreadable",
  ]);
});
