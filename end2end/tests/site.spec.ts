// Which pages there are: see site.ts.

import { become, type Role } from "../roles";
import { failedRequest, scenes } from "../scenes";
import { pages, toCome, type Address } from "../site";
import { expect, test } from "./page";

const addresses = Object.keys(pages) as Address[];

/** Addresses of pages that are there, by whom they are for. */
const here = (...roles: Role[]): Address[] =>
  addresses.filter(
    (address) => roles.includes(pages[address]) && !toCome.includes(address) && !address.includes("{"),
  );

test.describe(() => {
  test.use({ expectedInConsole: failedRequest });

  test("pages have titles of their own", async ({ home, page, context }) => {
    const titles: Record<string, string> = {};
    const look = async (addresses: string[]): Promise<void> => {
      for (const address of addresses) {
        await home.open(address);
        titles[address] = await page.title();
      }
    };
    await look([...here("visitor"), "/nowhere"]);
    const inside = here("annotator", "operator");
    if (inside.length) await become("operator", context);
    await look(inside);
    expect(new Set(Object.values(titles)).size, JSON.stringify(titles)).toBe(Object.keys(titles).length);
  });
});

for (const address of toCome) {
  test(`${address} is still to come`, async ({ page, context }) => {
    // Whom the page is for must ask: others are led to the door, whether it leads anywhere or not.
    if (!toCome.includes("/login")) await become(pages[address], context);
    const answer = await page.request.get(address.replace("{id}", "01890a5d-ac96-774b-bcce-b302099a8057"));
    // Forms post to /photos already: there is an address, and no page.
    expect([404, 405], `${address} is here now: take its line out of toCome in site.ts`).toContain(answer.status());
  });
}

test("each page has a scene", () => {
  const pictured = new Set(scenes.map(({ page }) => page));
  for (const address of addresses) {
    expect(pictured.has(address) || toCome.includes(address), address).toBe(true);
  }
  const names = scenes.map(({ name }) => name);
  expect(new Set(names).size, "one name a scene").toBe(names.length);
});
