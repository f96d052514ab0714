import { type Address, getAddress, type Hash, type Hex, hashTypedData, type TypedDataDomain } from "viem";
import { signedTypes } from "@/generated/typed-data.ts";
import type { QuoteRequestMessage } from "@/shared/api/schemas.ts";

/** What a buyer asks a provider for. `end` zero leaves it to the provider. */
export interface QuoteRequest {
  readonly buyer: Address;
  readonly payer: Address;
  readonly ask: Hex;
  readonly spec: Hex;
  readonly maxUnits: bigint;
  readonly verifier: Address;
  readonly arbiter: Address;
  readonly verifierFee: bigint;
  readonly arbiterFee: bigint;
  readonly end: number;
  readonly validUntil: number;
  readonly nonce: number;
}

/** How a wallet is asked to sign a request. */
export function quoteRequestTypedData(domain: TypedDataDomain, message: QuoteRequest) {
  const types = { QuoteRequest: signedTypes.QuoteRequest };
  return { domain, types, primaryType: "QuoteRequest", message } as const;
}

/** The request's id: its EIP-712 digest. */
export function quoteRequestIdOf(domain: TypedDataDomain, message: QuoteRequest): Hash {
  return hashTypedData(quoteRequestTypedData(domain, message));
}

/** A request as it travels. */
export function writeQuoteRequest(message: QuoteRequest): QuoteRequestMessage {
  return {
    ...message,
    maxUnits: message.maxUnits.toString(),
    verifierFee: message.verifierFee.toString(),
    arbiterFee: message.arbiterFee.toString(),
  };
}

/** A request as it travelled. */
export function readQuoteRequest(message: QuoteRequestMessage): QuoteRequest {
  return {
    buyer: getAddress(message.buyer),
    payer: getAddress(message.payer),
    ask: message.ask as Hex,
    spec: message.spec as Hex,
    maxUnits: BigInt(message.maxUnits),
    verifier: getAddress(message.verifier),
    arbiter: getAddress(message.arbiter),
    verifierFee: BigInt(message.verifierFee),
    arbiterFee: BigInt(message.arbiterFee),
    end: message.end,
    validUntil: message.validUntil,
    nonce: message.nonce,
  };
}
