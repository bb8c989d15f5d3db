import AxeBuilder from "@axe-core/playwright";

import { expect, HomePage, notAPicture, picture, problem, test } from "./page";

/** Each state of the page, and how to get there. */
const states: Record<string, (home: HomePage) => Promise<void>> = {
  welcome: async (home) => home.open(),
  "a file refused": async (home) => {
    await home.open();
    await home.choose(notAPicture);
    await expect(home.trouble).toBeVisible();
  },
  "an upload that failed": async (home) => {
    await home.open();
    await home.page.route("**/api/v1/predictions", (route) => route.fulfill(problem(507, "storage-full", "The disk is full.")));
    await home.choose(picture("soup"));
    await expect(home.trouble).toBeVisible();
  },
  "a server that is busy": async (home) => {
    await home.open();
    await home.page.route("**/api/v1/predictions", (route) =>
      route.fulfill(problem(503, "unavailable", "Too many photos at once.", { "Retry-After": "100" })),
    );
    await home.choose(picture("soup"));
    await expect(home.page.getByText("next try in")).toBeVisible();
  },
  "several on their way": async (home) => {
    await home.open();
    let posts = 0;
    await home.page.route("**/api/v1/predictions", (route) =>
      route.request().method() === "POST" && ++posts === 2 ? undefined : route.continue(),
    );
    await home.choose((["soup", "egg", "bread", "salad"] as const).map(picture));
    await expect(home.pass).toContainText("3 of 4 photos answered");
  },
  "too many at once": async (home) => {
    await home.open();
    await home.page.evaluate(() => {
      const transfer = new DataTransfer();
      for (let index = 0; index < 60; index++) transfer.items.add(new File(["x"], `${index}.jpg`, { type: "image/jpeg" }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
    });
    await expect(home.page.getByRole("dialog")).toBeVisible();
  },
  "an answer": async (home) => {
    await home.open();
    await home.classify("soup");
  },
  "an answer judged, and a second photo": async (home) => {
    await home.open();
    await home.classify("soup");
    await home.classify("salad");
    await home.choice(1).click();
    await expect(home.choice(1)).toHaveAttribute("aria-pressed", "true");
    await home.reason("Bad photo").click();
    await expect(home.reason("Bad photo")).toHaveAttribute("aria-pressed", "true");
    await home.answer.getByText("Erase this photo", { exact: true }).click();
    await expect(home.answer.getByRole("button", { name: "Erase for good" })).toBeVisible();
    await home.tiles.nth(1).locator("summary").click();
  },
  "a photo that is not here": async (home) => home.open("/?photo=nonsense"),
  "an address that leads nowhere": async (home) => home.open("/nowhere"),
};

test.use({ expectedInConsole: /Failed to load resource/, contextOptions: { reducedMotion: "reduce" } });

for (const [state, reach] of Object.entries(states)) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing: ${state}, ${colorScheme}`, async ({ home, page }) => {
      await page.emulateMedia({ colorScheme });
      await reach(home);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) }))).toEqual([]);
    });
  }

  test(`nothing sticks out at 320 pixels: ${state}`, async ({ home, page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await reach(home);
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
        .filter((element) => !element.closest(".visually-hidden, .source__input, .pass__rail, svg"))
        .map((element) => element.outerHTML.slice(0, 120)),
    );
    expect(wide).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  });
}

test("everything to press is large enough for a finger", async ({ home, page }) => {
  await states["an answer judged, and a second photo"]!(home);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button, summary, .source__choose, .tile__link, .wordmark")]
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 44 || box.height < 44))
      .map(({ element, box }) => `${element.outerHTML.slice(0, 80)} ${box.width}×${box.height}`),
  );
  expect(small).toEqual([]);
});

test("the whole way works by keyboard alone", async ({ home, page, isMobile }) => {
  test.skip(isMobile, "phones have none");
  const { keyboard } = page;
  const tabTo = async (what: RegExp) => {
    for (let presses = 0; presses < 60; presses++) {
      await keyboard.press("Tab");
      const reached = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        return element.closest("label")?.innerText || element.getAttribute("aria-label") || element.innerText;
      });
      if (what.test(reached)) return;
    }
    throw new Error(`Tab never reached ${what}`);
  };

  await home.open();
  await keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await keyboard.press("Enter");

  const chooser = page.waitForEvent("filechooser");
  await tabTo(/Choose photos/);
  await keyboard.press("Enter");
  await (await chooser).setFiles(picture("soup"));
  await expect(home.label).toBeFocused();

  await tabTo(/Not food/);
  await keyboard.press("Enter");
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "true");
  await expect(home.reason("Not food"), "the focus stays where it was").toBeFocused();
  await keyboard.press("Space");
  await expect(home.reason("Not food")).toHaveAttribute("aria-pressed", "false");

  await tabTo(/^Erase/);
  await keyboard.press("Enter");
  await tabTo(/Erase for good/);
  await keyboard.press("Enter");
  await expect(home.tiles).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

test("pages move little while they load", async ({ home, page }) => {
  await home.open();
  await home.classify("salad");
  await home.reload();
  const shift = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let total = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
            if (!entry.hadRecentInput) total += entry.value;
          }
        }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => resolve(total), 700);
      }),
  );
  expect(shift).toBeLessThan(0.05);
});
