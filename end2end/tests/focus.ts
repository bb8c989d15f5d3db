// Where the keyboard is, and whether one can see it.

import { expect, type Page } from "@playwright/test";

export interface Stop {
  /** What is said of it: its label, or its text. */
  name: string;
  /** What is wrong with how the page shows that the keyboard is here; empty where nothing is. */
  faults: string[];
}

/** The element the keyboard is on; null once it has left the page. */
export async function stop(page: Page): Promise<Stop | null> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null;
    if (!element || element === document.body || element === document.documentElement) return null;
    const label = element.closest("label");
    const name =
      element.getAttribute("aria-label") ||
      label?.innerText ||
      element.innerText ||
      (element as HTMLInputElement).labels?.[0]?.innerText ||
      element.getAttribute("name") ||
      element.outerHTML.slice(0, 80);

    const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = ([r = 0, g = 0, b = 0]: number[]): number => {
      const linear = (value: number) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    };
    const behind = (from: Element | null): string => {
      for (let at = from; at; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if ((channels(backgroundColor)[3] ?? 1) > 0.99) return backgroundColor;
      }
      return "rgb(255, 255, 255)";
    };
    // An input that lies unseen over its label is shown by the label.
    const ringed = [element, label]
      .filter((candidate) => candidate !== null)
      .find((candidate) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(candidate);
        return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && getComputedStyle(candidate).opacity !== "0";
      });
    const faults: string[] = [];
    if (element.tabIndex > 0) faults.push(`jumps the queue: tabindex ${element.tabIndex}`);
    if (ringed) {
      const [ring, ground] = [getComputedStyle(ringed).outlineColor, behind(ringed.parentElement)];
      const [darker = 0, lighter = 0] = [ring, ground].map((color) => luminance(channels(color))).sort((a, b) => a - b);
      const contrast = (lighter + 0.05) / (darker + 0.05);
      if (contrast < 3) faults.push(`a ring of ${ring} on ${ground} has contrast ${contrast.toFixed(1)}, less than 3`);
    } else {
      faults.push("no ring");
    }
    const shown = ringed ?? element;
    const box = shown.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) faults.push(`has no size: ${box.width}×${box.height}`);
    // As WCAG 2.4.11 asks: something else may lie over a part of it, not over all.
    const covers = [0.1, 0.5, 0.9].flatMap((across) =>
      [0.1, 0.5, 0.9].map((down) => document.elementFromPoint(box.left + box.width * across, box.top + box.height * down)),
    );
    if (covers.every((top) => !top)) faults.push("is outside of the window");
    else if (!covers.some((top) => top && (shown.contains(top) || (top !== document.body && top.contains(shown))))) {
      faults.push(`is covered by ${covers.find(Boolean)!.outerHTML.slice(0, 80)}`);
    }
    return { name: name.trim().replace(/\s+/g, " "), faults };
  });
}

/** Presses Tab until the keyboard is on something of that name. */
export async function tabTo(page: Page, what: RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press(key);
    const here = await stop(page);
    if (here && what.test(here.name)) {
      expect(here.faults, here.name).toEqual([]);
      return;
    }
    passed.push(here?.name ?? "(outside of the page)");
  }
  throw new Error(`${key} never came to ${what}. It came to:\n${passed.join("\n")}`);
}

/** Tabs through the whole page, from its beginning until the keyboard leaves it. */
export async function walk(page: Page): Promise<Stop[]> {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    scrollTo(0, 0);
    getSelection()?.removeAllRanges();
    // The next Tab starts at the top, wherever the last click was.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });
  const stops: Stop[] = [];
  for (let presses = 0; presses < 500; presses++) {
    await page.keyboard.press("Tab");
    const here = await stop(page);
    if (!here) return stops;
    stops.push(here);
  }
  throw new Error(`The keyboard never leaves the page. It ends on: ${stops.at(-1)?.name}`);
}
