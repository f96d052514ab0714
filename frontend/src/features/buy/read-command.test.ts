import { zeroAddress, zeroHash } from "viem";
import { describe, expect, test } from "vitest";
import type { AskMessage, CommandExample, Config } from "@/shared/api/schemas.ts";
import { type CommandDraft, newCommandDraft, withOwnCommand } from "./command-draft.ts";
import { NEW_POLICY } from "./policy-draft.ts";
import { readCommand } from "./read-command.ts";

const VERIFIER = "0x0165878A594ca255338adfa4d48449f69242Eb8F";
const CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
const IMAGE = `docker.io/library/debian@sha256:${"a".repeat(64)}`;

const ask = {
  environment: "process-linux-x86-64/debian-12/0123456789abcdef",
  unitPrice: "1000000000000000",
  minUnits: "1",
  maxUnits: "86400",
  verifiers: [VERIFIER],
  arbiters: [],
} as unknown as AskMessage;
const product: CommandExample = {
  name: "product",
  artifacts: [{ path: "multiply.py", cid: CID, size: 9 }],
  arguments: ["/opt/python/bin/python3", "multiply.py"],
  inputs: [
    { path: "a.npy", cid: CID, size: 8 },
    { path: "b.npy", cid: CID, size: 8 },
  ],
  seconds: 60,
  memory_mib: 512,
  verification: { method: "freivalds", left: "a.npy", right: "b.npy", product: "c.npy" },
};
const config = { committee: null, commands: [product] } as unknown as Config;
const draft: CommandDraft = { ...newCommandDraft("process", false, ask, config), seed: zeroHash };

test("a new draft is the first example, ready to be ordered, checked by whom the ask names", () => {
  expect(draft).toMatchObject({ example: "product", verifier: VERIFIER, arbiter: zeroAddress });
  const order = readCommand({ ...draft, verifierFee: "0.1" }, ask);
  expect(order.specification).toEqual({
    version: 2,
    kind: "process",
    environment: ask.environment,
    image: "",
    artifacts: product.artifacts,
    arguments: product.arguments,
    inputs: product.inputs,
    limits: {
      cpu_s: 60,
      wall_s: 150,
      memory_bytes: 512 * 1024 ** 2,
      scratch_bytes: 256 * 1024 ** 2,
      processes: 64,
      output_bytes: 16 * 1024 ** 2,
      output_files: 64,
      gpus: 0,
    },
    seed: zeroHash,
    verification: product.verification,
    sealing: null,
  });
  expect([order.maxUnits, order.price]).toEqual([60n, 60n * 10n ** 15n + 10n ** 17n]);
});

test("seconds of GPUs are paid for each, and end the job", () => {
  const cards = { ...newCommandDraft("process", true, ask, config), seconds: "30", gpus: "2" };
  const order = readCommand(cards, ask);
  expect(order.maxUnits).toBe(60n);
  expect(order.specification.limits).toMatchObject({ cpu_s: 240, wall_s: 30, gpus: 2 });
});

test("a container names its image by digest", () => {
  const container = { ...newCommandDraft("container", false, ask, config), command: "true" };
  expect(container.example).toBe("");
  expect(() => readCommand({ ...container, image: "debian:12" }, ask)).toThrow("by its digest");
  expect(readCommand({ ...container, image: IMAGE }, ask).specification).toMatchObject({
    kind: "container",
    image: IMAGE,
  });
});

describe("what does not fit is refused with a sentence", () => {
  const policy = draft.policy;
  const own = withOwnCommand(draft);
  test.each<[string, CommandDraft, string]>([
    ["no command", own, "Say what is to run"],
    ["too many seconds", { ...draft, seconds: "86401" }, "between 1 and 86400"],
    ["no memory", { ...draft, memoryMib: "0" }, "The memory has to be"],
    ["a program that is called like an input", { ...draft, inputs: draft.artifacts }, "are called “multiply.py”"],
    ["a matrix that is no input", { ...draft, policy: { ...policy, left: "z.npy" } }, "left matrix among the input"],
    ["a product that is no path", { ...draft, policy: { ...policy, product: "/out/c" } }, "no relative path"],
    ["a policy that is no JSON", { ...draft, policy: { ...NEW_POLICY, method: "written", written: "{" } }, "no JSON"],
    [
      "a policy without a method",
      { ...draft, policy: { ...NEW_POLICY, method: "written", written: "{}" } },
      "an object with a method",
    ],
    [
      "a method that the schema does not know as a name",
      { ...draft, policy: { ...NEW_POLICY, method: "written", written: '{"method": "No Such"}' } },
      "does not fit the published schema (verification/method)",
    ],
    [
      "a command of too many words",
      { ...draft, command: "x\n".repeat(300) },
      "The command does not fit the published schema (arguments)",
    ],
    [
      "a training without a command for a segment",
      { ...draft, policy: { ...NEW_POLICY, method: "segment-replay" } },
      "how one segment is trained again",
    ],
    [
      "more segments replayed than there are",
      { ...draft, policy: { ...NEW_POLICY, method: "segment-replay", sampled: "9", replay: "train" } },
      "between 1 and 8",
    ],
  ])("%s", (_, bad, words) => {
    expect(() => readCommand(bad, ask)).toThrow(words);
  });
});
