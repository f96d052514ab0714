// Prints the path of a Chromium that really starts here, for the browser tests: CHROMIUM_PATH, the one that npm's
// @sparticuz/chromium brings, or a browser of the system. With --install, as root on Debian, installs the package `chromium` when none of them starts.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);
const SYSTEM_PATHS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const START_TIMEOUT_MS = 30_000;

async function main() {
  const found = await find();
  if (found) return found;
  if (process.argv.includes("--install") && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    console.error("Installing Debian's chromium …");
    await apt(["update"]);
    await apt(["install", "--yes", "--no-install-recommends", "chromium"]);
    return find();
  }
  return undefined;
}

async function find() {
  const candidates = [() => process.env.CHROMIUM_PATH, packaged, ...SYSTEM_PATHS.map((path) => () => path)];
  for (const candidate of candidates) {
    const path = await candidate();
    if (path && existsSync(path) && (await starts(path))) return path;
  }
  return undefined;
}

/** The browser inside npm's @sparticuz/chromium, unpacked into the system's temporary folder. */
async function packaged() {
  try {
    const { default: chromium } = await import("@sparticuz/chromium");
    return await chromium.executablePath();
  } catch {
    return undefined;
  }
}

async function starts(path) {
  const { chromium } = await import("playwright-core");
  try {
    const browser = await chromium.launch({ executablePath: path, args: FLAGS, timeout: START_TIMEOUT_MS });
    const page = await browser.newPage();
    await page.setContent("<p>computility</p>");
    await browser.close();
    return true;
  } catch {
    return false;
  }
}

async function apt(words) {
  await run("apt-get", words, { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, timeout: 600_000 });
}

const path = await main();
if (!path) {
  console.error("no Chromium starts here: set CHROMIUM_PATH, or install one (Debian: apt-get install chromium)");
  process.exit(1);
}
console.log(path);
