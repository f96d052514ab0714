import type { Hex } from "viem";
import { PageError } from "@/shared/errors/page-error.ts";
import { isReaderKey } from "@/shared/sealing/reader-key.ts";
import type { Method } from "./policy-draft.ts";

/** Who can read a job, as it was entered. */
export interface SealingDraft {
  readonly sealed: boolean;
  /** Reader keys beside the buyer's own, one a line. */
  readonly readers: string;
}

export const NOT_SEALED: SealingDraft = { sealed: false, readers: "" };

/** With the buyer itself 64 readers, as the published schema has it. */
const MAX_OTHERS = 63;
// What else checks a result reads it, or what it was made of.
const BLIND: readonly Method[] = ["again", "audited", "lease", "written"];

/** Whether a check works on what is sealed. */
export function fitsSealed(method: Method): boolean {
  return BLIND.includes(method);
}

/** The readers that a draft names beside the buyer; none for a job that is open. Throws `PageError` for the first that is none. */
export function readReaders({ sealed, readers }: SealingDraft, method: Method): readonly Hex[] {
  if (!sealed) return [];
  const named = readers.split(/\s+/).filter((word) => word !== "");
  if (named.length === 0) {
    throw new PageError("Name the provider's reader key at least: without it the provider cannot run what is sealed.");
  }
  if (named.length > MAX_OTHERS) throw new PageError(`A sealed job has at most ${MAX_OTHERS} readers beside you.`);
  const keys = named.map((word) => {
    if (!isReaderKey(word)) {
      throw new PageError(`A reader key is 0x and 64 hex digits in lower case, not “${word.slice(0, 80)}”.`);
    }
    return word;
  });
  if (!fitsSealed(method)) throw new PageError("This check reads what is sealed: let the job be run again by readers.");
  return [...new Set(keys)];
}
