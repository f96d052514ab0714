import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import { jobSchema } from "@/generated/job-schema.ts";
import type { TaskSpecification } from "./job-specification.ts";

const WORDS: Readonly<Record<string, string>> = {
  arguments: "The command",
  artifacts: "The program's files",
  environment: "The environment class",
  image: "The image",
  inputs: "The input files",
  seed: "The seed",
  verification: "The check of the result",
  "limits/cpu_s": "The seconds of processor",
  "limits/wall_s": "The seconds in all",
  "limits/memory_bytes": "The memory, in bytes,",
  "limits/scratch_bytes": "The room for temporary files, in bytes,",
  "limits/processes": "The number of processes",
  "limits/output_bytes": "The room for outputs, in bytes,",
  "limits/output_files": "The number of output files",
  "limits/gpus": "The number of GPUs",
  "limits/fuel": "The fuel",
};

// The published schema is one of three, by kind. To be told of the two others that a job is not of their kind helps nobody.
const VALIDATORS = Object.fromEntries(
  jobSchema.oneOf.map((branch) => {
    const { oneOf, ...common } = jobSchema;
    const schema = { ...common, allOf: [branch] } as unknown as Schema;
    return [branch.properties.kind.const, new Validator(schema, "2020-12", false)];
  }),
);

/** What the published schema has against a specification, as a sentence; undefined where it has nothing. */
export function schemaFault(document: TaskSpecification): string | undefined {
  const found = VALIDATORS[document.kind]?.validate(document);
  if (found === undefined) return `This page knows no job of kind “${document.kind}”.`;
  if (found.valid) return undefined;
  // The deepest error is the one that says what is wrong; those around it only that something below is.
  const depth = (error: OutputUnit) => error.instanceLocation.split("/").length;
  const deepest = found.errors.reduce((best, error) => (depth(error) >= depth(best) ? error : best));
  const place = deepest.instanceLocation.replace(/^#\/?/, "");
  const name = WORDS[place] ?? WORDS[place.split("/", 1)[0] ?? ""] ?? "The order";
  return `${name} does not fit the published schema (${place || "the whole"}): ${deepest.error}`;
}
