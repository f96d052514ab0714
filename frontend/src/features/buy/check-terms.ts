import {
  type Address,
  getAddress,
  isAddressEqual,
  keccak256,
  recoverTypedDataAddress,
  stringToBytes,
  zeroAddress,
} from "viem";
import { signedTypes } from "@/generated/typed-data.ts";
import type { AskMessage, QuoteStatement } from "@/shared/api/schemas.ts";
import { shareUp } from "@/shared/money/share.ts";
import { type QuoteRequest, quoteRequestIdOf } from "@/shared/trade/quote-request.ts";
import { jobIdOf, type signingDomain, type Terms } from "@/shared/trade/terms.ts";

/** What the terms are held against. */
export interface Asked {
  readonly domain: ReturnType<typeof signingDomain>;
  readonly requestId: string;
  readonly request: QuoteRequest;
  readonly ask: AskMessage;
  /** Highest protocol fee that the deployment has today. */
  readonly highestFeeBps: number;
}

/**
 * Every way in which signed terms are not what was asked for, one sentence each; none means that they are safe to accept.
 *
 * Pure, and exact field by field: nothing that the provider or the node could slip in goes unseen.
 */
export function checkTerms(terms: Terms, asked: Asked): string[] {
  const { request, ask } = asked;
  const expected: { readonly [Field in keyof Terms]?: Terms[Field] } = {
    buyer: request.buyer,
    payer: request.payer,
    provider: getAddress(ask.provider),
    verifier: request.verifier,
    arbiter: request.arbiter,
    guard: zeroAddress,
    order: quoteRequestIdOf(asked.domain, request),
    resource: keccak256(stringToBytes(ask.resource)),
    spec: request.spec,
    sla: ask.sla as Terms["sla"],
    unitPrice: BigInt(ask.unitPrice),
    minUnits: BigInt(ask.minUnits),
    maxUnits: request.maxUnits,
    verifierFee: request.verifierFee,
    arbiterFee: request.arbiterFee,
    passWindow: 0,
    disputeWindow: ask.disputeWindow,
  };
  const faults = Object.entries(expected)
    .filter(([name, value]) => String(terms[name as keyof Terms]).toLowerCase() !== String(value).toLowerCase())
    .map(([name, value]) => `${name} is ${terms[name as keyof Terms]}, and ${value} was asked for.`);
  if (quoteRequestIdOf(asked.domain, request) !== asked.requestId.toLowerCase()) {
    faults.push("The node shows another request than the one behind this page.");
  }
  const bond = shareUp(BigInt(ask.unitPrice) * request.maxUnits, ask.bondBps);
  if (terms.bond < bond) faults.push(`bond is ${terms.bond}, below the ${bond} that the ask promises.`);
  if (terms.openBy >= terms.end) faults.push(`openBy ${terms.openBy} has to lie before end ${terms.end}.`);
  if (request.end !== 0 && terms.end > request.end) faults.push(`end is ${terms.end}, later than ${request.end}.`);
  if (terms.maxFeeBps > asked.highestFeeBps) {
    faults.push(`maxFeeBps is ${terms.maxFeeBps}, above the ${asked.highestFeeBps} that is charged today.`);
  }
  if (terms.arbiter !== zeroAddress && terms.rulingWindow === 0) {
    faults.push("rulingWindow is 0, so the arbiter would have no time to rule.");
  }
  return faults;
}

/** Whether the provider itself signed these terms, and the quote carries their id. One sentence where not. */
export async function checkSignature(
  quote: QuoteStatement,
  terms: Terms,
  domain: Asked["domain"],
): Promise<string | undefined> {
  if (quote.id.toLowerCase() !== jobIdOf(domain, terms)) return "The quote's id is not that of its terms.";
  const signer: Address | undefined = await recoverTypedDataAddress({
    domain,
    types: { Terms: signedTypes.Terms },
    primaryType: "Terms",
    message: terms,
    signature: quote.signature as `0x${string}`,
  }).catch(() => undefined);
  if (signer !== undefined && isAddressEqual(signer, terms.provider)) return undefined;
  return "The signature is not the provider's.";
}
