// Firefox and WebKitGTK as Debian packages them, each behind its own WebDriver server. A browser that is not installed
// skips its tests and says what is missing; scripts/setup.sh browsers installs all of it.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import type { Readable } from "node:stream";

import { test as base } from "@playwright/test";
import { Builder, Capabilities, type WebDriver } from "selenium-webdriver";

export type Engine = "firefox" | "webkitgtk";

export interface SmokeOptions {
  engine: Engine;
}

/** Where Debian puts WebKit's small browser, which the driver starts; FIREFOX and MINIBROWSER name others. */
const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
const MINIBROWSER = process.env.MINIBROWSER ?? "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";

/** What a browser needs, and how its server is told the port. */
const engines = {
  firefox: {
    programs: [FIREFOX, "geckodriver"],
    driver: (port: number) => ["geckodriver", "--port", String(port), "--log", "error"],
    capabilities: (scripts: boolean) => ({
      browserName: "firefox",
      "moz:firefoxOptions": {
        binary: FIREFOX,
        args: ["-headless"],
        prefs: {
          "javascript.enabled": scripts,
          // It asks nobody for updates or studies, and starts no more processes than one page needs.
          "app.update.enabled": false,
          "app.normandy.enabled": false,
          "dom.ipc.processPrelaunch.enabled": false,
          "fission.autostart": false,
        },
      },
    }),
  },
  webkitgtk: {
    programs: [MINIBROWSER, "WebKitWebDriver", "Xvfb"],
    driver: (port: number) => ["WebKitWebDriver", `--port=${port}`],
    capabilities: (scripts: boolean) => ({
      browserName: "MiniBrowser",
      "webkitgtk:browserOptions": {
        binary: MINIBROWSER,
        args: ["--automation", ...(scripts ? [] : ["--enable-javascript=false"])],
      },
    }),
  },
} as const;

const find = (program: string): boolean =>
  program.includes("/")
    ? existsSync(program)
    : (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** A screen nobody looks at, on the first free display. */
async function screen(): Promise<{ display: string; process: ChildProcess }> {
  const process = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const number = await new Promise<string>((resolve, reject) => {
    process.once("exit", (status) => reject(new Error(`Xvfb ended with status ${status} before it had a display`)));
    (process.stdio[3] as Readable).once("data", (line) => resolve(String(line).trim()));
  });
  return { display: `:${number}`, process };
}

async function ready(address: string, server: ChildProcess): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the WebDriver server ended with status ${server.exitCode}`);
    const answer = await fetch(`${address}/status`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    process.once("exit", () => resolve());
    process.kill("SIGTERM");
  });
}

/**
 * `driver` is one browser for all tests of a worker: starting it is what takes time. `scripts: false` is a browser whose
 * scripts are off.
 */
export const test = base.extend<{ installed: void; told: void }, SmokeOptions & { scripts: boolean; driver: WebDriver }>({
  engine: ["firefox", { option: true, scope: "worker" }],
  scripts: [true, { option: true, scope: "worker" }],
  // Of each test, and not of the browser they share: a browser that is not there would skip only the first of them.
  installed: [
    async ({ engine }, use) => {
      const missing = engines[engine].programs.filter((program) => !find(program));
      test.skip(missing.length > 0, `not installed: ${missing.join(", ")}; to install: scripts/setup.sh browsers`);
      await use();
    },
    { auto: true },
  ],
  // What a failed test saw last: an address, a page's words, a picture.
  told: [
    async ({ driver }, use, info) => {
      await use();
      if (info.status === info.expectedStatus) return;
      console.log(await driver.executeScript("return `${location.href}\n${document.body.innerText}`"));
      const picture = Buffer.from(await driver.takeScreenshot(), "base64");
      await info.attach("screenshot", { body: picture, contentType: "image/png" });
    },
    { auto: true },
  ],
  driver: [
    async ({ engine, scripts }, use) => {
      const { driver, capabilities } = engines[engine];
      const started: ChildProcess[] = [];
      try {
        const environment: NodeJS.ProcessEnv = { ...process.env, MOZ_CRASHREPORTER_DISABLE: "1" };
        if (engine === "webkitgtk") {
          const { display, process } = await screen();
          started.push(process);
          // With LANG=C, as in containers, WebKit names a language that is none: pages have to stand that.
          Object.assign(environment, { DISPLAY: display, GDK_BACKEND: "x11", NO_AT_BRIDGE: "1", LANG: "C", LC_ALL: "C" });
        }
        const port = await freePort();
        const [program, ...words] = driver(port);
        const server = spawn(program!, words, { stdio: "ignore", env: environment });
        started.push(server);
        const address = `http://127.0.0.1:${port}`;
        await ready(address, server);
        const session = await new Builder()
          .usingServer(address)
          .withCapabilities(new Capabilities(capabilities(scripts)))
          .build();
        try {
          await use(session);
        } finally {
          await session.quit();
        }
      } finally {
        for (const process of started.reverse()) await end(process);
      }
    },
    { scope: "worker", timeout: 180_000 },
  ],
});

export { expect } from "@playwright/test";
