// A whole trade in a browser: buy the path tracer as the demo's buyer, see the picture, claim the pay as its provider, audit.
//
//   node tests/e2e/journey.mjs <base-url> <chromium-path> <screenshots-dir>
import { join } from "node:path";
import { JOB_MS, visitPage } from "./visit.mjs";

await visitPage(async (visit) => {
  const { page } = visit;
  await visit.open();
  await visit.connect("buyer");
  await visit.see(page.getByRole("heading", { name: "Market" }));
  await visit.see(page.getByRole("row", { name: /provider/ }).first());
  await visit.shot("market");

  await visit.order();
  await page.getByLabel("Program to run").selectOption("path_tracer/demo");
  const price = await page.locator("output").textContent();
  await visit.shot("order");
  await visit.press(page.getByRole("button", { name: "Ask for a quote" }));
  const jobId = await visit.acceptQuote();

  const settledIn = await visit.settled();
  const picture = await checkedPicture(visit);
  await visit.shot("job");
  await page.screenshot({ path: join(visit.screenshots, "demo.png") });
  await visit.section("My jobs");
  await visit.see(page.getByRole("link", { name: `${jobId.slice(0, 6)}…${jobId.slice(-4)}` }));
  await visit.shot("jobs");

  await visit.connect("provider-aurora");
  const claim = await claimEarnings(visit);
  // A provider without a balance could lock no bond for the next job.
  const deposited = await putBack(visit, "50");
  const reward = await stakeAndClaim(visit, "1");
  await visit.section("Audit");
  await visit.see(page.getByText("The store agrees with the chain."), JOB_MS);
  await visit.see(page.getByRole("table", { name: /Events/ }));
  await visit.shot("audit");
  const proof = await verifyProof(visit, jobId);
  await visit.section("Statistics");
  await visit.see(page.getByRole("figure", { name: /^Volume/ }));
  await visit.see(page.getByRole("figure", { name: /^A unit of wasm/ }));
  await visit.shot("statistics");
  await visit.section("Institutions");
  await visit.see(page.getByRole("table", { name: "Committee of verifiers" }));
  await visit.see(page.getByRole("table", { name: "Roles of the timelock" }));
  await visit.shot("institutions");
  await onTelephone(visit, jobId);
  visit.expectNoComplaints();
  return {
    job: jobId,
    price,
    settled_in_s: settledIn,
    picture,
    claim,
    deposited,
    reward,
    proof,
    store_matches_chain: true,
  };
});

/** The widest tables on the narrowest screen. */
async function onTelephone(visit, jobId) {
  const { page } = visit;
  await page.setViewportSize({ width: 390, height: 844 });
  await visit.section("Market");
  await visit.see(page.getByRole("row", { name: /provider/ }).first());
  await visit.shot("market-narrow");
  await visit.open(`/jobs/${jobId}`);
  await visit.see(page.getByRole("table", { name: /Every event/ }));
  await visit.shot("job-narrow");
  await page
    .getByRole("link", { name: /^provider-aurora/ })
    .first()
    .click();
  await visit.see(page.getByRole("table", { name: "Scores by role" }));
  await visit.see(page.getByRole("table", { name: /newest first/ }).first());
  await visit.shot("account-narrow");
}

/** The trade is proven in the page, its blocks are the chain's, and one changed digit in the file is found out. */
async function verifyProof(visit, jobId) {
  const { page } = visit;
  await visit.open(`/jobs/${jobId}`);
  await page.getByRole("link", { name: "Prove this trade" }).click();
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith(`/v1/jobs/${jobId}/proof`)),
    page.getByRole("button", { name: "Fetch and verify" }).click(),
  ]);
  const bundle = await answer.body();
  const proven = page.getByRole("status", { name: "Proven trade" });
  await visit.see(proven.getByText(/^Proven: \d+ events/));
  await proven.getByRole("button", { name: /^Compare with the chain/ }).click();
  await visit.see(proven.getByText(/on the chain$/).first());
  if (await proven.getByText(/not on the chain$/).count()) throw new Error("a block of the proof is not on the chain");
  await visit.shot("proof");
  const changed = Buffer.from(bundle);
  const at = changed.indexOf('"0xf9', changed.indexOf('"proof"')) + 40;
  changed[at] = changed[at] === 0x30 ? 0x31 : 0x30;
  const file = page.getByLabel(/^A file/);
  await file.setInputFiles({ name: "changed.proof.json", mimeType: "application/json", buffer: changed });
  const refused = await visit.seeAlert(/not the one|no RLP|does not hash/);
  await file.setInputFiles({ name: "trade.proof.json", mimeType: "application/json", buffer: bundle });
  await visit.see(proven);
  return { bytes: bundle.length, signers: (await proven.getByText(/signed by/).textContent()).trim(), refused };
}

async function checkedPicture(visit) {
  const picture = visit.page.getByRole("img", { name: /^Output/ });
  await visit.see(picture, JOB_MS);
  await visit.page.waitForFunction((image) => image.complete && image.naturalWidth > 0, await picture.elementHandle());
  return picture.evaluate((image) => ({ name: image.alt, width: image.naturalWidth, height: image.naturalHeight }));
}

async function claimEarnings(visit) {
  const { page } = visit;
  await visit.section("Earnings");
  const balance = page.getByRole("region", { name: "Balance" });
  const button = balance.getByRole("button", { name: "Claim to wallet" });
  await visit.see(page.getByRole("table", { name: /Jobs on your machines/ }));
  await page.waitForFunction((claim) => !claim.disabled, await button.elementHandle());
  const before = await fact(balance, "Free to claim");
  await visit.shot("earnings");
  await button.click();
  await visit.see(balance.getByText(/moved to your wallet/));
  await page.waitForFunction(
    (text) => document.querySelector("section[aria-label=Balance] dd")?.textContent !== text,
    before,
  );
  const after = await fact(balance, "Free to claim");
  await visit.shot("claimed");
  if (!after.startsWith("0 ")) throw new Error(`after the claim of ${before}, ${after} are still free`);
  return { free_before: before, free_after: after };
}

async function putBack(visit, amount) {
  const balance = visit.page.getByRole("region", { name: "Balance" });
  await balance.getByLabel("Add to the balance").fill(amount);
  await balance.getByRole("button", { name: "Add from wallet" }).click();
  await visit.see(balance.getByText(/added to your balance/));
  await visit.see(balance.locator("dd").first().getByText(`${amount} `));
  return fact(balance, "Free to claim");
}

/** Puts earnings behind jobs: they vest bit by bit, and what has vested is claimed. */
async function stakeAndClaim(visit, amount) {
  const { page } = visit;
  const stake = page.getByRole("region", { name: "Stake" });
  await stake.getByLabel("Put earnings behind jobs").fill(amount);
  await stake.getByRole("button", { name: "Add to the stake" }).click();
  await visit.see(stake.getByText(/stand behind your jobs/));
  await visit.see(stake.getByText("Not vested yet"));
  await visit.shot("stake");
  const unvested = await fact(stake, "Not vested yet");
  const claim = stake.getByRole("button", { name: "Claim what has vested" });
  await page.waitForFunction((button) => !button.disabled, await claim.elementHandle());
  await claim.click();
  await visit.see(stake.getByText("What had vested is in your wallet."));
  return { unvested };
}

async function fact(region, name) {
  return region.locator("dt", { hasText: name }).locator("xpath=following-sibling::dd[1]").textContent();
}
