import type { JobKind } from "./job-kind.ts";
import { fitsSealed } from "./sealing-draft.ts";

export type Method = "again" | "hash-equality" | "audited" | "freivalds" | "segment-replay" | "lease" | "written";
export type Precision = "" | "float32" | "bfloat16" | "float16";

/** How the result is to be checked, as it was entered. */
export interface PolicyDraft {
  readonly method: Method;
  /** hash-equality: outputs that have to be the same, one a line; none for all. */
  readonly files: string;
  /** audited: how often a credible provider is checked, in percent. */
  readonly auditPercent: string;
  /** freivalds: two inputs, and the output that is their product. */
  readonly left: string;
  readonly right: string;
  readonly product: string;
  /** freivalds: of floats; empty for exact integers. */
  readonly precision: Precision;
  readonly graded: boolean;
  /** segment-replay. */
  readonly checkpoints: string;
  readonly segments: string;
  readonly sampled: string;
  readonly thresholdPpm: string;
  readonly withhold: boolean;
  /** segment-replay: the command that trains one segment again, one word a line. */
  readonly replay: string;
  /** lease: the most seconds that are ever unsigned, for either side. */
  readonly intervalS: string;
  /** written: the policy as JSON. */
  readonly written: string;
}

export const NEW_POLICY: PolicyDraft = {
  method: "again",
  files: "",
  auditPercent: "10",
  left: "",
  right: "",
  product: "",
  precision: "",
  graded: false,
  checkpoints: "checkpoints/",
  segments: "8",
  sampled: "2",
  thresholdPpm: "50000",
  withhold: true,
  replay: "",
  intervalS: "300",
  written: "",
};

const AGAIN = "Run again";
const EQUAL: readonly [Method, string] = ["hash-equality", "Run again: the program promises the same bytes"];
const LEASE: readonly [Method, string] = ["lease", "A lease by the second: you co-sign its meter as it runs"];
const WRITTEN: readonly [Method, string] = ["written", "As written below (JSON)"];

/** What can be checked how, by the kind of job and whether it is sealed: methods, each with its words. */
export function methodsOf(kind: JobKind, sealed: boolean): readonly (readonly [Method, string])[] {
  return methodsOfKind(kind).filter(([method]) => !sealed || fitsSealed(method));
}

function methodsOfKind(kind: JobKind): readonly (readonly [Method, string])[] {
  if (kind === "wasm") {
    return [
      ["again", `${AGAIN}: outputs and fuel have to be equal, bit for bit`],
      ["audited", "Believe a proven provider, and run again now and then"],
      EQUAL,
      WRITTEN,
    ];
  }
  return [
    ["again", `${AGAIN}: equal bytes pass, and a difference harms nobody`],
    EQUAL,
    ["freivalds", "A matrix product: checked without computing it again"],
    ["segment-replay", "A training: some segments are trained again"],
    ...(kind === "process" ? [LEASE] : []),
    WRITTEN,
  ];
}

/** The draft of a policy that is at hand, like an example's. */
export function policyDraftOf(policy: Readonly<Record<string, unknown>>): PolicyDraft {
  const text = (name: string) => String(policy[name] ?? "");
  const lines = (name: string) => (Array.isArray(policy[name]) ? policy[name].join("\n") : "");
  const known = Object.keys(policy).every((name) => FIELDS[text("method")]?.includes(name));
  if (Object.keys(policy).length === 0) return NEW_POLICY;
  if (!known) return { ...NEW_POLICY, method: "written", written: JSON.stringify(policy, null, 2) };
  switch (policy.method) {
    case "hash-equality":
      return { ...NEW_POLICY, method: "hash-equality", files: lines("files") };
    case "freivalds":
      return {
        ...NEW_POLICY,
        method: "freivalds",
        left: text("left"),
        right: text("right"),
        product: text("product"),
        precision: text("precision") as Precision,
        graded: policy.graded === true,
      };
    default:
      return {
        ...NEW_POLICY,
        method: "segment-replay",
        checkpoints: text("checkpoints"),
        segments: text("segments"),
        sampled: text("sampled"),
        thresholdPpm: text("threshold_ppm"),
        withhold: policy.withhold === true,
        replay: lines("replay"),
      };
  }
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  "hash-equality": ["method", "files"],
  freivalds: ["method", "left", "right", "product", "precision", "graded"],
  "segment-replay": ["method", "checkpoints", "segments", "sampled", "threshold_ppm", "withhold", "replay"],
};
