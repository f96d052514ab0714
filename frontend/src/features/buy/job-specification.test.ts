import type { Hex } from "viem";
import { expect, test } from "vitest";
import { goldenVectors } from "@/shared/trade/golden-vectors.ts";
import {
  type CommandLimits,
  type JobSpecification,
  type TaskSpecification,
  unitsOfCommand,
  unitsOfFuelUp,
  writeSpecification,
} from "./job-specification.ts";
import { schemaFault } from "./schema-fault.ts";

interface Vector<Document = JobSpecification> {
  readonly name: string;
  readonly document: Document;
  readonly canonical: string;
  readonly digest: Hex;
  readonly cid: string;
  readonly max_units: number;
}

test.each(goldenVectors<Vector>("job_specification"))("$name is written byte for byte as in Python", async (vector) => {
  const written = await writeSpecification(vector.document);
  expect(new TextDecoder().decode(written.bytes)).toBe(vector.canonical);
  expect(written.digest).toBe(vector.digest);
  expect(written.cid).toBe(vector.cid);
  expect(unitsOfFuelUp(vector.document.limits.fuel)).toBe(BigInt(vector.max_units));
});

const tasks = goldenVectors<Vector<TaskSpecification>>("task_specification");

test.each(tasks)("$name fits the published schema and is written byte for byte as in Python", async (vector) => {
  expect(schemaFault(vector.document)).toBeUndefined();
  const written = await writeSpecification(vector.document);
  expect(new TextDecoder().decode(written.bytes)).toBe(vector.canonical);
  expect(written.digest).toBe(vector.digest);
  const { limits } = vector.document;
  const units = "fuel" in limits ? unitsOfFuelUp(limits.fuel) : BigInt(unitsOfCommand(limits as CommandLimits));
  expect(units).toBe(BigInt(vector.max_units));
});
