// What a finger can hit: every control takes up 44 by 44 CSS pixels at least (WCAG 2.5.5). As there, a link within a line
// of running text is exempt, because its height is the line's. So is what only a keyboard brings to the screen.

import type { Page } from "@playwright/test";

/** The controls on the page that are too small, each with its size. */
export const tooSmall = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const LEAST = 44;
    const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]";
    const question = document.querySelector("dialog:modal");

    /** Whether it makes no difference which of two links is hit. */
    const leadsAlike = (element: Element, other: Element): boolean => {
      const [one, another] = [element, other].map((link) => link.closest("a")?.href);
      return one !== undefined && one === another;
    };

    const beginning = (element: Element | null): string => element?.outerHTML.replace(/\s+/g, " ").slice(0, 120) ?? "nothing";

    /** What is pressed for it: with a box to tick, and with one that is not seen, its label. */
    const targetOf = (element: HTMLElement): HTMLElement | null | undefined => {
      const around = element.closest("label");
      if (around) return around;
      if (!element.closest(".visually-hidden")) return element;
      return element instanceof HTMLInputElement ? element.labels?.[0] : null;
    };

    /** Whether there are words around it that are no link. */
    const isInText = (element: Element): boolean => {
      if (!element.matches("a") || !getComputedStyle(element).display.startsWith("inline")) return false;
      let block = element.parentElement!;
      while (getComputedStyle(block).display === "inline") block = block.parentElement!;
      if (/flex|grid/.test(getComputedStyle(block).display)) return false;
      const copy = block.cloneNode(true) as Element;
      for (const link of copy.querySelectorAll("a")) link.remove();
      return /\p{L}/u.test(copy.textContent ?? "");
    };

    /**
     * What a finger hits in its place within 44 pixels around its middle, as it begins; nothing where it is always hit.
     * What it lays around itself counts.
     */
    const hitInstead = (element: HTMLElement): string[] => {
      // In a table away from the column that stays.
      const inline = element.getBoundingClientRect().width < LEAST ? "center" : "end";
      element.scrollIntoView({ block: "center", inline, behavior: "instant" });
      const box = element.getBoundingClientRect();
      const reach = LEAST / 2 - 0.5;
      return [-1, 1]
        .flatMap((across) => [-1, 1].map((down) => [box.left + box.width / 2 + across * reach, box.top + box.height / 2 + down * reach]))
        .map(([x, y]) => document.elementFromPoint(x!, y!))
        .filter((top) => top === null || !(element.contains(top) || leadsAlike(element, top)))
        .map((top) => beginning(top));
    };

    const targets = [...document.querySelectorAll<HTMLElement>(controls)]
      .filter((element) => !element.closest(".skip") && (!question || question.contains(element)))
      .map(targetOf)
      .filter((element) => !!element)
      .filter((element) => element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true }));
    return [...new Set(targets)]
      .filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        return width < LEAST || height < LEAST;
      })
      .filter((element) => !isInText(element))
      .map((element) => ({ element, others: hitInstead(element) }))
      .filter(({ others }) => others.length > 0)
      .map(({ element, others }) => {
        const { width, height } = element.getBoundingClientRect();
        return `${beginning(element)}: ${width.toFixed(1)} × ${height.toFixed(1)}, and around it ${others.join(", ")}`;
      });
  });
