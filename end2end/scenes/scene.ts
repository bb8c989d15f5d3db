// A scene: one state of one page, and how to get there. A row in this folder is all it takes for a state to be looked
// at by axe in both themes, at 320 pixels, by keyboard, for its landmarks and its console, and to be pictured.

import type { Page } from "@playwright/test";

import type { Role } from "../roles";
import type { Address } from "../site";
import type { HomePage } from "../tests/page";

export interface Scene {
  /** The name of its pictures' files, the page first: `start-answer`. */
  name: string;
  /** Says in a contact sheet what is to be seen. */
  shows: string;
  /** The page it is a state of; "nowhere" where the address leads to none. */
  page: Address | "nowhere";
  /** Who looks; without it, the least that the page asks for. */
  as?: Role;
  /** Runs in a browser whose scripts are off. */
  scriptsOff?: true;
  /** Takes minutes to prepare: it is pictured, and looked at in no test, as other scenes of its page are. */
  onlyPictured?: true;
  /** What the browser itself writes to the console here: failed requests, mostly. */
  expectedInConsole?: RegExp;
  /** Goes there, and returns once the state is on the screen. */
  reach(stage: Stage): Promise<unknown>;
}

export interface Stage {
  page: Page;
  home: HomePage;
}

/** The line browsers write for each answer that is an error. */
export const failedRequest = /Failed to load resource/;
