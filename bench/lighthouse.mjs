// Lighthouse's scores of our pages on its own throttled phone, as JSON.
//
//     node bench/lighthouse.mjs http://127.0.0.1:8080 NAME PASSWORD RUNS
//
// NAME is an operator of that server. Each run opens a page anew in a browser that has never been there.

import { createRequire } from "node:module";

const [address, name, password, runs] = process.argv.slice(2);
const require = createRequire(new URL("peers/", import.meta.url));
const load = async (module) => import(require.resolve(module));
const { default: puppeteer } = await load("puppeteer-core");
const { default: lighthouse } = await load("lighthouse");
const { launch } = await load("chrome-launcher");
const { version } = require("lighthouse/package.json");

const pages = { visitor: ["/"], operator: ["/photos", "/review", "/dashboard"] };
const categories = ["performance", "accessibility", "best-practices"];

/** The session's cookies, as a browser gets them. */
async function signIn() {
  const answer = await fetch(`${address}/login`, {
    method: "POST",
    body: new URLSearchParams({ name, password, next: "/" }),
    headers: { Origin: address },
    redirect: "manual",
  });
  if (answer.status !== 303) throw new Error(`signing in answers ${answer.status}`);
  return answer.headers.getSetCookie().map((cookie) => {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
    return { name, value, domain: new URL(address).hostname, path: "/", httpOnly: true };
  });
}

async function look(page, cookies) {
  const chrome = await launch({
    chromePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
  });
  try {
    if (cookies) {
      // As a header that Lighthouse adds they would go with the page, and not with its pictures.
      const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${chrome.port}` });
      await browser.setCookie(...cookies);
      await browser.disconnect();
    }
    const options = { port: chrome.port, logLevel: "error", onlyCategories: categories };
    let { lhr } = await lighthouse(`${address}${page}`, options);
    // Now and then Chromium does not record where the trace of a page begins; there is nothing to measure then.
    for (let again = 0; again < 3 && lhr.runtimeError?.code === "NO_NAVSTART"; again++) {
      ({ lhr } = await lighthouse(`${address}${page}`, options));
    }
    if (lhr.runtimeError) throw new Error(`${page}: ${lhr.runtimeError.message}`);
    if (new URL(lhr.finalDisplayedUrl).pathname !== page) throw new Error(`${page} leads to ${lhr.finalDisplayedUrl}`);
    return lhr;
  } finally {
    await chrome.kill();
  }
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

// Pages take turns, so that a machine that is slow for a minute is so for all of them.
const operator = await signIn();
const looks = new Map(Object.values(pages).flat().map((page) => [page, []]));
for (let run = 0; run < Number(runs); run++) {
  for (const [page, seen] of looks) seen.push(await look(page, pages.operator.includes(page) ? operator : undefined));
}

const found = {};
for (const [page, seen] of looks) {
  const value = (audit) => median(seen.map((one) => one.audits[audit].numericValue));
  const seconds = ["first-contentful-paint", "largest-contentful-paint", "speed-index"];
  // What takes points from a score, by name, so that whoever looks at a score knows where to look next.
  const weighs = (category) => seen[0].categories[category].auditRefs.filter(({ weight }) => weight > 0);
  const lost = categories.flatMap((category) => weighs(category).map(({ id }) => seen[0].audits[id]));
  const performance = seen.map((one) => Math.round(100 * one.categories.performance.score));
  found[page] = {
    scores: Object.fromEntries(
      categories.map((category) => [category, Math.round(100 * median(seen.map((one) => one.categories[category].score)))]),
    ),
    // How far the runs lie apart, and how fast Lighthouse found the machine meanwhile.
    performance: [Math.min(...performance), Math.max(...performance)],
    index: [Math.min, Math.max].map((end) => Math.round(end(...seen.map((one) => one.environment.benchmarkIndex)))),
    seconds: Object.fromEntries(seconds.map((audit) => [audit, value(audit) / 1000])),
    blocked_ms: value("total-blocking-time"),
    shift: value("cumulative-layout-shift"),
    kilobytes: value("total-byte-weight") / 1000,
    lost: lost.filter(({ score }) => score !== null && score < 0.9).map(({ id, score }) => ({ id, score })),
  };
}
const settings = looks.get("/")[0].configSettings;
const { rttMs, throughputKbps, cpuSlowdownMultiplier } = settings.throttling;
const profile =
  `its ${settings.formFactor} profile, ${settings.throttlingMethod === "simulate" ? "simulated" : "applied"}: ` +
  `${(throughputKbps / 1024).toFixed(1)} Mbit/s, ${rttMs} ms, a processor ${cpuSlowdownMultiplier} times slower`;
console.log(JSON.stringify({ version, runs: Number(runs), profile, pages: found }));
