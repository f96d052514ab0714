import { type Abi, type Address, decodeEventLog, type Hex } from "viem";
import { arbitrationEvents, jobEscrowAbi, providerRegistryEvents, verifierCommitteeEvents } from "@/generated/abis.ts";
import type { Terms } from "@/shared/trade/terms.ts";
import type { ProvenHeader, ProvenLog } from "./receipt-trie.ts";

export type Institution = "JobEscrow" | "ProviderRegistry" | "VerifierCommittee" | "Arbitration";

export interface ProvenEvent {
  readonly name: string;
  /** The contract that it is of. */
  readonly contract: Institution;
  readonly args: Readonly<Record<string, unknown>>;
  readonly block: number;
  readonly timestamp: number;
}

/** The logs of a receipt that is proven to be in a block. */
export interface ReceiptInBlock {
  readonly header: ProvenHeader;
  readonly index: number;
  readonly logs: readonly ProvenLog[];
}

/** An event, and where it stands: the number of its receipt in the proof, and of its log in that receipt. */
export interface Told {
  readonly receipt: number;
  readonly place: number;
  readonly event: ProvenEvent;
}

const ABIS: Readonly<Record<Institution, Abi>> = {
  JobEscrow: jobEscrowAbi,
  ProviderRegistry: providerRegistryEvents,
  VerifierCommittee: verifierCommitteeEvents,
  Arbitration: arbitrationEvents,
};
/** Anybody can have a batch skip an item that names any job: this is no part of its proof. */
const SKIPPED = "JobSkipped";

/** What the escrow says of a job. */
export function toldByEscrow(receipts: readonly ReceiptInBlock[], escrow: Address, job: Hex): readonly Told[] {
  return told(receipts, "JobEscrow", escrow, ({ name, args }) => name !== SKIPPED && args.job === job);
}

/**
 * What registry, committee and arbitration say of a job, whose terms hash to its id. They are tied to it by what the escrow says: the terms name verifier
 * and arbiter; and around the escrow's bond on stake stand the registry's own events, as the escrow called it.
 */
export function toldByInstitutions(
  receipts: readonly ReceiptInBlock[],
  byEscrow: readonly Told[],
  terms: Terms,
  job: Hex,
): readonly Told[] {
  const opened = byEscrow.find(({ event }) => event.name === "JobOpened")?.event.block;
  const committee = told(
    receipts,
    "VerifierCommittee",
    terms.verifier,
    ({ name, args }) => args.job === job || (name === "BlockRecorded" && args.number === BigInt(opened ?? -1)),
  );
  const begun = told(receipts, "Arbitration", terms.arbiter, ({ name, args }) => {
    return name === "DisputeOpened" && args.job === job;
  });
  const disputes = new Set(begun.map(({ event }) => event.args.disputeId));
  const arbitration = told(receipts, "Arbitration", terms.arbiter, ({ args }) =>
    disputes.has(args.disputeId ?? args.evidenceGroupId),
  );
  const found = [...byEscrow.flatMap((bond) => aroundBond(receipts, bond)), ...committee, ...arbitration];
  // Another contract that speaks for the escrow speaks for nobody.
  return found.filter(({ receipt, place }) => !byEscrow.some((by) => by.receipt === receipt && by.place === place));
}

/** The registry's events about a bond on stake: the nearest of the same provider and amount is the registry's, and a slash right behind it. */
function aroundBond(receipts: readonly ReceiptInBlock[], { receipt, place, event }: Told): readonly Told[] {
  const logs = receipts[receipt]?.logs ?? [];
  const at = (where: number) => toldAt(receipts, "ProviderRegistry", receipt, where);
  const isAbout = (found: Told | undefined, name: string) =>
    found?.event.name === name &&
    found.event.args.provider === event.args.provider &&
    found.event.args.amount === event.args.amount;
  if (event.name === "BondStaked") {
    for (let where = place - 1; where >= 0; where -= 1) {
      const found = at(where);
      if (found !== undefined && isAbout(found, "StakeReserved")) return [found];
    }
  }
  if (event.name === "BondUnstaked") {
    for (let where = place + 1; where < logs.length; where += 1) {
      const found = at(where);
      if (found === undefined || !isAbout(found, "StakeReleased")) continue;
      const behind = at(where + 1);
      const isSlash =
        behind?.event.name === "StakeSlashed" &&
        logs[where + 1]?.address === logs[where]?.address &&
        behind.event.args.provider === event.args.provider;
      return isSlash ? [found, behind] : [found];
    }
  }
  return [];
}

function told(
  receipts: readonly ReceiptInBlock[],
  contract: Institution,
  address: Address,
  counts: (event: ProvenEvent) => boolean,
): readonly Told[] {
  return receipts.flatMap(({ logs }, receipt) =>
    logs.flatMap((log, place) => {
      const found = log.address === address ? toldAt(receipts, contract, receipt, place) : undefined;
      return found !== undefined && counts(found.event) ? [found] : [];
    }),
  );
}

function toldAt(
  receipts: readonly ReceiptInBlock[],
  contract: Institution,
  receipt: number,
  place: number,
): Told | undefined {
  const { header, logs } = receipts[receipt] ?? {};
  const log = logs?.[place];
  if (header === undefined || log === undefined) return undefined;
  try {
    const { eventName, args } = decodeEventLog({
      abi: ABIS[contract],
      topics: log.topics as [Hex, ...Hex[]],
      data: log.data,
      strict: true,
    });
    const event = {
      name: eventName ?? "",
      contract,
      args: (args ?? {}) as unknown as Record<string, unknown>,
      block: header.number,
      timestamp: header.timestamp,
    };
    return { receipt, place, event };
  } catch {
    return undefined; // of no event that this page knows
  }
}
