import { zeroHash } from "viem";
import type { MeterSample } from "./meter-sample.ts";

/** Why a reading is not believed, by the names under which it is contested. */
export type ReadingFault =
  | "chain-broken"
  | "clock-fell"
  | "faster-than-time"
  | "gap-in-readings"
  | "meter-fell"
  | "more-than-the-machine"
  | "no-process"
  | "sample-unfit";

/** A reading of a lease's meter, as its provider signed it: seconds since the start, UTC milliseconds. */
export interface Reading {
  readonly id: string;
  readonly sequence: number;
  readonly previous: string;
  readonly units: number;
  readonly atMs: number;
  readonly isLast: boolean;
  /** Undefined where it was not looked at. */
  readonly sample: MeterSample | undefined;
}

// Two clocks are read one after the other.
const SLACK_MS = 2_000;
const MOST_CORES = 4_096;

/**
 * What speaks against a reading; undefined where nothing does. Held to the same vectors as the command line's rule. `before` is the reading before it, and `startedMs` when the job began.
 */
export function faultOfReading(
  before: Reading | undefined,
  now: Reading,
  intervalS: number,
  startedMs: number,
): ReadingFault | undefined {
  const chained = before === undefined ? [1, zeroHash] : [before.sequence + 1, before.id];
  if (now.sequence !== chained[0] || now.previous !== chained[1] || before?.isLast) return "chain-broken";
  const passedMs = now.atMs - (before?.atMs ?? startedMs);
  if (before === undefined ? passedMs < -SLACK_MS : passedMs <= 0) return "clock-fell";
  if ((now.units - (before?.units ?? 0)) * 1000 > passedMs + SLACK_MS) return "faster-than-time";
  if (before !== undefined && passedMs > intervalS * 1000 + SLACK_MS) return "gap-in-readings";
  if (now.sample === undefined) return undefined;
  if (now.sample.processes.length === 0 && !now.isLast) return "no-process";
  if (before !== undefined && before.sample === undefined) return undefined;
  return faultOfSample(before?.sample, now.sample, Math.max(0, passedMs));
}

function faultOfSample(before: MeterSample | undefined, now: MeterSample, passedMs: number): ReadingFault | undefined {
  const used = now.cpu_ms - (before?.cpu_ms ?? 0);
  if (used < 0) return "meter-fell";
  if (used > MOST_CORES * (passedMs + SLACK_MS)) return "more-than-the-machine";
  if (before === undefined || before.energy_mj === null) return undefined;
  if (now.energy_mj === null || now.energy_source !== before.energy_source) return "sample-unfit";
  return now.energy_mj < before.energy_mj ? "meter-fell" : undefined;
}
