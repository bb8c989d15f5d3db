// What operators and annotators see.

import { expect } from "@playwright/test";

import { becomeAt } from "../roles";
import { operatorLink, unusedURL } from "../server";
import type { Address } from "../site";
import { ReviewPage, campaign } from "../tests/labelling";
import { enoughMeasured, measuredHour, measuredWeek } from "../tests/measuring";
import { correctPhoto, picture, problem, uploadedPhoto } from "../tests/page";
import { failedRequest, type Scene } from "./scene";

/** What pages say where nobody has done anything yet. */
const nothingYet = (url: string): Scene[] => {
  const page = (at: Address, role: "operator" | "annotator", name: string, shows: string, says: string): Scene => ({
    name,
    shows,
    page: at,
    async reach({ page }) {
      await becomeAt(url, role, page.context());
      await page.goto(`${url}${at}`);
      await expect(page.getByRole("main").getByText(says)).toBeVisible();
    },
  });
  return [
    page("/review", "annotator", "review-nothing", "Nothing to label: no campaign has chosen a photo", "Nothing to review."),
    page("/photos", "operator", "photos-nothing", "Nobody has sent a photo yet", "No photos yet."),
    page("/campaigns", "operator", "campaigns-none", "No campaign, and those that most begin with", "There is no campaign yet"),
    page("/pipelines", "operator", "pipelines-none", "No pipeline has run, and no campaign", "No pipeline has run yet."),
  ];
};

