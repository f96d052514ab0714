const WORDS: Record<string, string> = {
  cu: "compute unit",
  "cpu-s": "processor second",
  "gpu-s": "GPU second",
  mfuel: "million WASM fuel",
};

/** What one unit of a resource is. */
export function metricWords(metric: string): string {
  return WORDS[metric] ?? metric;
}
