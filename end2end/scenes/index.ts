// Every state of every page.

import type { Role } from "../roles";
import { pages, toCome } from "../site";
import { around } from "./around";
import { operators } from "./operators";
import type { Scene } from "./scene";
import { start } from "./start";

export { failedRequest, type Scene, type Stage } from "./scene";

const all: readonly Scene[] = [...start, ...around, ...operators];

/** Those whose page is there. */
export const scenes = all.filter(({ page }) => page === "nowhere" || !toCome.includes(page));

/** Who looks at it. */
export const viewer = ({ page, as }: Scene): Role => as ?? (page === "nowhere" ? "visitor" : pages[page]);
