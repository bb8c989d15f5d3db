// The colours as they are defined, before any page uses them: WCAG 2.2, level AA.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

const sheet = readFileSync(join(import.meta.dirname, "../../style/tokens.css"), "utf8");
const [onScreen, onPaper] = [sheet.indexOf("@media screen"), sheet.indexOf("@media print")];
const light = colours(sheet.slice(0, onScreen));
const dark = { ...light, ...colours(sheet.slice(onScreen, onPaper)) };
const paper = { ...light, ...colours(sheet.slice(onPaper)) };
const themes = Object.entries({ light, dark, paper });

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

type Three = [number, number, number];

const linear = (colour: string) =>
  [1, 3, 5].map((start) => {
    const part = parseInt(colour.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as Three;

const times = (matrix: Three[], [x, y, z]: Three) => matrix.map(([a, b, c]) => a * x + b * y + c * z) as Three;

// What reaches whoever lacks one kind of cone: Machado, Oliveira and Fernandes 2009, severity 1.
const sights: Record<string, Three[]> = {
  "all colours": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

/** CIELAB, of linear red, green and blue. */
function lab(rgb: Three): Three {
  const [x, y, z] = times([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], rgb.map((part) => Math.min(Math.max(part, 0), 1)) as Three);
  const root = (part: number) => (part > 0.008856 ? Math.cbrt(part) : 7.787 * part + 16 / 116);
  const [a, b, c] = [root(x / 0.9505), root(y), root(z / 1.089)];
  return [116 * b - 16, 500 * (a - b), 200 * (b - c)];
}

/** How far two colours lie apart; from about 2.3 on that is noticed. */
const apart = (sight: Three[], one: string, other: string): number => {
  const [left, right] = [one, other].map((colour) => lab(times(sight, linear(colour)))) as [Three, Three];
  return Math.hypot(...left.map((part, at) => part - right[at]!));
};

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

for (const [theme, tokens] of themes) {
  test(`text and shapes stand out from what is behind them, ${theme}`, () => {
    const weak = (pairs: [string, string][], least: number) =>
      pairs
        .map(([front, behind]) => ({ pair: `${front} on ${behind}`, contrast: contrast(tokens[front]!, tokens[behind]!) }))
        .filter(({ contrast }) => contrast < least);
    expect(weak(texts, 4.5)).toEqual([]);
    expect(weak(shapes, 3)).toEqual([]);
  });
}

// What lines of charts are drawn with: accuracy, the random sample, what needs no label, the target.
const series = ["cobalt", "ink", "ink-soft", "tomato"];

for (const [theme, tokens] of themes) {
  test(`series of charts stay apart for whoever sees fewer colours, ${theme}`, () => {
    const near = Object.entries(sights).flatMap(([name, sight]) =>
      series.flatMap((one, place) =>
        [...series.slice(place + 1), "paper", "surface"]
          .map((other) => ({ pair: `${one} and ${other}, ${name}`, distance: apart(sight, tokens[one]!, tokens[other]!) }))
          .filter(({ distance }) => distance < 10),
      ),
    );
    expect(near).toEqual([]);
  });
}

test("series of charts differ without any colour", () => {
  const charts = readFileSync(join(import.meta.dirname, "../../style/charts.css"), "utf8");
  // Lines by their dashes; what is measured is no line but dots, diamonds and bands, each a class of its own.
  const lines = ["join", "expected", "target", "diagonal"].map((line) => {
    const rule = charts.match(new RegExp(`\\.chart__${line} \\{([^}]*)\\}`))![1]!;
    return rule.match(/stroke-dasharray: ([^;]+);/)?.[1] ?? "whole";
  });
  expect(new Set(lines).size, lines.join(", ")).toBe(lines.length);
});
