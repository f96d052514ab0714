// Three metered leases in a browser: one whose job ends by itself, one that its buyer ends, and one whose meter it contests. The page co-signs what the provider meters.
//
//   node tests/e2e/lease.mjs <base-url> <chromium-path> <screenshots-dir> <ask>
import { JOB_MS, visitPage } from "./visit.mjs";

const [ask] = process.argv.slice(5);
const INTERVAL_S = "32";

await visitPage(async (visit) => {
  const { page } = visit;
  await visit.open("/");
  await visit.connect("buyer");

  const ended = await lease(visit, "/bin/sh\n-c\nsleep 12; echo done > /out/said");
  await visit.see(page.getByRole("cell", { name: /^co.signed$/ }).first(), JOB_MS);
  await visit.shot("lease");
  await visit.settled();
  await visit.see(page.getByText("Paid to the provider"));
  const last = await page.getByRole("rowheader", { name: /the last/ }).count();
  await visit.shot("lease-over");

  const stopped = await lease(visit, "/bin/sleep\n600");
  await visit.see(page.getByRole("cell", { name: /^co.signed$/ }).first(), JOB_MS);
  await visit.press(page.getByRole("button", { name: /^End the lease/ }));
  await visit.see(page.getByText(/You signed for .*, and no more/));
  await visit.settled();
  const paid = await page.getByRole("definition").filter({ hasText: "worth" }).allTextContents();
  await page.setViewportSize({ width: 390, height: 844 });
  await visit.shot("lease-narrow");
  await visit.open(`/jobs/${ended}`);
  await visit.see(page.getByRole("link", { name: "Save said" }), JOB_MS);
  await page.getByRole("link", { name: "See its meter" }).click();
  await visit.see(page.getByRole("table", { name: /^The meter/ }));

  await page.route("**/v1/content/*", changeSamples);
  const contested = await lease(visit, "/bin/sleep\n600");
  await visit.see(page.getByRole("alert").filter({ hasText: "is not believed: what was measured" }), JOB_MS);
  await visit.press(page.getByRole("button", { name: "Contest it" }));
  await visit.see(page.getByText("You contested a reading: the provider stops"));
  await visit.see(page.getByRole("cell", { name: /^contested: what was measured/ }));
  await visit.shot("lease-contested");
  visit.expectNoComplaints();
  return { ended, last, stopped, paid, contested };
});

/** What stands behind a reading, one letter of it another: the bytes are not those that the provider signed. */
async function changeSamples(route) {
  const response = await route.fetch();
  const body = (await response.body()).toString("latin1");
  await route.fulfill({ response, body: Buffer.from(body.replace('"cpu_ms"', '"cpu_mS"'), "latin1") });
}

/** Leases the machine behind the ask for a command. Returns the job. */
async function lease(visit, command) {
  const { page } = visit;
  await page.setViewportSize({ width: 1280, height: 900 });
  await visit.open(`/buy/${ask}`);
  await page.getByLabel("Command to run").selectOption("");
  await page.getByLabel("Command", { exact: true }).fill(command);
  await page.getByLabel("How the result is checked").selectOption("lease");
  await page.getByLabel("Interval").fill(INTERVAL_S);
  await page.getByLabel("Seconds at most").fill("200");
  await visit.see(page.locator("output", { hasText: "at most" }));
  await visit.shot("lease-order");
  await page.getByRole("button", { name: "Ask for a quote" }).click();
  return visit.acceptQuote();
}
