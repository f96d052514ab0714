export type JobKind = "wasm" | "process" | "container";

/** The kind of job that an environment class runs, by the first word of its runtime; undefined for one that this page does not know. */
export function kindOf(environment: string): JobKind | undefined {
  const [word] = environment.split("/", 1)[0]?.split("-", 1) ?? [];
  if (word === "wasi") return "wasm";
  return word === "process" || word === "container" ? word : undefined;
}
