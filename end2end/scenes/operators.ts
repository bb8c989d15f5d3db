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
    reach: ({ home }) => home.open("/photos?model_version=no-such-version"),
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
  {
    name: "campaigns",
    shows: "The campaigns there are, and the form for another",
    page: "/campaigns",
    async reach({ home, page }) {
      await page.request.post("/api/v1/campaigns", {
        data: { preset: "continuous", name: `Continuous ${Date.now()}` },
        headers: { "sec-fetch-site": "same-origin" },
      });
      await home.open("/campaigns");
      await expect(page.getByRole("button", { name: "Select now" }).first()).toBeVisible();
    },
  },
  {
    name: "campaigns-ahead",
    shows: "What a campaign would choose",
    page: "/campaigns",
    async reach({ home, page }) {
      await uploadedPhoto(page, picture("soup"));
      await home.open("/campaigns?preset=production&name=Everything&hours=0.5");
      await expect(page.getByRole("heading", { name: /It would choose/ })).toBeVisible();
    },
  },
  {
    name: "campaigns-refused",
    shows: "A campaign whose numbers are none",
    page: "/campaigns",
    reach: ({ home }) => home.open("/campaigns?kind=random&name=Some&rate=lots&hours=0.5"),
  },
  { name: "dashboard", shows: "The dashboard", page: "/dashboard", reach: ({ home }) => home.open("/dashboard") },
  { name: "review", shows: "Labelling", page: "/review", reach: ({ home }) => home.open("/review") },
  { name: "review-operator", shows: "Labelling, as operators see it", page: "/review", as: "operator", reach: ({ home }) => home.open("/review") },
  { name: "pipelines", shows: "Pipelines", page: "/pipelines", reach: ({ home }) => home.open("/pipelines") },
  { name: "models", shows: "Models", page: "/models", reach: ({ home }) => home.open("/models") },
];
