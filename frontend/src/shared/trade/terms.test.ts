import type { Hex, TypedDataDomain } from "viem";
import { expect, test } from "vitest";
import type { TermsMessage } from "@/shared/api/schemas.ts";
import { goldenVectors } from "./golden-vectors.ts";
import { escrowOf, jobIdOf, readTerms } from "./terms.ts";

interface Vector {
  readonly domain: TypedDataDomain;
  readonly message: Record<string, string>;
  readonly digest: Hex;
}

const NUMBERS = ["openBy", "end", "passWindow", "disputeWindow", "rulingWindow", "maxFeeBps", "nonce"];

/** A vector's message as the node's API would write it. */
function asTravelled(message: Record<string, string>): TermsMessage {
  const entries = Object.entries(message);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, NUMBERS.includes(name) ? Number(value) : value]),
  ) as never;
}

test.each(goldenVectors<Vector>("terms"))("terms that travelled keep their job id $digest", (vector) => {
  expect(jobIdOf(vector.domain, readTerms(asTravelled(vector.message)))).toBe(vector.digest);
});

test("the escrow is exact where a float would not be", () => {
  const escrow = escrowOf({ unitPrice: 9_007_199_254_740_993n, maxUnits: 1_000_003n, verifierFee: 1n, arbiterFee: 2n });
  expect(escrow).toBe(9_007_226_276_338_757_222_979n + 3n);
});
