import { expect, test } from "vitest";
import { goldenVectors } from "@/shared/trade/golden-vectors.ts";
import { faultWords } from "./fault-words.ts";
import { readMeterSample } from "./meter-sample.ts";
import { faultOfReading, type Reading } from "./reading-fault.ts";

interface Vector {
  readonly name: string;
  readonly interval_s: number;
  readonly started_ms: number;
  readonly before: Reading | null;
  readonly now: Reading;
  readonly fault: string | null;
}

const vectors = goldenVectors<Vector>("meter_faults");

test.each(vectors)(
  "$name: believed or not as on the command line",
  ({ before, now, interval_s, started_ms, fault }) => {
    expect(faultOfReading(before ?? undefined, now, interval_s, started_ms) ?? null).toBe(fault);
    if (fault !== null) expect(faultWords(fault)).not.toBe(fault);
  },
);

test("what was not looked at accuses nobody", () => {
  const [, second] = vectors as [Vector, Vector];
  const unseen = { ...second.now, sample: undefined };
  expect(faultOfReading(second.before as Reading, unseen, 60, 0)).toBeUndefined();
  expect(faultOfReading({ ...(second.before as Reading), sample: undefined }, second.now, 60, 0)).toBeUndefined();
});

test("a sample is read as it was measured, and anything else is none", () => {
  const written = vectors[0]?.now.sample as object;
  expect(readMeterSample(JSON.stringify(written))).toMatchObject({
    cpu_ms: 5000,
    processes: ["sleep"],
    energy_mj: null,
  });
  const unfit = [
    { version: 2 },
    { cpu_ms: -1 },
    { cpu_ms: "5" },
    { processes: [1] },
    { processes: null },
    { energy_mj: 0.5 },
  ];
  for (const change of unfit) {
    expect(() => readMeterSample(JSON.stringify({ ...written, ...change }))).toThrow("not written as");
  }
  expect(() => readMeterSample("{")).toThrow("not written as");
  expect(() => readMeterSample("null")).toThrow("not written as");
});
