import { expect, test } from "vitest";
import { goldenVectors } from "@/shared/trade/golden-vectors.ts";
import { readOrderedJob } from "@/shared/trade/ordered-job.ts";
import { policyWords } from "./policy-words.ts";

interface Vector {
  readonly name: string;
  readonly canonical: string;
}

const vectors = [...goldenVectors<Vector>("job_specification"), ...goldenVectors<Vector>("task_specification")];

test.each(vectors)("$name is read, with what it runs and how it is checked", ({ canonical }) => {
  const job = readOrderedJob(canonical);
  expect(job.command.length).toBeGreaterThan(0);
  expect(job.command.every((word) => typeof word === "string")).toBe(true);
  expect(policyWords(job.kind, job.policy)).not.toBe("");
});

test("a program is named before its arguments", () => {
  const program = JSON.stringify({ version: 1, module: { path: "a.wasm" }, arguments: ["b"], inputs: [], limits: {} });
  expect(readOrderedJob(program)).toMatchObject({ kind: "wasm", command: ["a.wasm", "b"], policy: {} });
});

test.each(["", "{}", '{"version": 2, "arguments": 1}'])("%j is no specification", (text) => {
  expect(() => readOrderedJob(text)).toThrow("look at it by hand");
});

test.each([
  [{ method: "freivalds", left: "a", right: "b", product: "c" }, "c is the product of a and b, of exact integers"],
  [{ method: "segment-replay", segments: 8, sampled: 2 }, "2 of 8 segments"],
  [{ method: "reexec-quorum", audit_bps: 500 }, "in 5 % of jobs"],
  [{ method: "hash-equality", files: ["x", "y"] }, "x, y have to be the same bytes"],
  [{ method: "lease-heartbeat", interval_s: 60 }, "every 60 s"],
  [{ method: "all-of", of: [] }, '{"method":"all-of","of":[]}'],
])("a policy is told in words: %j", (policy, words) => {
  expect(policyWords("process", policy)).toContain(words);
});
