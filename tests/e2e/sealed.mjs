// A sealed order in a browser: the renderer's scene sealed to provider and verifiers, its picture opened by a key that the browser made, lost, and imported again.
//
//   node tests/e2e/sealed.mjs <base-url> <chromium-path> <screenshots-dir> <ask> <folder with path_tracer.wasm and demo.scene> <how many readers told their keys>
import { join } from "node:path";
import { JOB_MS, visitPage } from "./visit.mjs";

const [ask, folder, readers] = process.argv.slice(5);

await visitPage(async (visit) => {
  const { page } = visit;
  await visit.open(`/buy/${ask}`);
  await visit.connect("buyer");
  await page.getByLabel("Inputs and outputs").selectOption("sealed");
  const told = page.getByRole("list", { name: "Readers who told their keys" });
  await visit.see(told.getByRole("checkbox", { checked: true }).nth(Number(readers) - 1));
  const keys = await page.getByLabel("Reader keys", { exact: true }).inputValue();
  await page.getByLabel("Reader keys", { exact: true }).fill("");
  await visit.see(page.locator("output", { hasText: /Name the provider's reader key/ }));
  for (const box of await told.getByRole("checkbox").all()) await box.check();
  await page.getByLabel("Program to run").selectOption("");
  await page.getByLabel("Program file (.wasm)").setInputFiles(join(folder, "path_tracer.wasm"));
  await visit.see(page.getByRole("button", { name: "Remove path_tracer.wasm" }));
  const uploads = [];
  page.on("request", (request) => request.method() === "PUT" && uploads.push(request.postDataBuffer().toString()));
  await page.getByLabel("Input files").setInputFiles(join(folder, "demo.scene"));
  await visit.see(page.getByText("sealed when you order"));
  await page.getByLabel("Arguments").fill("demo.scene");
  await visit.see(page.locator("output", { hasText: "at most" }));
  await visit.shot("sealed-order");

  await page.getByRole("link", { name: "save a copy" }).click();
  const copy = join(folder, "reader-key.json");
  await saveCopy(page, copy);
  await visit.shot("reader-keys");
  await page.goBack();
  // Files of a sealed order are in this tab, and nowhere else, until it is sealed.
  await visit.see(page.getByRole("button", { name: "Remove demo.scene" }));
  await page.getByRole("button", { name: "Ask for a quote" }).click();
  const job = await visit.acceptQuote();
  await visit.settled();
  const picture = page.getByRole("img", { name: "Output picture.png" });
  await visit.see(picture, JOB_MS);
  await visit.shot("sealed-job");

  await visit.open("/keys");
  await page.getByRole("button", { name: "Forget …" }).click();
  await page.getByRole("button", { name: "Forget it for good" }).click();
  await visit.see(page.getByText("This browser holds no reader key yet."));
  await visit.open(`/jobs/${job}`);
  const stranger = page.getByText(/holds none of their keys/);
  await visit.see(stranger);
  const notice = await stranger.textContent();
  const shownToStranger = await picture.count();
  await page.setViewportSize({ width: 390, height: 844 });
  await visit.shot("sealed-job-stranger-narrow");
  await page.getByRole("link", { name: "import the copy of your key" }).click();
  await page.getByLabel("Import the copy of a key").setInputFiles(copy);
  await visit.see(page.getByText(/The key is in this browser now/));
  await visit.shot("reader-keys-narrow");
  await visit.open(`/jobs/${job}`);
  await visit.see(picture, JOB_MS);
  await visit.open(`/buy/${ask}`);
  await visit.see(page.getByLabel("Reader keys", { exact: true }));
  await visit.shot("sealed-order-narrow");
  visit.expectNoComplaints();
  return {
    job,
    copy,
    keys: keys.split("\n"),
    notice,
    shownToStranger,
    uploads: uploads.length,
    openly: uploads.filter((sent) => sent.includes("camera")).length,
  };
});

async function saveCopy(page, path) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Save a copy" }).click(),
  ]);
  await download.saveAs(path);
}
