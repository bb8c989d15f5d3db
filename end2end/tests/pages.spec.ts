// What is true of every state of every page: see scenes/.

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { become } from "../roles";
import { scenes, viewer } from "../scenes";
import { tooSmall } from "./fingers";
import { walk } from "./focus";
import { expect, test, watchJumps } from "./page";

test.use({ contextOptions: { reducedMotion: "reduce" } });
// The dashboard has hundreds of stops for the keyboard, and each is looked at.
test.setTimeout(180_000);

/**
 * The page as it is with scripts off, in a browser whose scripts are on: axe is a script too. Its own scripts are taken
 * out, and the style sheet is told.
 */
async function takeScriptsOut(page: Page): Promise<void> {
  await page.route("**/*", async (route) => {
    const kind = route.request().resourceType();
    if (kind === "script") return route.abort();
    if (kind !== "document" && kind !== "stylesheet") return route.continue();
    const response = await route.fetch();
    const body = (await response.text())
      .replace(/<script\b[^]*?<\/script>|<link rel="(module)?preload"[^>]*>/g, "")
      .replace(/\(scripting: none\)/g, "(min-width: 0)")
      .replace(/\(scripting: enabled\)/g, "(max-width: 0)");
    return route.fulfill({ response, body });
  });
}

/** What axe says against the page; of some rules only, where these are named. */
async function violations(page: Page, rules?: string[]): Promise<object[]> {
  // What its "legacy mode" leaves out is frames of other origins, for which it opens another window each time.
  const axe = new AxeBuilder({ page }).setLegacyMode();
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })) }));
}

/** The rules of axe that can come out otherwise when only the colours change. */
const ofColors = ["color-contrast", "link-in-text-block"];

/** What reaches beyond the window's right edge. */
const sticksOut = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const scrollsByItself = (element: Element) => {
      for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
        if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(at).overflowX)) return true;
      }
      return false;
    };
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
      .filter((element) => element.checkVisibility({ contentVisibilityAuto: true }))
      .filter((element) => !element.closest(".visually-hidden, svg") && !scrollsByItself(element))
      .map((element) => element.outerHTML.slice(0, 120));
  });

for (const scene of scenes.filter((one) => !one.onlyPictured)) {
  test.describe(() => {
    test.use({ expectedInConsole: scene.expectedInConsole ?? null });

    test(`${scene.name}: ${scene.shows}`, async ({ home, page, context, isMobile }) => {
      await become(viewer(scene), context);
      if (scene.scriptsOff) await takeScriptsOut(page);
      const jumped = await watchJumps(page);
      await scene.reach({ home, page });
      const { sum, jumps } = await jumped();
      expect.soft(sum, `nothing jumps: ${jumps.join("\n")}`).toBeLessThan(0.05);

      expect.soft(await violations(page), "axe").toEqual([]);
      await page.emulateMedia({ colorScheme: "dark" });
      expect.soft(await violations(page, ofColors), "axe, in the dark").toEqual([]);

      await expect.soft(page.locator("html")).toHaveAttribute("lang", "en");
      await expect.soft(page).toHaveTitle(/^(.+ · )?GourmetGram$/);
      await expect.soft(page.locator("meta[name=viewport]")).toHaveAttribute("content", /width=device-width/);
      await expect.soft(page.getByRole("heading", { level: 1 })).toHaveCount(1);
      for (const landmark of ["banner", "main", "contentinfo"] as const) {
        await expect.soft(page.getByRole(landmark), landmark).toHaveCount(1);
      }

      if (isMobile) {
        expect.soft(await tooSmall(page), "too small for a finger").toEqual([]);
        await page.setViewportSize({ width: 320, height: 640 });
        expect.soft(await sticksOut(page), "beyond 320 pixels").toEqual([]);
        expect.soft(await tooSmall(page), "too small for a finger, at 320 pixels").toEqual([]);
        expect.soft(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
      } else {
        for (const width of [1280, 2560]) {
          await page.setViewportSize({ width, height: 720 });
          expect.soft(await sticksOut(page), `beyond ${width} pixels`).toEqual([]);
        }
        await page.setViewportSize({ width: 1280, height: 720 });
        const stops = await walk(page);
        expect.soft(stops.filter(({ faults }) => faults.length), "shows where the keyboard is").toEqual([]);
        // A question that has to be answered first keeps the keyboard to itself.
        const asks = await page.locator("dialog:modal").count();
        if (asks) expect.soft(stops.map(({ name }) => name), "no stop beside the question").not.toContain("Skip to the content");
        else expect.soft(stops[0]?.name).toBe("Skip to the content");
      }
    });
  });
}
