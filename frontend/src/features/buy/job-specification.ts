import type { Hex } from "viem";
import { canonicalJson } from "@/shared/content/canonical-json.ts";
import { contentIdOf, digestOf } from "@/shared/content/content-id.ts";
import type { Sealing } from "@/shared/sealing/sealing.ts";
import type { JobKind } from "./job-kind.ts";
import type { Policy } from "./read-policy.ts";

export type InputFile = {
  readonly path: string;
  readonly cid: string;
  readonly size: number;
};

export type FuelLimits = {
  readonly fuel: number;
  readonly memory_bytes: number;
  readonly output_bytes: number;
  readonly output_files: number;
};

/** Version 1 of the document behind `Terms.spec`: a WebAssembly program that is run again. `fuel` in WebAssembly fuel, sizes in bytes, `clock_s` in UTC seconds. */
export type JobSpecification = {
  readonly version: 1;
  readonly environment: string;
  readonly module: InputFile;
  readonly arguments: readonly string[];
  readonly inputs: readonly InputFile[];
  readonly limits: FuelLimits;
  readonly clock_s: number;
  readonly seed: Hex;
};

/** Seconds of processor and of wall clock, sizes in bytes. */
export type CommandLimits = {
  readonly cpu_s: number;
  readonly wall_s: number;
  readonly memory_bytes: number;
  readonly scratch_bytes: number;
  readonly processes: number;
  readonly output_bytes: number;
  readonly output_files: number;
  readonly gpus: number;
};

/** Version 2: a program of any kind, how its result is checked, and who can read it. */
export type TaskSpecification = {
  readonly version: 2;
  readonly kind: JobKind;
  readonly environment: string;
  readonly image: string;
  readonly artifacts: readonly InputFile[];
  readonly arguments: readonly string[];
  readonly inputs: readonly InputFile[];
  readonly limits: FuelLimits | CommandLimits;
  readonly clock_s: number;
  readonly seed: Hex;
  readonly verification: Policy;
  readonly sealing: Sealing | null;
};

export type Specification = JobSpecification | TaskSpecification;

/** A unit of the metric `mfuel`, in WebAssembly fuel. */
export const FUEL_PER_UNIT = 1_000_000;

/** Payable units if all the fuel is used. */
export function unitsOfFuelUp(fuel: number): bigint {
  return (BigInt(fuel) + BigInt(FUEL_PER_UNIT) - 1n) / BigInt(FUEL_PER_UNIT);
}

/** Payable units of a command if all its time is used: seconds of its GPUs, or of processor. */
export function unitsOfCommand(limits: CommandLimits): number {
  return limits.gpus * limits.wall_s || limits.cpu_s;
}

export interface WrittenSpecification {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: Hex;
  readonly cid: string;
}

/** The specification as canonical bytes, and the names that follow from them. */
export async function writeSpecification(specification: Specification): Promise<WrittenSpecification> {
  const bytes = canonicalJson(specification);
  return { bytes, digest: await digestOf(bytes), cid: await contentIdOf(bytes) };
}
