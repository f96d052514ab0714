import { PageError } from "@/shared/errors/page-error.ts";

/** What stands behind a reading: what the job and its machine did. Milliseconds, bytes, millijoules, thousandths; null where nothing tells. */
export interface MeterSample {
  readonly cpu_ms: number;
  readonly memory_bytes: number;
  readonly processes: readonly string[];
  readonly energy_mj: number | null;
  readonly energy_source: string;
  readonly busy_permille: number | null;
}

/** Reads a sample. Throws `PageError` where it is none. */
export function readMeterSample(text: string): MeterSample {
  const none = new PageError("What was measured is not written as a meter’s sample is.");
  let sample: Record<string, unknown>;
  try {
    sample = JSON.parse(text);
  } catch {
    throw none;
  }
  if (typeof sample !== "object" || sample === null || sample.version !== 1) throw none;
  const { cpu_ms, memory_bytes, processes, energy_mj = null, energy_source, busy_permille = null } = sample;
  const named = Array.isArray(processes) && processes.every((name) => typeof name === "string");
  if (!isCount(cpu_ms) || !isCount(memory_bytes) || !named || typeof energy_source !== "string") throw none;
  if (!(energy_mj === null || isCount(energy_mj)) || !(busy_permille === null || isCount(busy_permille))) throw none;
  return { cpu_ms, memory_bytes, processes, energy_mj, energy_source, busy_permille };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
