// Everything that can go wrong on the page: each is told in a sentence that says what to do, and costs nobody anything.
//
//   node tests/e2e/mishaps.mjs <base-url> <chromium-path> <screenshots-dir>
import { visitPage } from "./visit.mjs";

const NOTHING = `0x${"00".repeat(32)}`;
const NO_MODULE = { name: "broken.wasm", mimeType: "application/wasm", buffer: Buffer.from("this is no module") };

await visitPage(async (visit) => {
  const { page } = visit;
  const told = {};
  await visit.open(`/buy/${NOTHING}`);
  told.unknown_ask = await visit.seeAlert(/ask/);
  await visit.open(`/quotes/${NOTHING}`);
  told.unknown_quote = await visit.seeAlert(/quote/);

  await visit.open();
  await visit.connect("buyer");
  await visit.order();
  told.too_many_units = await refusedOrder(visit, "Fuel at most", "100000000");
  told.no_memory = await refusedOrder(visit, "Memory", "0");

  await page.reload();
  await visit.see(page.getByLabel("Program to run"));
  await page.getByLabel("Fuel at most").fill("12000");
  await page.getByLabel("Memory", { exact: false }).first().fill("256");
  told.changed_terms = await changedTerms(visit);
  told.chain_down = await chainDown(visit);
  told.node_down = await nodeDown(visit);
  told.broken_program = await brokenProgram(visit);
  return told;
});

/** Fills in one field wrongly and asks for a quote, which is refused here already. */
async function refusedOrder(visit, label, value) {
  const field = visit.page.getByLabel(label, { exact: false }).first();
  const before = await field.inputValue();
  await field.fill(value);
  await visit.page.getByRole("button", { name: "Ask for a quote" }).click();
  const told = await visit.seeAlert(/./);
  await field.fill(before);
  return told;
}

/** A node that shows terms with one field changed after they were signed. */
async function changedTerms(visit) {
  const { page } = visit;
  const quotes = /\/v1\/quote-requests\/0x/;
  await page.route(quotes, async (route) => {
    const answer = await route.fetch();
    const row = await answer.json();
    if (row.quote) row.quote.message.terms.unitPrice = `${BigInt(row.quote.message.terms.unitPrice) + 1n}`;
    await route.fulfill({ response: answer, json: row });
  });
  await page.getByRole("button", { name: "Ask for a quote" }).click();
  const told = await visit.seeAlert(/not what you asked for/);
  if (await page.getByRole("button", { name: /open the job/ }).count())
    throw new Error("changed terms can be accepted");
  await page.unroute(quotes);
  return told;
}

/** A chain that does not answer while the buyer pays: nothing is lost, and it goes on when the chain is back. */
async function chainDown(visit) {
  const { page } = visit;
  await page.reload();
  const pay = page.getByRole("button", { name: /open the job|^Swap|^Mint/ }).first();
  await visit.see(pay);
  const chain = /\/rpc$/;
  await page.route(chain, (route) => route.abort());
  await pay.click();
  const told = await visit.seeAlert(/chain does not answer/);
  await page.unroute(chain);
  await visit.see(pay);
  return told;
}

async function nodeDown(visit) {
  const { page } = visit;
  await visit.section("Market");
  await page.route(/\/v1\//, (route) => route.abort());
  const told = await visit.seeAlert(/node does not answer/);
  await page.unroute(/\/v1\//);
  await page
    .getByRole("alert")
    .filter({ hasText: /node does not answer/ })
    .first()
    .waitFor({ state: "hidden" });
  return told;
}

/** A program that is none: the provider hands the job back with the reason, and the buyer has all its money back. */
async function brokenProgram(visit) {
  const { page } = visit;
  await visit.open();
  await visit.order();
  await page.getByLabel("Program to run").selectOption("");
  await page.getByLabel("Program file (.wasm)").setInputFiles(NO_MODULE);
  await visit.see(page.getByRole("button", { name: "Remove broken.wasm" }));
  await page.getByRole("button", { name: "Ask for a quote" }).click();
  const jobId = await visit.acceptQuote();
  await visit.settled();
  const told = await visit.seeAlert(/module/);
  await visit.shot("handed-back");
  return { job: jobId, told };
}
