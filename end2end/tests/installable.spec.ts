// The page can be put on a phone's home screen like an app.

import { expect, test } from "./page";

test("browsers find nothing that keeps the page from being installed", async ({ home, page }) => {
  await home.open();
  const session = await page.context().newCDPSession(page);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  // Tests run in a private window, where nothing can be installed; that is the browser's, not ours.
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
  const { errors, data } = await session.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  for (const { src } of JSON.parse(data!).icons as { src: string }[]) {
    expect((await page.request.get(src)).status(), src).toBe(200);
  }
});
