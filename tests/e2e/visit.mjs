// A page in a Chromium of the tests: how it is started, what it complains of, and the steps that every walk through the page has.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const STEP_MS = 60_000;
export const JOB_MS = 180_000;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];

/**
 * Runs `walk(visit)` as a program: `node FILE <base-url> <chromium-path> <screenshots-dir>`. Prints what it returns as one JSON object. Exits with 1, and says why on standard
 * error, where a step fails; the page as it was then is failed.png.
 */
export async function visitPage(walk) {
  const [baseUrl, executablePath, screenshots] = process.argv.slice(2);
  if (!screenshots) {
    console.error(`usage: node ${process.argv[1]} <base-url> <chromium-path> <screenshots-dir>`);
    process.exit(2);
  }
  await mkdir(screenshots, { recursive: true });
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(STEP_MS);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    // What is not there yet is asked for until it is, and the browser writes a line for each answer that is no success.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  try {
    console.log(JSON.stringify(await walk(new Visit(page, baseUrl, screenshots, complaints)), null, 2));
  } catch (error) {
    await page.screenshot({ path: join(screenshots, "failed.png"), fullPage: true }).catch(() => undefined);
    const alerts = await page
      .getByRole("alert")
      .allInnerTexts()
      .catch(() => []);
    console.error([`The walk failed at ${page.url()}: ${error.message}`, ...alerts, ...complaints].join("\n"));
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

export class Visit {
  constructor(page, baseUrl, screenshots, complaints) {
    this.page = page;
    this.baseUrl = baseUrl;
    this.screenshots = screenshots;
    this.complaints = complaints;
  }

  async open(path = "/") {
    await this.page.goto(new URL(path, this.baseUrl).href);
  }

  /** Connects a development wallet: `buyer` or `provider`. */
  async connect(label) {
    await this.page.getByRole("button", { name: /^(Connect wallet|Account)/ }).click();
    const menu = this.page.getByRole("region", { name: "Wallet" });
    await menu.getByRole("button", { name: new RegExp(`^${label} development wallet`) }).click();
    await this.see(this.page.getByRole("button", { name: new RegExp(`^Account ${label}`) }));
  }

  /** From the market to the order form of the first ask. */
  async order() {
    const first = this.page.getByRole("row", { name: /provider/ }).first();
    await first.getByRole("link", { name: "Buy" }).click();
    await this.see(this.page.getByLabel("Program to run"));
  }

  async section(name) {
    await this.page.getByRole("navigation", { name: "Sections" }).getByRole("link", { name, exact: true }).click();
    await this.see(this.page.getByRole("heading", { level: 1, name }));
  }

  async see(locator, timeout = STEP_MS) {
    await locator.waitFor({ state: "visible", timeout });
  }

  /** Waits for an alert with these words, and returns all that it says. */
  async seeAlert(words, timeout = STEP_MS) {
    const alert = this.page.getByRole("alert").filter({ hasText: words }).first();
    await this.see(alert, timeout);
    return (await alert.textContent()).trim();
  }

  async shot(name) {
    await this.page.screenshot({ path: join(this.screenshots, `${name}.png`), fullPage: true });
  }

  /** The browser itself must have had nothing to say. */
  expectNoComplaints() {
    if (this.complaints.length > 0) throw new Error("the browser complained");
  }

  /** Buys what the quote page offers, with the help that it offers. Returns the job's id. */
  async acceptQuote() {
    const { page } = this;
    const pay = page.getByRole("button", { name: "Pay from the wallet and open the job" });
    const swap = page.getByRole("button", { name: /^Swap/ });
    const mint = page.getByRole("button", { name: /^Mint/ });
    await this.see(page.getByText(/These terms are what you asked for/));
    await this.shot("terms");
    for (const help of [mint, swap]) {
      await this.see(pay.or(swap).or(mint).first());
      if (await help.isVisible()) {
        await help.click();
        await help.waitFor({ state: "hidden" });
      }
    }
    await pay.click();
    await page.waitForURL(/\/jobs\/0x[0-9a-f]{64}$/);
    return new URL(page.url()).pathname.split("/").at(-1);
  }

  /** Waits until the job on the page is settled. Returns the seconds. */
  async settled() {
    const started = Date.now();
    await this.see(this.page.getByRole("status", { name: "State" }).getByText(/^settled/), JOB_MS);
    return Math.round((Date.now() - started) / 100) / 10;
  }
}
