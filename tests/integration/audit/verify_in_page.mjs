// What the web app's verifier says of proof bundles: a JSON list of base64 on standard input, a JSON list of answers on standard output, null for a refusal.
//
//   node tests/integration/audit/verify_in_page.mjs < bundles.json
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const root = fileURLToPath(new URL("../../../frontend/", import.meta.url));
const server = await createServer({
  root,
  configFile: `${root}vite.config.ts`,
  logLevel: "error",
  appType: "custom",
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, hmr: false, watch: null, ws: false },
});
try {
  const { verifyBundle } = await server.ssrLoadModule("/src/shared/proof/verify-bundle.ts");
  const answers = [];
  for (const encoded of JSON.parse(await text(process.stdin))) {
    answers.push(await answerOf(verifyBundle, new Uint8Array(Buffer.from(encoded, "base64"))));
  }
  process.stdout.write(JSON.stringify(answers));
} finally {
  await server.close();
}

async function answerOf(verifyBundle, bundle) {
  try {
    const trade = await verifyBundle(bundle);
    return {
      job: trade.job,
      state: trade.state,
      events: trade.events.map((event) => event.name),
      blocks: trade.blocks.map(({ number, hash }) => [number, hash]),
      signers: trade.attestations.map(({ signers }) => signers),
      specification: trade.hasSpecification,
      evidence: trade.evidence,
    };
  } catch (error) {
    // Whatever is wrong with a bundle is said in a sentence; another error is a fault of the page.
    if (error.name !== "PageError") throw error;
    return null;
  }
}
