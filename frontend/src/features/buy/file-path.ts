import { PageError } from "@/shared/errors/page-error.ts";

const MAX_LENGTH = 255;
// Backslash, control characters and delete; a name has one spelling and stays below where it is unpacked.
const FORBIDDEN = /[\\\p{Cc}\p{Cs}]/u;

/** What is wrong with the name of a job's file, as a sentence; undefined where nothing is. */
export function pathFault(path: string): string | undefined {
  if (path.length === 0 || path.length > MAX_LENGTH) return `A file name has 1 to ${MAX_LENGTH} characters: rename it.`;
  if (FORBIDDEN.test(path)) return `“${path}” has a backslash or a control character: rename the file.`;
  if (path.normalize("NFC") !== path) return `“${path}” is not in Unicode's normal form C: rename the file.`;
  if (path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    return `“${path}” is no relative path: rename the file.`;
  }
  return undefined;
}

/** Refuses, with a `PageError`, names that do not fit or that two files share. `several` says what they are. */
export function checkPaths(names: readonly string[], several: string): void {
  const known = new Set<string>();
  for (const name of names) {
    const fault = pathFault(name);
    if (fault !== undefined) throw new PageError(fault);
    if (known.has(name)) throw new PageError(`${several} are called “${name}”: rename one.`);
    known.add(name);
  }
}
