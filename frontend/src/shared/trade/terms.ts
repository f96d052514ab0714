import { type Address, getAddress, type Hash, type Hex, hashTypedData, type TypedDataDomain } from "viem";
import { signedTypes } from "@/generated/typed-data.ts";
import type { Config, TermsMessage } from "@/shared/api/schemas.ts";

/** One trade as the contract takes it. Amounts are atoms of credit, times UTC seconds, windows seconds. */
export interface Terms {
  readonly buyer: Address;
  readonly payer: Address;
  readonly provider: Address;
  readonly verifier: Address;
  readonly arbiter: Address;
  readonly guard: Address;
  readonly order: Hex;
  readonly resource: Hex;
  readonly spec: Hex;
  readonly sla: Hex;
  readonly unitPrice: bigint;
  readonly minUnits: bigint;
  readonly maxUnits: bigint;
  readonly bond: bigint;
  readonly verifierFee: bigint;
  readonly arbiterFee: bigint;
  readonly openBy: number;
  readonly end: number;
  readonly passWindow: number;
  readonly disputeWindow: number;
  readonly rulingWindow: number;
  readonly maxFeeBps: number;
  readonly nonce: number;
}

/** Terms as they travelled. */
export function readTerms(message: TermsMessage): Terms {
  return {
    buyer: getAddress(message.buyer),
    payer: getAddress(message.payer),
    provider: getAddress(message.provider),
    verifier: getAddress(message.verifier),
    arbiter: getAddress(message.arbiter),
    guard: getAddress(message.guard),
    order: message.order as Hex,
    resource: message.resource as Hex,
    spec: message.spec as Hex,
    sla: message.sla as Hex,
    unitPrice: BigInt(message.unitPrice),
    minUnits: BigInt(message.minUnits),
    maxUnits: BigInt(message.maxUnits),
    bond: BigInt(message.bond),
    verifierFee: BigInt(message.verifierFee),
    arbiterFee: BigInt(message.arbiterFee),
    openBy: message.openBy,
    end: message.end,
    passWindow: message.passWindow,
    disputeWindow: message.disputeWindow,
    rulingWindow: message.rulingWindow,
    maxFeeBps: message.maxFeeBps,
    nonce: message.nonce,
  };
}

/** What the payer escrows: unitPrice · maxUnits + verifierFee + arbiterFee. */
export function escrowOf(terms: Pick<Terms, "unitPrice" | "maxUnits" | "verifierFee" | "arbiterFee">): bigint {
  return terms.unitPrice * terms.maxUnits + terms.verifierFee + terms.arbiterFee;
}

/** The job's id: the terms' EIP-712 digest on this chain and escrow. */
export function jobIdOf(domain: TypedDataDomain, terms: Terms): Hash {
  return hashTypedData({ domain, types: { Terms: signedTypes.Terms }, primaryType: "Terms", message: terms });
}

/** The EIP-712 domain of every statement that the node deals in. */
export function signingDomain(config: Config) {
  const { name, version, chainId, verifyingContract } = config.eip712_domain;
  return { name, version, chainId, verifyingContract: getAddress(verifyingContract) };
}
