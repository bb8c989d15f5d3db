// Where the pictures go. Made anew for each run, so that no picture of a page that is gone stays.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

export const folder = join(import.meta.dirname, "../screenshots");

const devices = ["desktop", "tablet", "phone", "narrow"] as const;

export const variants = devices.flatMap((device) => [`${device}-light`, `${device}-dark`] as const);

export const file = (scene: string, variant: string): string => `${scene}-${variant}.png`;

export default function makeFolder(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
}
