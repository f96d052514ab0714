import type { AskMessage } from "@/shared/api/schemas.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { Draft } from "./draft.ts";
import { checkPaths } from "./file-path.ts";
import { FUEL_PER_UNIT } from "./job-specification.ts";
import { type Order, orderOf, seedOf } from "./order.ts";
import { linesOf, readPolicy } from "./read-policy.ts";
import { schemaFault } from "./schema-fault.ts";
import { wholeNumber } from "./whole-number.ts";

const MIB = 1024 * 1024;
const MAX_OUTPUT_FILES = 65_536;
const MAX_MEMORY_MIB = 4_096;
const MAX_OUTPUT_MIB = 1_048_576;
const MAX_UNITS = Math.floor(Number.MAX_SAFE_INTEGER / FUEL_PER_UNIT);

/** Reads a draft of a WebAssembly job. Throws `PageError` for the first field that does not fit. */
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
  const seed = seedOf(draft);
  const program = { path: module.path, cid: module.cid, size: module.size };
  const common = {
    environment: ask.environment,
    arguments: linesOf(draft.arguments),
    inputs: draft.inputs.map(({ path, cid, size }) => ({ path, cid, size })),
    limits: {
      fuel: units * FUEL_PER_UNIT,
      memory_bytes: wholeNumber("The memory", draft.memoryMib, 1, MAX_MEMORY_MIB) * MIB,
      output_bytes: wholeNumber("The room for outputs", draft.outputMib, 1, MAX_OUTPUT_MIB) * MIB,
      output_files: wholeNumber("The number of output files", draft.outputFiles, 1, MAX_OUTPUT_FILES),
    },
    seed,
  };
  const verification = readPolicy(draft.policy, draft.inputs);
  if (Object.keys(verification).length === 0 && !draft.sealing.sealed) {
    return orderOf({ version: 1, module: program, ...common }, units, draft, ask);
  }
  const artifacts = [program];
  const task = { version: 2, kind: "wasm", image: "", artifacts, ...common, verification, sealing: null } as const;
  const fault = schemaFault({ ...task, clock_s: 0 });
  if (fault !== undefined) throw new PageError(fault);
  return orderOf(task, units, draft, ask);
}
