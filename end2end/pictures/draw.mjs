// Draws the tests' pictures: `npm run pictures`. Plates of food as simple shapes, seeded, so they are the same each
// time. They are our own, and nobody has to be asked for them.

import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "@playwright/test";

const folder = dirname(fileURLToPath(import.meta.url));

/** Runs in the browser. Returns a data URL. */
function draw({ dish, width, height, seed }) {
  const random = () => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const between = (low, high) => low + (high - low) * random();
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const c = canvas.getContext("2d");
  const [x, y, r] = [width / 2, height / 2, Math.min(width, height) * 0.4];
  const disc = (cx, cy, radius, fill, squash = 1) => {
    c.fillStyle = fill;
    c.beginPath();
    c.ellipse(cx, cy, radius, radius * squash, between(0, 3), 0, 7);
    c.fill();
  };
  const inside = (share) => {
    const [angle, distance] = [between(0, 6.283), r * share * Math.sqrt(random())];
    return [x + Math.cos(angle) * distance, y + Math.sin(angle) * distance];
  };
  const shaded = (light, dark, cx = x, cy = y, radius = r) => {
    const gradient = c.createRadialGradient(cx - radius / 3, cy - radius / 3, radius / 10, cx, cy, radius);
    gradient.addColorStop(0, light);
    gradient.addColorStop(1, dark);
    return gradient;
  };

  // A wooden table.
  for (let plank = 0; plank < 7; plank++) {
    c.fillStyle = `hsl(${between(24, 32)} ${between(30, 40)}% ${between(30, 42)}%)`;
    c.fillRect((plank * width) / 7, 0, width / 7 + 1, height);
  }
  for (let grain = 0; grain < 240; grain++) {
    c.fillStyle = `rgb(40 20 10 / ${between(0.03, 0.12)})`;
    c.fillRect(between(0, width), between(0, height), between(1, 3), between(40, height / 2));
  }
  // A plate and its shadow.
  c.shadowColor = "rgb(0 0 0 / 0.5)";
  c.shadowBlur = r / 5;
  c.shadowOffsetY = r / 14;
  disc(x, y, r * 1.08, shaded("#ffffff", "#d9dde6"));
  c.shadowColor = "transparent";
  disc(x, y, r * 0.84, shaded("#f4f5f8", "#ffffff"));

  const dishes = {
    soup() {
      disc(x, y, r * 0.8, shaded("#f0a040", "#c2601c"));
      for (let i = 0; i < 26; i++) disc(...inside(0.68), between(r / 26, r / 11), `hsl(${between(18, 46)} 85% ${between(45, 62)}% / 0.8)`, 0.7);
      for (let i = 0; i < 40; i++) disc(...inside(0.66), between(r / 50, r / 24), `hsl(${between(95, 130)} 55% ${between(28, 44)}%)`, 0.5);
      for (let i = 0; i < 12; i++) disc(...inside(0.6), r / 22, "rgb(255 240 200 / 0.55)");
    },
    egg() {
      for (const [dx, dy] of [[-0.28, -0.1], [0.3, 0.16]]) {
        c.fillStyle = "#fffdf5";
        c.beginPath();
        for (let angle = 0; angle < 6.3; angle += 0.3) {
          const reach = r * between(0.34, 0.42);
          c.lineTo(x + dx * r + Math.cos(angle) * reach, y + dy * r + Math.sin(angle) * reach);
        }
        c.fill();
        disc(x + dx * r, y + dy * r, r * 0.17, shaded("#ffd54a", "#f09a12", x + dx * r, y + dy * r, r * 0.2));
        disc(x + dx * r - r * 0.05, y + dy * r - r * 0.06, r * 0.035, "rgb(255 255 255 / 0.7)");
      }
      for (let i = 0; i < 60; i++) disc(...inside(0.7), r / 110, "#4a3a2a");
    },
    salad() {
      for (let i = 0; i < 130; i++) disc(...inside(0.72), between(r / 14, r / 6), `hsl(${between(80, 125)} ${between(45, 70)}% ${between(26, 52)}%)`, between(0.3, 0.6));
      for (let i = 0; i < 14; i++) {
        const [cx, cy] = inside(0.62);
        disc(cx, cy, r / 10, shaded("#ff6a50", "#c01f14", cx, cy, r / 9));
        disc(cx - r / 40, cy - r / 40, r / 46, "rgb(255 255 255 / 0.7)");
      }
      for (let i = 0; i < 16; i++) disc(...inside(0.6), r / 16, "#f6f1dd", 0.9);
    },
    bread() {
      for (let slice = 0; slice < 4; slice++) {
        const cx = x + (slice - 1.5) * r * 0.3;
        c.fillStyle = "#8a4f1d";
        c.beginPath();
        c.roundRect(cx - r * 0.3, y - r * 0.42, r * 0.56, r * 0.84, r * 0.2);
        c.fill();
        c.fillStyle = shaded("#fbe8bf", "#e3bd7c", cx, y, r * 0.5);
        c.beginPath();
        c.roundRect(cx - r * 0.25, y - r * 0.37, r * 0.46, r * 0.74, r * 0.17);
        c.fill();
        for (let hole = 0; hole < 24; hole++) disc(cx + between(-0.2, 0.17) * r, y + between(-0.3, 0.3) * r, between(r / 90, r / 40), "rgb(150 95 40 / 0.35)", 0.7);
      }
    },
  };
  dishes[dish]();
  return canvas.toDataURL("image/jpeg", 0.82);
}

const pictures = {
  "soup.jpg": { dish: "soup", width: 960, height: 720, seed: 7 },
  "egg.jpg": { dish: "egg", width: 720, height: 720, seed: 11 },
  "salad.jpg": { dish: "salad", width: 720, height: 960, seed: 5 },
  "bread.jpg": { dish: "bread", width: 1080, height: 720, seed: 3 },
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();
for (const [name, picture] of Object.entries(pictures)) {
  const url = await page.evaluate(draw, picture);
  writeFileSync(join(folder, name), Buffer.from(url.split(",")[1], "base64"));
  console.log(`pictures/${name}`);
}
await browser.close();
