// A whole trade in a browser: buy the path tracer as the demo's buyer, see the picture, claim the pay as its provider, audit.
//
//   node tests/e2e/journey.mjs <base-url> <chromium-path> <screenshots-dir>
//
// Prints one JSON object. Exits with 1, and says why on standard error, where a step fails; the page as it was then is failed.png.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [baseUrl, executablePath, screenshots] = process.argv.slice(2);
const STEP_MS = 30_000;
const JOB_MS = 180_000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];

if (!screenshots) {
  console.error("usage: node tests/e2e/journey.mjs <base-url> <chromium-path> <screenshots-dir>");
  process.exit(2);
}
await mkdir(screenshots, { recursive: true });
const browser = await chromium.launch({ executablePath, args: FLAGS });
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
page.setDefaultTimeout(STEP_MS);
const complaints = [];
page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
page.on("console", (message) => {
  // What is not there yet is asked for until it is, and the browser writes a line for each 404.
  if (message.type() === "error" && !message.text().includes("404")) complaints.push(message.text());
});

try {
  console.log(JSON.stringify(await journey(), null, 2));
} catch (error) {
  await page.screenshot({ path: join(screenshots, "failed.png"), fullPage: true }).catch(() => undefined);
  const alerts = await page
    .getByRole("alert")
    .allInnerTexts()
    .catch(() => []);
  console.error([`The journey failed at ${page.url()}: ${error.message}`, ...alerts, ...complaints].join("\n"));
  process.exitCode = 1;
} finally {
  await browser.close();
}

async function journey() {
  await page.goto(baseUrl);
  await connect("buyer");
  await expectVisible(page.getByRole("heading", { name: "Market" }));
  await expectVisible(page.getByRole("row", { name: /provider/ }).first());
  await shot("market");

  await page
    .getByRole("row", { name: /provider/ })
    .first()
    .getByRole("link", { name: "Buy" })
    .click();
  await page.getByLabel("Program to run").selectOption("path_tracer");
  const price = await page.locator("output").textContent();
  await shot("order");
  await page.getByRole("button", { name: "Ask for a quote" }).click();
  const jobId = await acceptQuote();

  const settledIn = await settled();
  const picture = await checkedPicture();
  await shot("job");
  await section("My jobs");
  await expectVisible(page.getByRole("link", { name: `${jobId.slice(0, 6)}…${jobId.slice(-4)}` }));
  await shot("jobs");

  await connect("provider");
  const claim = await claimEarnings();
  // A provider without a balance could lock no bond for the next job.
  const deposited = await putBack("50");
  await section("Audit");
  await expectVisible(page.getByText("The store agrees with the chain."), JOB_MS);
  await expectVisible(page.getByRole("table", { name: /Events/ }));
  await shot("audit");
  if (complaints.length > 0) throw new Error("the browser complained");
  return { job: jobId, price, settled_in_s: settledIn, picture, claim, deposited, store_matches_chain: true };
}

async function connect(label) {
  await page.getByRole("button", { name: /^(Connect wallet|Account)/ }).click();
  const menu = page.getByRole("region", { name: "Wallet" });
  await menu.getByRole("button", { name: new RegExp(`^${label} development wallet`) }).click();
  await expectVisible(page.getByRole("button", { name: new RegExp(`^Account ${label}`) }));
}

async function acceptQuote() {
  const pay = page.getByRole("button", { name: "Pay from the wallet and open the job" });
  const swap = page.getByRole("button", { name: /^Swap/ });
  const mint = page.getByRole("button", { name: /^Mint/ });
  await expectVisible(page.getByText(/These terms are what you asked for/));
  await shot("terms");
  for (const help of [mint, swap]) {
    await expectVisible(pay.or(swap).or(mint).first());
    if (await help.isVisible()) {
      await help.click();
      await help.waitFor({ state: "hidden" });
    }
  }
  await pay.click();
  await page.waitForURL(/\/jobs\/0x[0-9a-f]{64}$/);
  return new URL(page.url()).pathname.split("/").at(-1);
}

async function settled() {
  const started = Date.now();
  await expectVisible(page.getByRole("status", { name: "State" }).getByText(/^settled/), JOB_MS);
  return Math.round((Date.now() - started) / 100) / 10;
}

async function checkedPicture() {
  const picture = page.getByRole("img", { name: /^Output/ });
  await expectVisible(picture, JOB_MS);
  await page.waitForFunction((image) => image.complete && image.naturalWidth > 0, await picture.elementHandle());
  return picture.evaluate((image) => ({ name: image.alt, width: image.naturalWidth, height: image.naturalHeight }));
}

async function claimEarnings() {
  await section("Earnings");
  const balance = page.getByRole("region", { name: "Balance" });
  const button = balance.getByRole("button", { name: "Claim to wallet" });
  await expectVisible(page.getByRole("table", { name: /Jobs on your machines/ }));
  await page.waitForFunction((claim) => !claim.disabled, await button.elementHandle());
  const before = await fact(balance, "Free to claim");
  await shot("earnings");
  await button.click();
  await expectVisible(balance.getByText(/moved to your wallet/));
  await page.waitForFunction(
    (text) => document.querySelector("section[aria-label=Balance] dd")?.textContent !== text,
    before,
  );
  const after = await fact(balance, "Free to claim");
  await shot("claimed");
  if (!after.startsWith("0 ")) throw new Error(`after the claim of ${before}, ${after} are still free`);
  return { free_before: before, free_after: after };
}

async function putBack(amount) {
  const balance = page.getByRole("region", { name: "Balance" });
  await balance.getByLabel("Add to the balance").fill(amount);
  await balance.getByRole("button", { name: "Add from wallet" }).click();
  await expectVisible(balance.getByText(/added to your balance/));
  await expectVisible(balance.locator("dd").first().getByText(`${amount} `));
  return fact(balance, "Free to claim");
}

async function fact(region, name) {
  return region.locator("dt", { hasText: name }).locator("xpath=following-sibling::dd[1]").textContent();
}

async function section(name) {
  await page.getByRole("navigation", { name: "Sections" }).getByRole("link", { name, exact: true }).click();
  await expectVisible(page.getByRole("heading", { level: 1, name }));
}

async function expectVisible(locator, timeout = STEP_MS) {
  await locator.waitFor({ state: "visible", timeout });
}

async function shot(name) {
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}
