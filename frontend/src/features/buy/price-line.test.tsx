// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import { zeroHash } from "viem";
import { afterEach, expect, test } from "vitest";
import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { NodeConfigProvider } from "@/shared/node-config.ts";
import { type Draft, newDraft } from "./draft.ts";
import { PriceLine } from "./price-line.tsx";
import { readDraft } from "./read-draft.ts";

afterEach(cleanup);

const VERIFIER = "0x0165878A594ca255338adfa4d48449f69242Eb8F";
const ask = { unitPrice: "500000000000000", minUnits: "1", maxUnits: "100000", verifiers: [VERIFIER], arbiters: [] };
const config = {
  committee: null,
  credit: { symbol: "CRED", decimals: 18 },
  examples: [{ name: "a", module: { path: "a.wasm", cid: "b", size: 1 }, inputs: [] }],
} as unknown as Config;

function priceOf(changes: Partial<Draft>): string | null {
  const draft = { ...newDraft(ask as unknown as AskMessage, config), seed: zeroHash, ...changes };
  render(
    <NodeConfigProvider value={config}>
      <PriceLine read={() => readDraft(draft, ask as unknown as AskMessage)} unitPrice={ask.unitPrice} />
    </NodeConfigProvider>,
  );
  return screen.getByRole("status").textContent;
}

test("the price is worked out in the open", () => {
  const words = priceOf({ units: "12000", verifierFee: "0.1" });
  expect(words).toBe(
    "12\u202f000 units × 0.0005 CRED + fees of 0.1 CRED = 6.1 CRED at most. What is not used comes back.",
  );
});

test("what is missing stands in the price's place", () => {
  expect(priceOf({ units: "twelve" })).toMatch(/^The number of units has to be a whole number/);
});
