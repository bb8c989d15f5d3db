// Every page there is, as the list of routes writes its address, and the least that somebody must be to see it.

import type { Role } from "./roles";

export const pages = {
  "/": "visitor",
  "/login": "visitor",
  "/login/link": "visitor",
  "/login/account": "annotator",
  "/photos": "operator",
  "/photos/{id}": "operator",
  "/campaigns": "operator",
  "/dashboard": "operator",
  "/dashboard/statistics": "operator",
  "/dashboard/suspects": "operator",
  "/review": "annotator",
  "/pipelines": "operator",
  "/models": "operator",
} as const satisfies Record<string, Role>;

export type Address = keyof typeof pages;

/**
 * Pages whose address still leads nowhere, which a test makes sure of. Whoever brings a page takes its line away; from
 * then on its scenes are looked at and pictured.
 */
export const toCome: readonly Address[] = [];
