// A page in a Chromium of the tests: how it is started, what it complains of, and the steps that every walk through the page has.
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const STEP_MS = 60_000;
export const JOB_MS = 180_000;
const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const LAST_TAB_STOP = 200;
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
    await this.press(first.getByRole("link", { name: "Buy" }));
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

  /** A picture of the page as it is. It must fit the screen's width, and axe's rules of accessibility, contrast in both colour schemes among them. */
  async shot(name) {
    const over = await this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (over > 0) this.complaints.push(`${name} is ${over} pixels wider than the screen`);
    await this.page.screenshot({ path: join(this.screenshots, `${name}.png`), fullPage: true });
    for (const colorScheme of ["dark", "light"]) {
      await this.page.emulateMedia({ colorScheme });
      if (colorScheme === "dark")
        await this.page.screenshot({ path: join(this.screenshots, `${name}.dark.png`), fullPage: true });
      await this.page.evaluate(AXE);
      const { violations, passes } = await this.page.evaluate(
        (values) => axe.run({ runOnly: { type: "tag", values }, resultTypes: ["violations"] }),
        RULES,
      );
      if (passes.length === 0) throw new Error("axe found nothing to look at");
      for (const { id, help, nodes } of violations)
        this.complaints.push(
          `${name}, ${colorScheme}: ${id}: ${help}: ${nodes.map((node) => `${node.html.slice(0, 160)} (${node.failureSummary})`).join("; ")}`,
        );
    }
  }

  /** Neither the browser nor axe may have had anything to say. */
  expectNoComplaints() {
    if (this.complaints.length > 0) throw new Error("the browser or axe complained");
  }

  /** Goes to a control by the keyboard alone, sees that it shows its focus, and presses it. */
  async press(locator, key = "Enter") {
    await this.see(locator);
    const control = await locator.elementHandle();
    for (let stop = 0; stop < LAST_TAB_STOP; stop += 1) {
      const focus = await control.evaluate(
        (element) => element === document.activeElement && getComputedStyle(element).outlineStyle,
      );
      if (focus === "none") throw new Error(`the focus does not show on ${locator}`);
      if (focus) return this.page.keyboard.press(key);
      await this.page.keyboard.press("Tab");
    }
    throw new Error(`no Tab leads to ${locator}`);
  }

  /** Buys what the quote page offers, with the help that it offers. Returns the job's id. */
  async acceptQuote() {
    const { page } = this;
    const pay = page.getByRole("button", { name: /^Pay from .* and open the job$/ }).first();
    const swap = page.getByRole("button", { name: /^Swap/ });
    const mint = page.getByRole("button", { name: /^Mint/ });
    await this.see(page.getByText(/These terms are what you asked for/));
    await this.shot("terms");
    for (const help of [mint, swap]) {
      await this.see(pay.or(swap).or(mint).first());
      if (await help.isVisible()) {
        await this.press(help);
        await help.waitFor({ state: "hidden" });
      }
    }
    await this.press(pay);
    await page.waitForURL(/\/(jobs|leases)\/0x[0-9a-f]{64}$/);
    return new URL(page.url()).pathname.split("/").at(-1);
  }

  /** Waits until the job on the page is settled. Returns the seconds. */
  async settled() {
    const started = Date.now();
    await this.see(this.page.getByRole("status", { name: "State" }).getByText(/^settled/), JOB_MS);
    return Math.round((Date.now() - started) / 100) / 10;
  }
}
