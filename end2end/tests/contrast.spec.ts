// The colours as they are defined, before any page uses them: WCAG 2.2, level AA.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

const sheet = readFileSync(join(import.meta.dirname, "../../style/tokens.css"), "utf8");
const light = colours(sheet.slice(0, sheet.indexOf("@media")));
const dark = { ...light, ...colours(sheet.slice(sheet.indexOf("@media"))) };

function colours(css: string): Record<string, string> {
  return Object.fromEntries([...css.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]));
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const part = parseInt(colour.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

const grounds = ["paper", "surface", "cobalt-wash", "tomato-wash", "butter-wash", "herb-wash"];
const texts: [string, string][] = [
  ...grounds.flatMap((ground): [string, string][] => [["ink", ground], ["ink-soft", ground]]),
  ...["paper", "surface", "cobalt-wash"].flatMap((ground): [string, string][] => [["cobalt", ground], ["cobalt-hover", ground]]),
  ...["paper", "surface", "tomato-wash"].map((ground): [string, string] => ["tomato", ground]),
  ...["paper", "surface", "herb-wash"].map((ground): [string, string] => ["herb", ground]),
  ["on-cobalt", "cobalt"],
  ["on-cobalt", "cobalt-hover"],
  ["on-tomato", "tomato"],
  ["on-tomato", "tomato-hover"],
  ["on-butter", "butter"],
];
// Edges of fields, the ring of the focus, what bars show.
const shapes: [string, string][] = [
  ...["line-strong", "focus", "rim"].flatMap((edge): [string, string][] => [[edge, "paper"], [edge, "surface"]]),
  ["bar-answer", "track"],
];

for (const [theme, tokens] of Object.entries({ light, dark })) {
  test(`text and shapes stand out from what is behind them, ${theme}`, () => {
    const weak = (pairs: [string, string][], least: number) =>
      pairs
        .map(([front, behind]) => ({ pair: `${front} on ${behind}`, contrast: contrast(tokens[front]!, tokens[behind]!) }))
        .filter(({ contrast }) => contrast < least);
    expect(weak(texts, 4.5)).toEqual([]);
    expect(weak(shapes, 3)).toEqual([]);
  });
}
