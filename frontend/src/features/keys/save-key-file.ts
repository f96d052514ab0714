import { type ReaderKey, writeKeyFile } from "@/shared/sealing/reader-key.ts";

const NAMED_BY = 10;

/** Lets the browser save the copy of a key to a file. */
export function saveKeyFile(key: ReaderKey): void {
  const url = URL.createObjectURL(new Blob([writeKeyFile(key)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `reader-key-${key.public.slice(2, NAMED_BY)}.json`;
  link.click();
  URL.revokeObjectURL(url);
}
