import type { AskMessage, CommandExample, Config } from "@/shared/api/schemas.ts";
import { newParties, type PartyDraft, withinAsk } from "./draft.ts";
import type { JobKind } from "./job-kind.ts";
import type { InputFile } from "./job-specification.ts";
import { NEW_POLICY, policyDraftOf } from "./policy-draft.ts";
import { fitsSealed } from "./sealing-draft.ts";

/** What the buyer of a command has entered so far, as it was typed. */
export interface CommandDraft extends PartyDraft {
  readonly kind: Exclude<JobKind, "wasm">;
  /** Name of an example, or empty for a command of one's own. */
  readonly example: string;
  /** An OCI image by digest; empty but for containers. */
  readonly image: string;
  readonly artifacts: readonly InputFile[];
  readonly inputs: readonly InputFile[];
  /** The whole command, one word a line. */
  readonly command: string;
  /** Seconds of processor, or of each GPU: what is paid for at most. */
  readonly seconds: string;
  readonly wallSeconds: string;
  readonly gpus: string;
  readonly memoryMib: string;
  readonly scratchMib: string;
  readonly processes: string;
  readonly outputMib: string;
  readonly outputFiles: string;
}

const USUAL_SECONDS = 60n;
const START_S = 30;

/** A new draft for an ask of commands; `gpus` where it is billed by them. */
export function newCommandDraft(
  kind: CommandDraft["kind"],
  billedByGpu: boolean,
  ask: AskMessage,
  config: Config,
): CommandDraft {
  const seconds = withinAsk(USUAL_SECONDS, ask);
  const draft: CommandDraft = {
    ...newParties(ask, config),
    kind,
    example: "",
    image: "",
    artifacts: [],
    inputs: [],
    command: "",
    seconds: seconds.toString(),
    wallSeconds: usualWall(seconds),
    gpus: billedByGpu ? "1" : "0",
    memoryMib: "1024",
    scratchMib: "256",
    processes: "64",
    outputMib: "16",
    outputFiles: "64",
  };
  const [example] = examplesFor(kind, config);
  return example ? withCommandExample(draft, example, ask) : draft;
}

/** Commands that the node offers to try. Those of an image would need to name one. */
export function examplesFor(kind: CommandDraft["kind"], config: Config): readonly CommandExample[] {
  return kind === "process" ? config.commands : [];
}

/** The draft with an example's files, command, limits and check. */
export function withCommandExample(draft: CommandDraft, example: CommandExample, ask: AskMessage): CommandDraft {
  const seconds = withinAsk(BigInt(example.seconds), ask);
  const policy = policyDraftOf(example.verification);
  return {
    ...draft,
    example: example.name,
    artifacts: example.artifacts,
    inputs: example.inputs,
    command: example.arguments.join("\n"),
    seconds: seconds.toString(),
    wallSeconds: usualWall(seconds),
    memoryMib: String(example.memory_mib),
    policy: draft.sealing.sealed && !fitsSealed(policy.method) ? NEW_POLICY : policy,
  };
}

/** The draft with room for a command of one's own. */
export function withOwnCommand(draft: CommandDraft): CommandDraft {
  return { ...draft, example: "", artifacts: [], inputs: [], command: "", policy: NEW_POLICY };
}

/** As long by the clock as a command with so much processor may well take. */
function usualWall(seconds: bigint): string {
  return String(2n * seconds + BigInt(START_S));
}
