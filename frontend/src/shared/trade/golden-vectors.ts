import { readFileSync } from "node:fs";

/** Reads golden vectors, which every language of the repository is held to. For tests only. */
export function goldenVectors<Vector>(name: string): Vector[] {
  const url = new URL(`../../../../tests/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as Vector[];
}
