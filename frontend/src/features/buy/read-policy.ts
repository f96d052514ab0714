import type { Json } from "@/shared/content/canonical-json.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { LEASE_HEARTBEAT } from "@/shared/trade/lease-policy.ts";
import { pathFault } from "./file-path.ts";
import type { InputFile } from "./job-specification.ts";
import type { PolicyDraft } from "./policy-draft.ts";
import { wholeNumber } from "./whole-number.ts";

export type Policy = { readonly [name: string]: Json };

const MAX_INTERVAL_S = 86_400;
const MAX_SEGMENTS = 9_999;
const MIN_AUDIT_PERCENT = 5;

/** The policy that a draft means; empty for the verifier's own choice. Throws `PageError` for the first field that does not fit. */
export function readPolicy(draft: PolicyDraft, inputs: readonly InputFile[]): Policy {
  switch (draft.method) {
    case "again":
      return {};
    case "hash-equality": {
      const files = linesOf(draft.files);
      files.forEach(checkPath);
      return files.length > 0 ? { method: "hash-equality", files } : { method: "hash-equality" };
    }
    case "audited": {
      const percent = wholeNumber("The share that is audited, in percent,", draft.auditPercent, MIN_AUDIT_PERCENT, 100);
      return { method: "reexec-quorum", audit_bps: percent * 100 };
    }
    case "freivalds":
      return readProduct(draft, inputs);
    case "segment-replay":
      return readSegments(draft, inputs);
    case "lease":
      return {
        method: LEASE_HEARTBEAT,
        interval_s: wholeNumber("The interval, in seconds,", draft.intervalS, 2, MAX_INTERVAL_S),
      };
    case "written":
      return readWritten(draft.written);
  }
}

/** The words of a box with one a line. */
export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

function readProduct(draft: PolicyDraft, inputs: readonly InputFile[]): Policy {
  const known = inputs.map((file) => file.path);
  for (const [side, path] of [
    ["left", draft.left],
    ["right", draft.right],
  ] as const) {
    if (!known.includes(path)) throw new PageError(`Choose the ${side} matrix among the input files.`);
  }
  checkPath(draft.product);
  const product: Policy = { method: "freivalds", left: draft.left, right: draft.right, product: draft.product };
  if (draft.precision === "") return product;
  return { ...product, precision: draft.precision, ...(draft.graded ? { graded: true } : {}) };
}

function readSegments(draft: PolicyDraft, inputs: readonly InputFile[]): Policy {
  const segments = wholeNumber("The number of segments", draft.segments, 1, MAX_SEGMENTS);
  const replay = linesOf(draft.replay);
  if (replay.length === 0) throw new PageError("Say how one segment is trained again: the command, one word a line.");
  if (inputs.some((file) => file.path === "segment-start.npz")) {
    throw new PageError("A training that is replayed has no file of its own called “segment-start.npz”: rename it.");
  }
  return {
    method: "segment-replay",
    checkpoints: draft.checkpoints,
    segments,
    sampled: wholeNumber("The number of segments that are replayed", draft.sampled, 1, segments),
    threshold_ppm: wholeNumber("The threshold, in millionths,", draft.thresholdPpm, 1, 999_999),
    withhold: draft.withhold,
    replay,
  };
}

function readWritten(text: string): Policy {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw new PageError('The policy is no JSON: write it like {"method": "hash-equality"}.');
  }
  if (typeof policy !== "object" || policy === null || Array.isArray(policy) || !("method" in policy)) {
    throw new PageError('The policy is an object with a method, like {"method": "hash-equality"}.');
  }
  return policy as Policy;
}

function checkPath(path: string): void {
  const fault = pathFault(path);
  if (fault !== undefined) throw new PageError(`An output that the check names: ${fault}`);
}
