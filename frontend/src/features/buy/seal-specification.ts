import type { Hex } from "viem";
import { contentIdOf } from "@/shared/content/content-id.ts";
import { inputKeyOf, sealFile } from "@/shared/sealing/content-keys.ts";
import { KEY_BYTES } from "@/shared/sealing/sealed-box.ts";
import { withBoxes } from "@/shared/sealing/sealing.ts";
import type { InputFile, TaskSpecification } from "./job-specification.ts";

export interface SealedSpecification {
  readonly specification: TaskSpecification;
  /** The sealed inputs: what is uploaded in the place of the files. */
  readonly files: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * Seals a job's inputs and outputs to readers, under a content key that is made here and kept nowhere. Programs, arguments, names and sizes of files stay open. `bytesOf` gives what is
 * in an input.
 */
export async function sealSpecification(
  plain: TaskSpecification,
  readers: readonly Hex[],
  bytesOf: (file: InputFile) => Promise<Uint8Array>,
): Promise<SealedSpecification> {
  const contentKey = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const key = inputKeyOf(contentKey);
  const sealed = await Promise.all(
    plain.inputs.map(async (file) => {
      const bytes = sealFile(key, await bytesOf(file));
      return { bytes, input: { path: file.path, cid: await contentIdOf(bytes), size: bytes.length } };
    }),
  );
  const sealing = {
    inputs: sealed.length > 0,
    outputs: true,
    readers: [...new Set(readers)].map((reader) => ({ key: reader, box: "" as const })),
  };
  const unboxed = { ...plain, inputs: sealed.map(({ input }) => input), sealing };
  return { specification: await withBoxes(unboxed, contentKey), files: sealed.map(({ bytes }) => bytes) };
}