export const operators: Scene[] = [
  ...(unusedURL ? nothingYet(unusedURL) : []),
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
      await correctPhoto(page, await uploadedPhoto(page, picture("soup")), "Bread");
      await home.open("/photos?view=table&sort=class&corrected=yes");
      await expect(page.getByRole("table").getByText("Corrected to Bread").first()).toBeAttached();
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
    name: "campaigns-archived",
    shows: "A campaign that was archived",
    page: "/campaigns",
    async reach({ home, page }) {
      const { id, name } = await campaign(1);
      await page.request.delete(`/api/v1/campaigns/${id}`, { headers: { "sec-fetch-site": "same-origin" } });
      await home.open("/campaigns");
      await page.getByText("Archived", { exact: true }).click();
      await expect(page.getByRole("heading", { name })).toBeVisible();
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
  {
    name: "campaigns-scheduled",
    shows: "A campaign with reasons and a window, whose schedule is none",
    page: "/campaigns",
    reach: ({ home }) =>
      home.open("/campaigns?kind=flagged&name=Some&reason=not_food&schedule=often&ends_at=2026-12-01T00:00&hours=0.5"),
  },
  {
    name: "campaigns-trouble",
    shows: "A campaign whose photos cannot be brought to Label Studio",
    page: "/campaigns",
    async reach({ home, page }) {
      const headers = { "sec-fetch-site": "same-origin" };
      const made = await page.request.post("/api/v1/campaigns", {
        data: { name: `Elsewhere ${Date.now()}`, rule: { kind: "everything" }, labelled_in: "label_studio" },
        headers,
      });
      const { id } = (await made.json()) as { id: string };
      await page.request.post(`/api/v1/campaigns/${id}/select`, { headers });
      await expect(async () => {
        await home.open("/campaigns");
        await expect(page.getByText("Photos could not be selected").first()).toBeVisible({ timeout: 500 });
      }).toPass({ timeout: 20_000 });
    },
  },
  {
    name: "dashboard",
    shows: "How accurate it is, with labels enough",
    page: "/dashboard",
    async reach({ home }) {
      await home.open(`${(await enoughMeasured()).address}&slice=class`);
    },
  },
  {
    name: "dashboard-week",
    shows: "A whole week, photos of every day",
    page: "/dashboard",
    onlyPictured: true,
    async reach({ home }) {
      await home.open(await measuredWeek());
    },
  },
  {
    name: "dashboard-open",
    shows: "The same with every table behind a chart, rule and history opened",
    page: "/dashboard",
    async reach({ home, page }) {
      await home.open((await enoughMeasured()).address);
      for (const summary of await page.locator("main summary").all()) await summary.click();
      await expect(page.getByRole("figure", { name: "How sure it is" }).getByRole("table")).toBeVisible();
    },
  },
  {
    name: "dashboard-few",
    shows: "Too few labels to say anything",
    page: "/dashboard",
    async reach({ home, page }) {
      await home.open((await measuredHour(8, 5)).address);
      await expect(page.getByText("Too early to say")).toBeVisible();
    },
  },
  {
    name: "dashboard-unlabelled",
    shows: "Photos, and nobody has labelled one",
    page: "/dashboard",
    async reach({ home, page }) {
      await home.open((await measuredHour(6, 0)).address);
      await expect(page.getByText("Not known yet")).toBeVisible();
    },
  },
  {
    name: "dashboard-scripts-off",
    shows: "The same, scripts off",
    page: "/dashboard",
    scriptsOff: true,
    async reach({ page }) {
      await page.goto((await enoughMeasured()).address);
      await expect(page.getByRole("img", { name: "Accuracy over time" })).toBeVisible();
    },
  },
  {
    name: "dashboard-without-photos",
    shows: "A window without photos",
    page: "/dashboard",
    async reach({ home, page }) {
      await uploadedPhoto(page, picture("soup"));
      await home.open("/dashboard?from=2019-01-01&to=2019-01-02");
      await expect(page.getByText("received no photo in this window")).toBeVisible();
    },
  },
  {
    name: "dashboard-refused",
    shows: "An address that cannot be meant",
    page: "/dashboard",
    expectedInConsole: failedRequest,
    reach: ({ home }) => home.open("/dashboard?from=soon"),
  },
  {
    name: "dashboard-suspects",
    shows: "Labels that the model contradicts",
    page: "/dashboard/suspects",
    async reach({ home, page }) {
      await home.open((await enoughMeasured()).address.replace("/dashboard?", "/dashboard/suspects?"));
      await expect(page.getByRole("table")).toBeVisible();
    },
  },
  {
    name: "dashboard-without-suspects",
    shows: "No label that the model contradicts",
    page: "/dashboard/suspects",
    async reach({ home, page }) {
      await uploadedPhoto(page, picture("soup"));
      await home.open("/dashboard/suspects?from=2019-01-01&to=2019-01-02");
      await expect(page.getByText("no label says something else")).toBeVisible();
    },
  },
  {
    name: "dashboard-statistics",
    shows: "What each number means",
    page: "/dashboard/statistics",
    reach: ({ home }) => home.open("/dashboard/statistics"),
  },
  {
    name: "review",
    shows: "A photo to label, without what the model said",
    page: "/review",
    reach: async ({ page }) => new ReviewPage(page).open(await campaign(8)),
  },
  {
    name: "review-shown",
    shows: "A photo to label, with what the model said",
    page: "/review",
    as: "operator",
    reach: async ({ page }) => new ReviewPage(page).open(await campaign(2, { blind: false })),
  },
  {
    name: "review-campaigns",
    shows: "Several campaigns to choose from",
    page: "/review",
    async reach({ home, page }) {
      await campaign(3);
      await campaign(2, { blind: false });
      await home.open("/review");
      await expect(page.getByRole("heading", { name: "What would you like to label?" })).toBeVisible();
    },
  },
  {
    name: "review-keys",
    shows: "What the keys do",
    page: "/review",
    async reach({ page }) {
      await new ReviewPage(page).open(await campaign(2));
      await page.keyboard.press("?");
      await expect(page.getByRole("dialog")).toBeVisible();
    },
  },
  {
    name: "review-unsaved",
    shows: "Answers that did not arrive",
    page: "/review",
    expectedInConsole: failedRequest,
    async reach({ page }) {
      const review = new ReviewPage(page);
      await review.open(await campaign(4));
      await page.route("**/api/v1/annotations", (route) => route.fulfill(problem(401, "unauthenticated", "sign in")));
      await page.keyboard.press("1");
      await expect(page.getByRole("alert")).toBeVisible();
      await review.seen();
    },
  },
  {
    name: "review-done",
    shows: "Everything is labelled",
    page: "/review",
    async reach({ page }) {
      const review = new ReviewPage(page);
      await review.open(await campaign(1));
      await page.keyboard.press("1");
      await expect(review.end).toBeVisible();
    },
  },
  {
    name: "review-scripts-off",
    shows: "A photo to label, scripts off",
    page: "/review",
    scriptsOff: true,
    async reach({ page }) {
      await page.goto((await campaign(2)).page);
      await expect(new ReviewPage(page).photo).toBeVisible();
    },
  },
  {
    name: "review-unknown",
    shows: "A campaign that is not here",
    page: "/review",
    expectedInConsole: failedRequest,
    reach: ({ home }) => home.open("/review?campaign=01890a5d-ac96-774b-bcce-b302099a8057"),
  },
  {
    name: "review-nameless",
    shows: "An operator who came by link has no name for their labels yet",
    page: "/review",
    as: "visitor",
    expectedInConsole: failedRequest,
    async reach({ home, page }) {
      await home.open(operatorLink());
      await page.getByRole("button", { name: "Sign in as operator" }).click();
      await expect(page).toHaveURL("/login/account");
      await home.open("/review");
    },
  },
  {
    name: "pipelines",
    shows: "Pipelines, and what has run",
    page: "/pipelines",
    async reach({ home, page }) {
      await campaign(2);
      await home.open("/pipelines");
      await expect(page.getByRole("region", { name: "Runs" }).getByRole("row").nth(1)).toBeVisible();
    },
  },
  {
    name: "pipelines-backfill",
    shows: "The form for a backfill, and what came of one",
    page: "/pipelines",
    async reach({ home, page }) {
      await campaign(2);
      await home.open("/pipelines?asked=24&kept=3");
      await expect(page.getByText("24 runs wait for their turn")).toBeVisible();
      await page.getByText("Backfill: a run for each interval").click();
      await expect(page.getByRole("button", { name: "Backfill" })).toBeVisible();
    },
  },
  {
    name: "pipelines-run",
    shows: "One run, its steps and what it said",
    page: "/pipelines",
    async reach({ home, page }) {
      await home.open(`/pipelines/${(await campaign(2)).run}`);
      await expect(page.getByRole("region", { name: "Log" })).toContainText("2 of 2 photos chosen");
    },
  },
  {
    name: "pipelines-run-failed",
    shows: "A run that failed and will be tried again: at which step, and why",
    page: "/pipelines",
    async reach({ home, page }) {
      const { run } = await campaign(1, { labelled_in: "label_studio" }, ({ error }) => !!error);
      await home.open(`/pipelines/${run}`);
      await expect(page.getByText("Label Studio").first()).toBeVisible();
    },
  },
  {
    name: "photo-away",
    shows: "A photo whose file cannot be had at the moment",
    page: "/photos/{id}",
    expectedInConsole: failedRequest,
    async reach({ home, page }) {
      const id = await uploadedPhoto(page, picture("soup"));
      await page.route(`**/predictions/${id}/image*`, (route) => route.fulfill({ status: 503, body: "" }));
      await home.open(`/photos/${id}`);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    },
  },
  { name: "models", shows: "Models", page: "/models", reach: ({ home }) => home.open("/models") },
];
