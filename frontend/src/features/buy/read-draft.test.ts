import { zeroAddress, zeroHash } from "viem";
import { describe, expect, test } from "vitest";
import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { type Draft, newDraft, withOwnProgram } from "./draft.ts";
import { readDraft } from "./read-draft.ts";

const COMMITTEE = "0x0165878A594ca255338adfa4d48449f69242Eb8F";
const OTHER = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";
const CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

const ask = {
  environment: "wasi-p1/wasmtime-50.0.1/0123456789abcdef",
  unitPrice: "500000000000001",
  minUnits: "2",
  maxUnits: "100000",
  verifiers: [OTHER, COMMITTEE],
  arbiters: [],
} as unknown as AskMessage;
const config = {
  committee: { address: COMMITTEE, members: [], threshold: 2 },
  examples: [
    {
      name: "path_tracer/demo",
      module: { path: "path_tracer.wasm", cid: CID, size: 8 },
      inputs: [{ path: "demo.scene", cid: CID, size: 6 }],
    },
  ],
} as unknown as Config;
const draft: Draft = { ...newDraft(ask, config), units: "12000", seed: zeroHash };

describe("a new draft", () => {
  test("is the first example, ready to be ordered, checked by the node's committee", () => {
    expect(draft).toMatchObject({
      example: "path_tracer/demo",
      arguments: "demo.scene",
      verifier: COMMITTEE,
      arbiter: zeroAddress,
    });
    expect(() => readDraft(newDraft(ask, config), ask)).not.toThrow();
  });

  test("stays within what the ask offers", () => {
    expect(newDraft({ ...ask, maxUnits: "10" }, config).units).toBe("10");
    expect(newDraft({ ...ask, minUnits: "50000" }, config).units).toBe("50000");
  });
});

test("an order is priced to the last atom", () => {
  const order = readDraft({ ...draft, verifierFee: "0.1" }, ask);
  expect(order.maxUnits).toBe(12_000n);
  expect(order.price).toBe(12_000n * 500_000_000_000_001n + 100_000_000_000_000_000n);
});

test("limits, arguments and files are those that were entered", () => {
  const { specification } = readDraft({ ...draft, arguments: "demo.scene\n\npicture.png" }, ask);
  expect(specification).toMatchObject({
    version: 1,
    environment: ask.environment,
    arguments: ["demo.scene", "picture.png"],
    inputs: [{ path: "demo.scene", cid: CID, size: 6 }],
    limits: { fuel: 12_000_000_000, memory_bytes: 256 * 1024 * 1024, output_bytes: 16 * 1024 * 1024, output_files: 16 },
  });
});

test("a check that is chosen is part of the specification, which then is of version 2", () => {
  const audited = { ...draft.policy, method: "audited", auditPercent: "10" } as const;
  expect(readDraft({ ...draft, policy: audited }, ask).specification).toMatchObject({
    version: 2,
    kind: "wasm",
    image: "",
    artifacts: [{ path: "path_tracer.wasm", cid: CID, size: 8 }],
    verification: { method: "reexec-quorum", audit_bps: 1000 },
    sealing: null,
  });
});

test("without an arbiter there is no fee for one", () => {
  expect(readDraft({ ...draft, arbiterFee: "5" }, ask).arbiterFee).toBe(0n);
  expect(readDraft({ ...draft, arbiter: OTHER, arbiterFee: "5" }, ask).arbiterFee).toBe(5n * 10n ** 18n);
});

test.each<[string, Draft, string]>([
  ["no program", withOwnProgram(draft), "Choose a program"],
  ["too few units", { ...draft, units: "1" }, "between 2 and 100000"],
  ["too many units", { ...draft, units: "100001" }, "between 2 and 100000"],
  ["a fraction of a unit", { ...draft, units: "2.5" }, "whole number"],
  ["memory beyond WebAssembly's", { ...draft, memoryMib: "4097" }, "between 1 and 4096"],
  ["a fee that is no amount", { ...draft, verifierFee: "a lot" }, "Write an amount"],
  ["nobody to verify", { ...draft, verifier: zeroAddress }, "Name a verifier"],
  ["a short seed", { ...draft, seed: "0x12" }, "64 hex digits"],
  ["two inputs of one name", { ...draft, inputs: [...draft.inputs, ...draft.inputs] }, "are called “demo.scene”"],
  ["an input outside", { ...draft, inputs: [{ path: "../x", cid: CID, size: 1 }] }, "no relative path"],
])("%s is refused with a sentence", (_, bad, words) => {
  expect(() => readDraft(bad, ask)).toThrow(words);
});
