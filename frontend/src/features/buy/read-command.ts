import type { AskMessage } from "@/shared/api/schemas.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { CommandDraft } from "./command-draft.ts";
import { checkPaths } from "./file-path.ts";
import type { CommandLimits, TaskSpecification } from "./job-specification.ts";
import { unitsOfCommand } from "./job-specification.ts";
import { type Order, orderOf, seedOf } from "./order.ts";
import { linesOf, readPolicy } from "./read-policy.ts";
import { schemaFault } from "./schema-fault.ts";
import { wholeNumber } from "./whole-number.ts";

const MIB = 1024 * 1024;
const MAX_MIB = 1_048_576;
const MAX_SECONDS = 31_536_000;
const CORES_BESIDE_A_GPU = 4;
const IMAGE = /^[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}$/;

/** Reads a draft of a command. Throws `PageError` for the first field that does not fit. */
export function readCommand(draft: CommandDraft, ask: AskMessage): Order {
  if (draft.kind === "container" && !IMAGE.test(draft.image.trim())) {
    throw new PageError("Name an image by its digest, like docker.io/library/debian@sha256: and 64 hex digits.");
  }
  const words = linesOf(draft.command);
  if (words.length === 0) throw new PageError("Say what is to run: the command, one word a line.");
  checkPaths(
    [...draft.artifacts, ...draft.inputs].map((file) => file.path),
    "Two files",
  );
  const limits = readLimits(draft, ask);
  const specification: Omit<TaskSpecification, "clock_s"> = {
    version: 2,
    kind: draft.kind,
    environment: ask.environment,
    image: draft.kind === "container" ? draft.image.trim() : "",
    artifacts: draft.artifacts.map(({ path, cid, size }) => ({ path, cid, size })),
    arguments: words,
    inputs: draft.inputs.map(({ path, cid, size }) => ({ path, cid, size })),
    limits,
    seed: seedOf(draft),
    verification: readPolicy(draft.policy, draft.inputs),
    sealing: null,
  };
  const fault = schemaFault({ ...specification, clock_s: 0 });
  if (fault !== undefined) throw new PageError(fault);
  return orderOf(specification, unitsOfCommand(limits), draft, ask);
}

function readLimits(draft: CommandDraft, ask: AskMessage): CommandLimits {
  const gpus = wholeNumber("The number of GPUs", draft.gpus, 0, 1024);
  const share = gpus || 1;
  const seconds = wholeNumber(
    "The number of seconds",
    draft.seconds,
    Math.max(1, Math.ceil(Number(ask.minUnits) / share)),
    Math.floor(Math.min(MAX_SECONDS, Number(ask.maxUnits)) / share),
  );
  const isLease = draft.policy.method === "lease";
  return {
    cpu_s: gpus ? seconds * CORES_BESIDE_A_GPU * gpus : seconds,
    // Cards are paid by the clock, so a job that has them ends with what is paid; and so does a lease.
    wall_s: gpus || isLease ? seconds : wholeNumber("The seconds in all", draft.wallSeconds, 1, MAX_SECONDS),
    memory_bytes: wholeNumber("The memory", draft.memoryMib, 1, MAX_MIB) * MIB,
    scratch_bytes: wholeNumber("The room for temporary files", draft.scratchMib, 0, MAX_MIB) * MIB,
    processes: wholeNumber("The number of processes", draft.processes, 1, 65_536),
    output_bytes: wholeNumber("The room for outputs", draft.outputMib, 0, MAX_MIB) * MIB,
    output_files: wholeNumber("The number of output files", draft.outputFiles, 0, 65_536),
    gpus,
  };
}
