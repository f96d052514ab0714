import { type Address, type Hex, isHex, size, zeroAddress } from "viem";
import type { AskMessage } from "@/shared/api/schemas.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { MAX_CREDITS, parseAmount } from "@/shared/money/amount.ts";
import { escrowOf } from "@/shared/trade/terms.ts";
import type { PartyDraft } from "./draft.ts";
import type { Specification } from "./job-specification.ts";
import { readReaders } from "./sealing-draft.ts";

type WithoutClock<Document> = Document extends unknown ? Omit<Document, "clock_s"> : never;

/** A draft whose every field made sense. */
export interface Order {
  /** Not sealed yet: with its files as they are. */
  readonly specification: WithoutClock<Specification>;
  /** Reader keys to which it is to be sealed beside the buyer's own; none for a job that all may read. */
  readonly readers: readonly Hex[];
  /** Who checks: of a lease its buyer. */
  readonly verifier: Address | "buyer";
  readonly maxUnits: bigint;
  readonly verifierFee: bigint;
  readonly arbiterFee: bigint;
  /** What has to be escrowed, in atoms. */
  readonly price: bigint;
}

/** The order of `units` of an ask, once its parties and fees are read. Throws `PageError` where one does not fit. */
export function orderOf(
  specification: WithoutClock<Specification>,
  units: number,
  draft: PartyDraft,
  ask: AskMessage,
): Order {
  const isLease = draft.policy.method === "lease";
  if (!isLease && draft.verifier === zeroAddress)
    throw new PageError("Name a verifier: somebody has to check the result.");
  const fees = {
    verifierFee: isLease ? 0n : parseAmount(draft.verifierFee),
    arbiterFee: draft.arbiter === zeroAddress ? 0n : parseAmount(draft.arbiterFee),
  };
  const maxUnits = BigInt(units);
  const price = escrowOf({ unitPrice: BigInt(ask.unitPrice), maxUnits, ...fees });
  if (price > MAX_CREDITS) throw new PageError("That is more money than can exist: lower the units or the fees.");
  const readers = readReaders(draft.sealing, draft.policy.method);
  const verifier = isLease ? "buyer" : draft.verifier;
  return { specification, readers, verifier, maxUnits, ...fees, price };
}

/** The seed of a draft, in its one spelling. */
export function seedOf(draft: PartyDraft): `0x${string}` {
  if (!isHex(draft.seed) || size(draft.seed) !== 32)
    throw new PageError("The seed is 0x and 64 hex digits: correct it.");
  return draft.seed.toLowerCase() as `0x${string}`;
}
