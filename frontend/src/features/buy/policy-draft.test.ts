import { expect, test } from "vitest";
import { methodsOf, NEW_POLICY, policyDraftOf } from "./policy-draft.ts";
import { readPolicy } from "./read-policy.ts";

const inputs = ["a.npy", "b.npy", "text"].map((path) => ({ path, cid: "b", size: 1 }));

test.each([
  {},
  { method: "hash-equality" },
  { method: "hash-equality", files: ["c.npy"] },
  { method: "freivalds", left: "a.npy", right: "b.npy", product: "c.npy" },
  { method: "freivalds", left: "a.npy", right: "b.npy", product: "c.npy", precision: "float32", graded: true },
  {
    method: "segment-replay",
    checkpoints: "checkpoints/",
    segments: 8,
    sampled: 2,
    threshold_ppm: 50_000,
    withhold: true,
    replay: ["python3", "train.py", "{segment}"],
  },
  { method: "hash-equality", expected: { c: "00" } },
  { method: "all-of", of: [{ method: "hash-equality" }] },
])("a policy that is filled in is read as it was: %j", (policy) => {
  expect(readPolicy(policyDraftOf(policy), inputs)).toEqual(policy);
});

test("a proven provider is audited in five jobs of a hundred at least", () => {
  const audited = { ...NEW_POLICY, method: "audited", auditPercent: "10" } as const;
  expect(readPolicy(audited, inputs)).toEqual({ method: "reexec-quorum", audit_bps: 1000 });
  expect(() => readPolicy({ ...audited, auditPercent: "4" }, inputs)).toThrow("between 5 and 100");
});

test("a kind is offered what can be found out of its jobs", () => {
  const methods = (kind: "wasm" | "process", sealed = false) => methodsOf(kind, sealed).map(([method]) => method);
  expect(methods("wasm")).toContain("audited");
  expect(methods("wasm")).not.toContain("freivalds");
  expect(methods("process")).toEqual(["again", "hash-equality", "freivalds", "segment-replay", "lease", "written"]);
  expect(methods("process", true)).toEqual(["again", "lease", "written"]);
});
