import type { Hex } from "viem";
import { expect, test } from "vitest";
import { goldenVectors } from "@/shared/trade/golden-vectors.ts";
import { type JobSpecification, unitsOfFuelUp, writeSpecification } from "./job-specification.ts";

interface Vector {
  readonly name: string;
  readonly document: JobSpecification;
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
