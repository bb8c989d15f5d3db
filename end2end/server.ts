// Which server the tests run against, and how it is started: the real binary, on a free port, with a folder of its own.
//
// GOURMETGRAM_URL: an address to test instead, where a server runs already. GOURMETGRAM_BIN: the binary to start.

import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const repository = join(import.meta.dirname, "..");

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function builtBinary(): string {
  const metadata = execFileSync("cargo", ["metadata", "--format-version", "1", "--no-deps"], {
    cwd: repository,
    maxBuffer: 64 << 20,
  });
  return join(JSON.parse(metadata.toString()).target_directory, "debug", "gourmetgram");
}

// The configuration is read again in every worker process; the environment hands the first reading's choice on.
process.env.GOURMETGRAM_E2E_PORT ??= String(await freePort());
process.env.GOURMETGRAM_E2E_DATA ??= mkdtempSync(join(tmpdir(), "gourmetgram-end2end-"));
process.env.GOURMETGRAM_E2E_STRICT_PORT ??= String(await freePort());
process.env.GOURMETGRAM_E2E_UNUSED_PORT ??= String(await freePort());

const given = process.env.GOURMETGRAM_URL;

export const dataFolder = process.env.GOURMETGRAM_E2E_DATA;

export const baseURL = given ?? `http://127.0.0.1:${process.env.GOURMETGRAM_E2E_PORT}`;

/** The binary under test, which is also the command line that makes its accounts. */
export const binary = (): string => (process.env.GOURMETGRAM_BIN ??= builtBinary());

/** The campaign whose labels the dashboard goes by, so that it is none that a test makes for itself. */
export const evaluationCampaign = "Evaluation";

/** What server and command line are told. */
export const settings: Record<string, string> = {
  GOURMETGRAM__SERVER__LISTEN: new URL(baseURL).host,
  GOURMETGRAM__EMBEDDED_S3__LISTEN: "127.0.0.1:0",
  GOURMETGRAM__DATA_DIR: dataFolder,
  // Nobody listens there: a Label Studio that is away.
  GOURMETGRAM__LABEL_STUDIO__URL: "http://127.0.0.1:9",
  GOURMETGRAM__LABEL_STUDIO__TOKEN: "no-token-of-any-label-studio",
  // All tests come from one address, as no visitors do: no test waits for another's turn.
  GOURMETGRAM__LIMITS__UPLOADS_PER_MINUTE: "0",
  GOURMETGRAM__LIMITS__FEEDBACK_PER_MINUTE: "0",
  GOURMETGRAM__LIMITS__READS_PER_MINUTE: "0",
  GOURMETGRAM__LIMITS__SIGN_INS_PER_MINUTE: "0",
  GOURMETGRAM__EVALUATION__CAMPAIGN: evaluationCampaign,
  // What goes wrong, and nothing else, among the tests' own lines.
  GOURMETGRAM__LOG__FILTER: "warn",
};

/**
 * A second server, which gives hardly a page a minute: where it is looked at what such a server says. None beside a
 * server that was given.
 */
export const strictURL = given ? undefined : `http://127.0.0.1:${process.env.GOURMETGRAM_E2E_STRICT_PORT}`;

const strictSettings = (url: string): Record<string, string> => ({
  ...settings,
  GOURMETGRAM__SERVER__LISTEN: new URL(url).host,
  GOURMETGRAM__DATA_DIR: join(dataFolder, "strict"),
  GOURMETGRAM__LIMITS__READS_PER_MINUTE: "1",
});

/** A third server, which nobody uses: what pages say where there is nothing yet. None beside a server that was given. */
export const unusedURL = given ? undefined : `http://127.0.0.1:${process.env.GOURMETGRAM_E2E_UNUSED_PORT}`;

const unusedSettings = (url: string): Record<string, string> => ({
  ...settings,
  GOURMETGRAM__SERVER__LISTEN: new URL(url).host,
  GOURMETGRAM__DATA_DIR: join(dataFolder, "unused"),
});

/** Runs the command line beside the server under test, or the one at `url`. Returns what it prints. */
const command = (words: string[], input = "", url = baseURL): string => {
  const told = url === unusedURL ? unusedSettings(url) : settings;
  return execFileSync(binary(), words, { cwd: repository, input, env: { ...process.env, ...told } }).toString();
};

/** Replays painted photos of a past week on the server under test, and has a campaign choose of them and label them. */
export function replayWeek(photos: number, start: Date, campaign: string): void {
  // The same token for every process: visitors follow from it, and the same replay then sends nothing twice.
  const file = join(dataFolder, "replay.token");
  if (!existsSync(file)) writeFileSync(file, accessToken("admin,predictions:backdate"), { mode: 0o600 });
  const token = readFileSync(file, "utf8");
  execFileSync(
    binary(),
    ["replay", "--made", String(photos), "--over", "7d", "--start", start.toISOString(), "--rhythm", "--label", campaign, "--url", baseURL],
    { cwd: repository, env: { ...process.env, ...settings, GOURMETGRAM_TOKEN: token }, stdio: "pipe" },
  );
}

/** Makes an account on the server under test, or on the one at `url`. */
export function makeAccount(name: string, role: "operator" | "annotator", password: string, url = baseURL): void {
  command(["user", "add", name, "--role", role, "--password-stdin"], `${password}\n`, url);
}

/** An access token of a machine that may do what these scopes say, separated by commas. */
export const accessToken = (scopes: string): string =>
  command(["user", "token", "add", `machine-${randomUUID().slice(0, 8)}`, "--scope", scopes]).trim();

/** What the records alone say of what a manifest describes; fails where they say something else than it. */
export function recomputed(manifest: string): unknown {
  const file = join(mkdtempSync(join(tmpdir(), "gourmetgram-manifest-")), "manifest.json");
  writeFileSync(file, manifest);
  return JSON.parse(command(["evaluate", "--from", "records", "--manifest", file, "--json"]));
}

/** A link that signs an operator in once. */
export const operatorLink = (): string => command(["user", "link"]).trim();

const started = (url: string, probe: string, told: Record<string, string>) => ({
  command: `"${binary()}" serve`,
  cwd: repository,
  url: `${url}${probe}`,
  timeout: 60_000,
  stdout: "ignore" as const,
  stderr: "pipe" as const,
  gracefulShutdown: { signal: "SIGTERM" as const, timeout: 10_000 },
  env: { ...(process.env as Record<string, string>), ...told },
});

export const webServer =
  strictURL && unusedURL
    ? [
        started(baseURL, "/readyz", settings),
        // To be probed takes nothing from the strict server's budget only at one address.
        started(strictURL, "/livez", strictSettings(strictURL)),
        started(unusedURL, "/readyz", unusedSettings(unusedURL)),
      ]
    : undefined;

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const wholeBrowser = "/usr/bin/chromium";
const engineAlone = "/usr/bin/chromium-headless-shell";

/** Debian's Chromium: Playwright's own downloads are not needed. */
export const chromium = { executablePath: process.env.CHROMIUM ?? wholeBrowser, args };

/**
 * The same without what is around a page (windows, profiles, background sync), which takes a page half the time. Debian
 * packages it; where it is not, it is the whole browser.
 */
export const chromiumShell = {
  executablePath: process.env.CHROMIUM ?? (existsSync(engineAlone) ? engineAlone : wholeBrowser),
  args,
};
