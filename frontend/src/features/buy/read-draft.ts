import { isHex, size, zeroAddress } from "viem";
import type { AskMessage } from "@/shared/api/schemas.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { MAX_CREDITS, parseAmount } from "@/shared/money/amount.ts";
import { escrowOf } from "@/shared/trade/terms.ts";
import type { Draft } from "./draft.ts";
import { pathFault } from "./file-path.ts";
import { FUEL_PER_UNIT, type JobSpecification } from "./job-specification.ts";

const MIB = 1024 * 1024;
const MAX_OUTPUT_FILES = 65_536;
const MAX_MEMORY_MIB = 4_096;
const MAX_OUTPUT_MIB = 1_048_576;
const MAX_UNITS = Math.floor(Number.MAX_SAFE_INTEGER / FUEL_PER_UNIT);

/** A draft whose every field made sense. */
export interface Order {
  readonly specification: Omit<JobSpecification, "clock_s">;
  readonly maxUnits: bigint;
  readonly verifierFee: bigint;
  readonly arbiterFee: bigint;
  /** What has to be escrowed, in atoms. */
  readonly price: bigint;
}

/** Reads a draft. Throws `PageError` for the first field that does not fit. */
export function readDraft(draft: Draft, ask: AskMessage): Order {
  const { module } = draft;
  if (module === null) throw new PageError("Choose a program: an example, or a .wasm file of your own.");
  checkPaths([module.path], "");
  checkPaths(
    draft.inputs.map((file) => file.path),
    "Two inputs",
  );
  const units = wholeNumber(
    "The number of units",
    draft.units,
    Number(ask.minUnits) || 1,
    Math.min(MAX_UNITS, Number(ask.maxUnits)),
  );
  if (draft.verifier === zeroAddress) throw new PageError("Name a verifier: somebody has to check the result.");
  if (!isHex(draft.seed) || size(draft.seed) !== 32)
    throw new PageError("The seed is 0x and 64 hex digits: correct it.");
  const fees = {
    verifierFee: parseAmount(draft.verifierFee),
    arbiterFee: draft.arbiter === zeroAddress ? 0n : parseAmount(draft.arbiterFee),
  };
  const maxUnits = BigInt(units);
  const price = escrowOf({ unitPrice: BigInt(ask.unitPrice), maxUnits, ...fees });
  if (price > MAX_CREDITS) throw new PageError("That is more money than can exist: lower the units or the fees.");
  return {
    specification: {
      version: 1,
      environment: ask.environment,
      module: { path: module.path, cid: module.cid, size: module.size },
      arguments: draft.arguments.split("\n").filter((line) => line !== ""),
      inputs: draft.inputs.map(({ path, cid, size: bytes }) => ({ path, cid, size: bytes })),
      limits: {
        fuel: units * FUEL_PER_UNIT,
        memory_bytes: wholeNumber("The memory", draft.memoryMib, 1, MAX_MEMORY_MIB) * MIB,
        output_bytes: wholeNumber("The room for outputs", draft.outputMib, 1, MAX_OUTPUT_MIB) * MIB,
        output_files: wholeNumber("The number of output files", draft.outputFiles, 1, MAX_OUTPUT_FILES),
      },
      seed: draft.seed.toLowerCase() as `0x${string}`,
    },
    maxUnits,
    ...fees,
    price,
  };
}

function checkPaths(names: readonly string[], several: string): void {
  const known = new Set<string>();
  for (const name of names) {
    const fault = pathFault(name);
    if (fault !== undefined) throw new PageError(fault);
    if (known.has(name)) throw new PageError(`${several} are called “${name}”: rename one.`);
    known.add(name);
  }
}

function wholeNumber(what: string, text: string, least: number, most: number): number {
  const value = /^\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new PageError(`${what} has to be a whole number between ${least} and ${most}, not “${text}”.`);
  }
  return value;
}
