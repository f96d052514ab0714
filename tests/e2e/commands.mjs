// A command in a browser: a matrix product from the buyer's own files, checked by Freivalds, on the provider of commands.
//
//   node tests/e2e/commands.mjs <base-url> <chromium-path> <screenshots-dir> <ask> <folder with multiply.py, a.npy and b.npy>
import { join } from "node:path";
import { JOB_MS, visitPage } from "./visit.mjs";

const [ask, folder] = process.argv.slice(5);

await visitPage(async (visit) => {
  const { page } = visit;
  await visit.open(`/buy/${ask}`);
  await visit.connect("buyer");
  const choice = page.getByLabel("Command to run");
  await visit.see(choice);
  const examples = await choice.locator("option").allTextContents();
  await choice.selectOption("");
  const missing = await told(visit, /Say what is to run/);

  await page.getByLabel("Program files").setInputFiles(join(folder, "multiply.py"));
  await page.getByLabel("Input files").setInputFiles(["a.npy", "b.npy"].map((name) => join(folder, name)));
  for (const name of ["multiply.py", "a.npy", "b.npy"]) {
    await visit.see(page.getByRole("button", { name: `Remove ${name}` }));
  }
  await page.getByLabel("Command", { exact: true }).fill("/opt/python/bin/python3\nmultiply.py");
  await page.getByLabel("How the result is checked").selectOption("freivalds");
  await told(visit, /Choose the left matrix/);
  await page.getByLabel("Left matrix").selectOption("a.npy");
  await page.getByLabel("Right matrix").selectOption("b.npy");
  await page.getByLabel("Product, an output").fill("c.npy");
  await visit.see(page.locator("output", { hasText: "at most" }));
  await visit.shot("command-order");
  await page.getByRole("button", { name: "Ask for a quote" }).click();
  const job = await visit.acceptQuote();

  const order = page.getByRole("region", { name: "Order" });
  await visit.see(order);
  const ordered = await order.textContent();
  await visit.settled();
  await visit.see(page.getByRole("link", { name: "Save c.npy" }), JOB_MS);
  const verdict = await page.getByRole("note", { name: "Verdict" }).textContent();
  await visit.shot("command-job");
  visit.expectNoComplaints();
  return { job, examples, missing, ordered, verdict };
});

/** What stands in the price's place while something is missing. */
async function told(visit, words) {
  const line = visit.page.locator("output", { hasText: words });
  await visit.see(line);
  return line.textContent();
}
