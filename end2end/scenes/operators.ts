// What operators and annotators see.

import { expect } from "@playwright/test";

import { picture, uploadedPhoto } from "../tests/page";
import { failedRequest, type Scene } from "./scene";

export const operators: Scene[] = [
  {
    name: "photos",
    shows: "Every photo there is",
    page: "/photos",
    async reach({ home, page }) {
      await uploadedPhoto(page, picture("bread"));
      await home.open("/photos");
      await expect(page.locator("main img").first()).toBeAttached();
    },
  },
  {
    name: "photos-none",
    shows: "A filter that nothing fits",
    page: "/photos",
    async reach({ home, page }) {
      await home.open("/photos?model=no-such-version");
      await expect(page.getByRole("heading", { name: "No photo is like that." })).toBeVisible();
    },
  },
  {
    name: "photos-table",
    shows: "The same as a table",
    page: "/photos",
    async reach({ home, page }) {
      await uploadedPhoto(page, picture("soup"));
      await home.open("/photos?view=table&sort=class");
      await expect(page.getByRole("table").getByRole("row").nth(1)).toBeVisible();
    },
  },
  {
    name: "photos-ticked",
    shows: "Photos ticked, to be flagged together",
    page: "/photos",
    async reach({ home, page }) {
      for (const name of ["bread", "salad"] as const) await uploadedPhoto(page, picture(name));
      await home.open("/photos");
      for (const index of [0, 1]) await page.locator(".tick__box").nth(index).check();
      await expect(page.getByText("2 ticked")).toBeVisible();
    },
  },
  {
    name: "photos-filters",
    shows: "Filters that are set",
    page: "/photos",
    async reach({ home, page }) {
      await uploadedPhoto(page, picture("soup"));
      await home.open("/photos?class=Soup&flag=no&min=10");
      // Phones have them behind a switch.
      const show = page.locator(".filters__show");
      if (await show.isVisible()) await show.click();
      await expect(page.getByLabel("Class", { exact: true })).toBeVisible();
    },
  },
  {
    name: "photo",
    shows: "One photo with its history",
    page: "/photos/{id}",
    async reach({ home, page }) {
      await home.open(`/photos/${await uploadedPhoto(page, picture("egg"))}`);
      await expect(page.getByRole("main").getByRole("img").first()).toBeVisible();
    },
  },
  {
    name: "photo-missing",
    shows: "A photo that does not exist",
    page: "/photos/{id}",
    expectedInConsole: failedRequest,
    reach: ({ home }) => home.open("/photos/01890a5d-ac96-774b-bcce-b302099a8057"),
  },
  { name: "dashboard", shows: "The dashboard", page: "/dashboard", reach: ({ home }) => home.open("/dashboard") },
  { name: "review", shows: "Labelling", page: "/review", reach: ({ home }) => home.open("/review") },
  { name: "review-operator", shows: "Labelling, as operators see it", page: "/review", as: "operator", reach: ({ home }) => home.open("/review") },
  { name: "pipelines", shows: "Pipelines", page: "/pipelines", reach: ({ home }) => home.open("/pipelines") },
  { name: "models", shows: "Models", page: "/models", reach: ({ home }) => home.open("/models") },
];
