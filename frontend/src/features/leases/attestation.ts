import { type Hex, type TypedDataDomain, zeroHash } from "viem";
import { signedTypes } from "@/generated/typed-data.ts";
import type { AttestationMessage } from "@/shared/api/schemas.ts";
import type { MeterEntry } from "./meter.ts";

const PASS = 1;
const FULL_BPS = 10_000;

/** How a wallet is asked to sign an attestation. */
export function attestationTypedData(domain: TypedDataDomain, message: AttestationMessage) {
  const types = { Attestation: signedTypes.Attestation };
  return { domain, types, primaryType: "Attestation", message: attestationWords(message) } as const;
}

/** An attestation as the escrow takes it. */
export function attestationWords(message: AttestationMessage) {
  return {
    ...message,
    job: message.job as Hex,
    result: message.result as Hex,
    units: BigInt(message.units),
    meterRoot: message.meterRoot as Hex,
    evidence: message.evidence as Hex,
  };
}

/** The co-signature of a reading: a pass of so many units that is not final, over the reading's digest. */
export function coSignatureOf(job: string, reading: MeterEntry): AttestationMessage {
  return passOf(job, reading.units, reading.id, false);
}

/** The last word of a buyer who ends a lease: what was metered up to the newest reading that it believes is paid, and never less than it signed for. */
export function endOf(
  job: string,
  reading: MeterEntry | undefined,
  signed: AttestationMessage | undefined,
): AttestationMessage {
  if (reading !== undefined && reading.units >= Number(signed?.units ?? 0)) {
    return passOf(job, reading.units, reading.id, true);
  }
  return passOf(job, Number(signed?.units ?? 0), signed?.meterRoot ?? zeroHash, true);
}

/** The last word on a lease whose job ended by itself, with what came out and the evidence for it. */
export function resultOf(job: string, reading: MeterEntry, result: string, evidence: string): AttestationMessage {
  return { ...passOf(job, reading.units, reading.id, true), result, evidence };
}

function passOf(job: string, units: number, meterRoot: string, isFinal: boolean): AttestationMessage {
  return {
    job,
    verdict: PASS,
    result: zeroHash,
    units: String(units),
    isFinal,
    qualityBps: FULL_BPS,
    meterRoot,
    evidence: zeroHash,
  };
}
