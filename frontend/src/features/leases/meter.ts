import { type Hex, hashTypedData, isAddressEqual, recoverTypedDataAddress } from "viem";
import { signedTypes } from "@/generated/typed-data.ts";
import { getContent } from "@/shared/api/get-content.ts";
import { isNotYetThere } from "@/shared/api/problem.ts";
import { get } from "@/shared/api/request.ts";
import type { MeterReadingStatement } from "@/shared/api/schemas.ts";
import { contentIdOfDigest } from "@/shared/content/content-id.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { signingDomain } from "@/shared/trade/terms.ts";
import { type MeterSample, readMeterSample } from "./meter-sample.ts";
import { faultOfReading, type Reading, type ReadingFault } from "./reading-fault.ts";

const PAGE = 200;
/** Of the newest readings what was measured is fetched; a lease may have tens of thousands. */
export const SAMPLED = 50;

/** A reading, and what speaks against it. After a fault nothing is believed. */
export interface MeterEntry extends Reading {
  readonly fault: ReadingFault | undefined;
}

export interface Metered {
  readonly job: string;
  readonly provider: string;
  readonly intervalS: number;
  readonly domain: ReturnType<typeof signingDomain>;
}

/** What follows `known` on a lease's meter, each signature proved and each reading judged. */
export async function readMeter(
  lease: Metered,
  known: readonly MeterEntry[],
  signal: AbortSignal,
): Promise<readonly MeterEntry[]> {
  const rows = await rowsAfter(lease.job, known.at(-1)?.sequence ?? 0, signal);
  const entries = [...known];
  for (const [place, row] of rows.entries()) {
    await proveSignature(row, lease);
    const sample = place < rows.length - SAMPLED ? undefined : await sampleOf(row, signal);
    const reading = readingOf(row, sample === "unfit" ? undefined : sample);
    const before = entries.at(-1);
    const fault =
      before?.fault !== undefined
        ? "chain-broken"
        : (faultOfReading(before, reading, lease.intervalS, reading.atMs - reading.units * 1000) ??
          (sample === "unfit" ? "sample-unfit" : undefined));
    entries.push({ ...reading, fault });
  }
  return entries;
}

/** The newest reading that is believed, with all before it. */
export function believedEntry(entries: readonly MeterEntry[]): MeterEntry | undefined {
  return entries.findLast((entry) => entry.fault === undefined);
}

async function rowsAfter(job: string, after: number, signal: AbortSignal): Promise<MeterReadingStatement[]> {
  const rows: MeterReadingStatement[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await get("/v1/jobs/{job_id}/meter-readings", {
      path: { job_id: job },
      query: cursor ? { limit: PAGE, cursor } : { limit: PAGE, after },
      signal,
    });
    rows.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return rows;
}

async function proveSignature({ id, message, signature }: MeterReadingStatement, lease: Metered): Promise<void> {
  const typed = {
    domain: lease.domain,
    types: { MeterReading: signedTypes.MeterReading },
    primaryType: "MeterReading",
    message: {
      ...message,
      job: message.job as Hex,
      previous: message.previous as Hex,
      sample: message.sample as Hex,
      units: BigInt(message.units),
      atMs: BigInt(message.atMs),
    },
  } as const;
  const signer = await recoverTypedDataAddress({ ...typed, signature: signature as Hex }).catch(() => undefined);
  const proved = signer !== undefined && isAddressEqual(signer, lease.provider as Hex) && hashTypedData(typed) === id;
  if (!proved || message.job.toLowerCase() !== lease.job.toLowerCase()) {
    throw new PageError(
      `The node shows a reading ${message.sequence} that the provider did not sign: ask another node.`,
    );
  }
}

async function sampleOf({ message }: MeterReadingStatement, signal: AbortSignal): Promise<MeterSample | "unfit"> {
  try {
    const bytes = await getContent(contentIdOfDigest(message.sample as Hex), signal);
    return readMeterSample(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof PageError || isNotYetThere(error)) return "unfit";
    throw error;
  }
}

function readingOf({ id, message }: MeterReadingStatement, sample: MeterSample | undefined): Reading {
  const { sequence, previous, isLast } = message;
  return { id, sequence, previous, isLast, units: Number(message.units), atMs: Number(message.atMs), sample };
}
