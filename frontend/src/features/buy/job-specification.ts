import type { Hex } from "viem";
import { canonicalJson } from "@/shared/content/canonical-json.ts";
import { contentIdOf, digestOf } from "@/shared/content/content-id.ts";

export type InputFile = {
  readonly path: string;
  readonly cid: string;
  readonly size: number;
};

/** What runs, on what, within which limits: the document behind `Terms.spec`. `fuel` in WebAssembly fuel, sizes in bytes, `clock_s` in UTC seconds. */
export type JobSpecification = {
  readonly version: 1;
  readonly environment: string;
  readonly module: InputFile;
  readonly arguments: readonly string[];
  readonly inputs: readonly InputFile[];
  readonly limits: {
    readonly fuel: number;
    readonly memory_bytes: number;
    readonly output_bytes: number;
    readonly output_files: number;
  };
  readonly clock_s: number;
  readonly seed: Hex;
};

/** A unit of the metric `mfuel`, in WebAssembly fuel. */
export const FUEL_PER_UNIT = 1_000_000;

/** Payable units if all the fuel is used. */
export function unitsOfFuelUp(fuel: number): bigint {
  return (BigInt(fuel) + BigInt(FUEL_PER_UNIT) - 1n) / BigInt(FUEL_PER_UNIT);
}

export interface WrittenSpecification {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: Hex;
  readonly cid: string;
}

/** The specification as canonical bytes, and the names that follow from them. */
export async function writeSpecification(specification: JobSpecification): Promise<WrittenSpecification> {
  const bytes = canonicalJson(specification);
  return { bytes, digest: await digestOf(bytes), cid: await contentIdOf(bytes) };
}
