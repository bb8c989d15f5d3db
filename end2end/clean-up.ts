// Removes what the server of the tests wrote.

import { rmSync } from "node:fs";

import { dataFolder } from "./server";

export default function cleanUp(): void {
  rmSync(dataFolder, { recursive: true, force: true });
}
