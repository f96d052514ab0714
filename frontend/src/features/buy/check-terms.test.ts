import { keccak256, stringToBytes, zeroAddress, zeroHash } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";
import { signedTypes } from "@/generated/typed-data.ts";
import type { AskMessage, QuoteStatement } from "@/shared/api/schemas.ts";
import { type QuoteRequest, quoteRequestIdOf } from "@/shared/trade/quote-request.ts";
import { jobIdOf, type Terms } from "@/shared/trade/terms.ts";
import { type Asked, checkSignature, checkTerms } from "./check-terms.ts";

const provider = privateKeyToAccount(`0x${"11".repeat(32)}`);
const stranger = privateKeyToAccount(`0x${"22".repeat(32)}`);
const buyer = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const verifier = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
const hash = (text: string) => keccak256(stringToBytes(text));

const domain = { name: "Computility", version: "1", chainId: 31_337, verifyingContract: verifier } as const;
const ask: AskMessage = {
  provider: provider.address,
  resource: "urn:computility:wasm:wasmtime:2x:1g:local:aurora:0001:mfuel",
  environment: "wasi-p1/wasmtime-50.0.1/0123456789abcdef",
  unitPrice: "500000000000001",
  minUnits: "1",
  maxUnits: "100000",
  bondBps: 2_000,
  maxConcurrent: 4,
  verifiers: [verifier],
  arbiters: [],
  disputeWindow: 2,
  sla: zeroHash,
  validUntil: 1_800_000_000,
  nonce: 1,
};
const request: QuoteRequest = {
  buyer,
  payer: buyer,
  ask: hash("ask"),
  spec: hash("spec"),
  maxUnits: 12_001n,
  verifier,
  arbiter: zeroAddress,
  verifierFee: 5n,
  arbiterFee: 0n,
  end: 0,
  validUntil: 1_790_000_600,
  nonce: 7,
};
const asked: Asked = { domain, requestId: quoteRequestIdOf(domain, request), request, ask, highestFeeBps: 100 };
const good: Terms = {
  buyer,
  payer: buyer,
  provider: provider.address,
  verifier,
  arbiter: zeroAddress,
  guard: zeroAddress,
  order: quoteRequestIdOf(domain, request),
  resource: hash(ask.resource),
  spec: request.spec,
  sla: zeroHash,
  unitPrice: 500_000_000_000_001n,
  minUnits: 1n,
  maxUnits: 12_001n,
  // A fifth of unitPrice · maxUnits, rounded up.
  bond: 1_200_100_000_000_002_401n,
  verifierFee: 5n,
  arbiterFee: 0n,
  openBy: 1_790_000_120,
  end: 1_790_000_720,
  passWindow: 0,
  disputeWindow: 2,
  rulingWindow: 0,
  maxFeeBps: 100,
  nonce: 9,
};

test("terms that are what was asked for have no fault", () => {
  expect(checkTerms(good, asked)).toEqual([]);
});

describe("a single altered field is found", () => {
  const altered: Partial<Terms>[] = [
    { buyer: stranger.address },
    { payer: stranger.address },
    { provider: stranger.address },
    { verifier: stranger.address },
    { arbiter: stranger.address, rulingWindow: 5 },
    { guard: stranger.address },
    { order: hash("other") },
    { resource: hash("other") },
    { spec: hash("other") },
    { sla: hash("other") },
    { unitPrice: good.unitPrice + 1n, bond: good.bond * 2n },
    { minUnits: 2n },
    { maxUnits: 12_002n, bond: good.bond * 2n },
    { bond: good.bond - 1n },
    { verifierFee: 6n },
    { arbiterFee: 1n },
    { openBy: good.end },
    { passWindow: 1 },
    { disputeWindow: 1 },
    { maxFeeBps: 101 },
  ];

  test.each(altered.map((change) => [Object.keys(change)[0] as string, change] as const))("%s", (name, change) => {
    const faults = checkTerms({ ...good, ...change }, asked);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(name);
  });

  test("an end beyond the one that was asked for", () => {
    const ending = { ...request, end: good.end - 1 };
    const order = quoteRequestIdOf(domain, ending);
    const faults = checkTerms({ ...good, order }, { ...asked, request: ending, requestId: order });
    expect(faults).toEqual([`end is ${good.end}, later than ${good.end - 1}.`]);
  });

  test("an arbiter without time to rule", () => {
    const ruled = { ...request, arbiter: stranger.address };
    const order = quoteRequestIdOf(domain, ruled);
    const faults = checkTerms(
      { ...good, order, arbiter: stranger.address },
      { ...asked, request: ruled, requestId: order },
    );
    expect(faults).toEqual(["rulingWindow is 0, so the arbiter would have no time to rule."]);
  });

  test("another request than the one behind the page", () => {
    expect(checkTerms(good, { ...asked, requestId: hash("other") })).toEqual([
      "The node shows another request than the one behind this page.",
    ]);
  });
});

describe("the signature", () => {
  async function quoteBy(account: typeof provider, terms: Terms): Promise<QuoteStatement> {
    const types = { Terms: signedTypes.Terms };
    const signature = await account.signTypedData({ domain, types, primaryType: "Terms", message: terms });
    return { id: jobIdOf(domain, terms), signature } as QuoteStatement;
  }

  test("of the provider over these terms is accepted", async () => {
    expect(await checkSignature(await quoteBy(provider, good), good, domain)).toBeUndefined();
  });

  test("of somebody else is not", async () => {
    expect(await checkSignature(await quoteBy(stranger, good), good, domain)).toContain("not the provider's");
  });

  test("over other terms is not", async () => {
    const other = await quoteBy(provider, { ...good, nonce: 10 });
    const renamed = { ...other, id: jobIdOf(domain, good) };
    expect(await checkSignature(renamed, good, domain)).toContain("not the provider's");
    expect(await checkSignature(other, good, domain)).toContain("not that of its terms");
  });

  test("that is no signature is not", async () => {
    const quote = { ...(await quoteBy(provider, good)), signature: "0x1234" };
    expect(await checkSignature(quote, good, domain)).toContain("not the provider's");
  });
});
